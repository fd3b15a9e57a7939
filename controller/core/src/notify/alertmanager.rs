//! Prometheus Alertmanager.
//!
//! A failure fires one alert for each object, whatever its reason, and the recovery resolves it by the same labels.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::body::Body;
use super::{Error, Kind, Notice, Request, Sink};

/// Time after which a failure that nobody resolved is forgotten. Without an end Alertmanager would resolve it by itself after
/// minutes, because it is not told again.
const FAILURE_ENDS: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Time that news is shown which has no end of its own.
const NEWS_ENDS: SignedDuration = SignedDuration::from_mins(15);
/// Bytes of an annotation.
const TEXT: usize = 4096;

/// Tells whether it is worth an alert: trouble always, other news only if someone asked for it.
pub(super) fn is_for(notice: &Notice, is_asked: bool) -> bool {
    match notice.kind {
        Kind::Failed | Kind::RolledBack | Kind::Recovered | Kind::Drift => true,
        Kind::Applied => is_asked && notice.changed > 0,
        Kind::ImageUpdate => is_asked,
        Kind::Progressing => false,
    }
}

/// One alert.
pub(super) fn request(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let body = Body::of(notice, sink)?;
    let (name, severity) = match notice.kind {
        Kind::Failed | Kind::RolledBack | Kind::Recovered => ("NotReady", "error"),
        Kind::Drift => ("Drifted", "warning"),
        Kind::Progressing => ("Progressing", "info"),
        Kind::Applied => ("Applied", "info"),
        Kind::ImageUpdate => ("ImageUpdate", "info"),
    };
    let object = &notice.object;
    let mut labels = Map::new();
    let mut label = |key: &str, value: &str| {
        if !value.is_empty() {
            labels.insert(key.to_owned(), Value::String(value.to_owned()));
        }
    };
    label("alertname", &format!("Flux{}{name}", object.kind));
    label("severity", severity);
    label("kind", object.kind);
    label("namespace", &object.namespace);
    label("name", &object.name);
    label("cluster", &notice.cluster);
    let ends = match notice.kind {
        Kind::Failed | Kind::RolledBack => later(notice.time, FAILURE_ENDS),
        Kind::Recovered => notice.time,
        Kind::Progressing | Kind::Applied | Kind::Drift | Kind::ImageUpdate => {
            later(notice.time, NEWS_ENDS)
        }
    };
    let mut alert = json!({
        "labels": labels,
        "annotations": {
            "summary": body.title,
            "message": crate::conclude::truncate(&body.text, TEXT),
            "reason": notice.reason.as_str(),
            "revision": notice.revision.clone().unwrap_or_default(),
        },
        "endsAt": ends.to_string(),
    });
    if let Some(alert) = alert.as_object_mut() {
        // The end of an alert must not say anew when it began.
        if notice.kind != Kind::Recovered {
            alert.insert("startsAt".to_owned(), json!(notice.time.to_string()));
        }
        alert.extend(
            body.link
                .map(|link| ("generatorURL".to_owned(), json!(link))),
        );
    }
    let request = Request::post(address(sink)?, &json!([alert]));
    Ok(match sink.maybe_token()? {
        Some(token) => request.with("authorization", format!("Bearer {token}")),
        None => request,
    })
}

/// Returns the address of the API below that of the server; people write either.
fn address(sink: &Sink) -> Result<String, Error> {
    const API: &str = "/api/v2/alerts";
    let url = sink.url()?;
    Ok(format!("{}{API}", url.strip_suffix(API).unwrap_or(url)))
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}
