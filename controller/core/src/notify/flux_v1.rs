//! The events of Flux v1, for fluxcloud and others that read them.
//!
//! What Flux v1 had is told as it told it: `sync` when a revision was applied, also in part, and `autorelease` when images were
//! committed. What it kept silent about has types of its own and its text in `message`, which receivers show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::body::Body;
use super::{Error, Kind, Notice, Request, Severity, Sink, text};
use crate::object::ObjectId;

/// Where events go, below the address of the server.
const PATH: &str = "/v6/events";

/// One event, with its fields in the order of Flux v1.
#[derive(Serialize)]
struct Event {
    id: u8,
    #[serde(rename = "serviceIDs")]
    service_ids: Vec<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "startedAt")]
    started_at: Timestamp,
    #[serde(rename = "endedAt")]
    ended_at: Timestamp,
    #[serde(rename = "logLevel")]
    log_level: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

/// Posts an event.
pub(super) fn request(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let sink = sink.with_http();
    let event = event(&sink, notice)?;
    let body = serde_json::to_string(&event).unwrap_or_default();
    let url = sink.url()?;
    let url = format!("{}{PATH}", url.strip_suffix(PATH).unwrap_or(url));
    let request = Request {
        body: as_go(&body).into_bytes(),
        ..Request::post(url, &Value::Null)
    };
    Ok(match sink.maybe_token()? {
        Some(token) => request.with("authorization", format!("Scope-Probe token={token}")),
        None => request,
    })
}

fn event(sink: &Sink, notice: &Notice) -> Result<Event, Error> {
    let (kind, metadata) = match notice.kind {
        Kind::Applied | Kind::Recovered if notice.changed > 0 => ("sync", Some(sync(sink, notice))),
        Kind::Failed if is_in_part(notice) => ("sync", Some(sync(sink, notice))),
        Kind::ImageUpdate => ("autorelease", Some(autorelease(notice))),
        Kind::Progressing => ("progressing", None),
        Kind::Applied => ("applied", None),
        Kind::Recovered => ("recovered", None),
        Kind::Failed => ("failed", None),
        Kind::RolledBack => ("rollback", None),
        Kind::Drift => ("drift", None),
    };
    let message = match (&metadata, &sink.template) {
        (Some(_), None) => String::new(),
        _ => said(sink, notice)?,
    };
    Ok(Event {
        id: 0,
        service_ids: services(notice),
        kind,
        started_at: notice.time,
        ended_at: notice.time,
        log_level: match notice.kind.severity() {
            Severity::Info => "info",
            Severity::Warning => "warn",
            Severity::Error => "error",
        },
        message,
        metadata,
    })
}

/// Returns the text of a message for those who know no better.
fn said(sink: &Sink, notice: &Notice) -> Result<String, Error> {
    let Body { title, text, .. } = Body::of(notice, sink)?;
    if sink.template.is_some() {
        return Ok(text);
    }
    Ok(format!("{title}\n{text}").trim_end().to_owned())
}

/// Tells whether some objects failed and are known.
fn is_in_part(notice: &Notice) -> bool {
    notice.revision.is_some()
        && notice
            .failures
            .iter()
            .any(|failure| failure.object.is_some())
}

fn sync(sink: &Sink, notice: &Notice) -> Value {
    let revision = notice.commit_id().unwrap_or_default();
    let subject = notice
        .commit
        .as_ref()
        .map(|commit| text::line(&commit.subject));
    let mut metadata = json!({
        "commits": [{"revision": revision, "message": subject.unwrap_or_default()}],
        "includes": {"other": true},
    });
    let errors: Vec<Value> = notice
        .failures
        .iter()
        .map(|failure| {
            let object = failure.object.as_deref().and_then(service_of);
            json!({
                "ID": object.unwrap_or_else(|| own(notice)),
                "Path": failure.source.clone().unwrap_or_default(),
                "Error": sink.scrub(&failure.message),
            })
        })
        .collect();
    if let Some(metadata) = metadata.as_object_mut() {
        if !errors.is_empty() {
            metadata.insert("errors".to_owned(), Value::Array(errors));
        }
        if notice.is_first {
            metadata.insert("initialSync".to_owned(), Value::Bool(true));
        }
    }
    metadata
}

fn autorelease(notice: &Notice) -> Value {
    let mut result: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut changes = Vec::new();
    for image in &notice.images {
        let Some(service) = image.object.as_deref().and_then(service_of) else {
            continue;
        };
        let container = image.container.clone().unwrap_or_default();
        let (current, target) = (whole(image, &image.old), whole(image, &image.new));
        result
            .entry(service.clone())
            .or_default()
            .push(json!({"Container": container, "Current": current, "Target": target}));
        changes.push(json!({
            "WorkloadID": service,
            "Container": {"Name": container, "Image": current},
            "ImageID": target,
        }));
    }
    let result: BTreeMap<String, Value> = result
        .into_iter()
        .map(|(service, containers)| {
            (
                service,
                json!({"Status": "success", "PerContainer": containers}),
            )
        })
        .collect();
    json!({
        "Revision": notice.commit_id().unwrap_or_default(),
        "result": result,
        "spec": {"Changes": changes},
    })
}

/// Returns an image with its name: what is written to a file may be the tag alone.
fn whole(change: &crate::edit::Change, written: &str) -> String {
    let name = change.image.as_str();
    if written.starts_with(name) || written.contains('/') {
        return written.to_owned();
    }
    format!("{name}:{written}")
}

/// Returns which workloads an event is about. An event without any is dropped by its receivers, so that the object itself
/// stands in.
fn services(notice: &Notice) -> Vec<String> {
    let images = notice.images.iter();
    let images = images.filter_map(|image| service_of(image.object.as_deref()?));
    let changes = notice
        .changes
        .iter()
        .filter_map(|change| service(&change.id));
    let mut services: Vec<String> = images.chain(changes).collect();
    services.sort_unstable();
    services.dedup();
    if services.is_empty() {
        services.push(own(notice));
    }
    services
}

fn own(notice: &Notice) -> String {
    let object = &notice.object;
    format!(
        "{}:{}/{}",
        object.namespace,
        object.kind.to_ascii_lowercase(),
        object.name
    )
}

/// Returns `shop:deployment/web`; `None` for a name that Flux v1 could not read, which would spoil the whole event.
fn service(id: &ObjectId) -> Option<String> {
    let (namespace, kind, name) = (&id.namespace, id.kind.to_ascii_lowercase(), &id.name);
    let is_word = |text: &str, more: &[char]| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || more.contains(&c);
        !text.is_empty() && text.chars().all(is_plain)
    };
    let namespace = if namespace.is_empty() {
        "<cluster>"
    } else {
        namespace
    };
    let is_namespace = namespace == "<cluster>" || is_word(namespace, &['_', '-']);
    let is_good =
        is_namespace && is_word(&kind, &['_', '-']) && is_word(name, &['_', '.', ':', '-']);
    is_good.then(|| format!("{namespace}:{kind}/{name}"))
}

/// Reads `Deployment/shop/web`, `apps/Deployment/shop/web` or `Namespace/shop`, as messages name objects.
fn service_of(object: &str) -> Option<String> {
    let parts: Vec<&str> = object.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (kind, "", name),
        [kind, namespace, name] | [_, kind, namespace, name] => (kind, *namespace, name),
        _ => return None,
    };
    // A kind may stand with its group behind it: `Deployment.apps`.
    let kind = kind.split('.').next().unwrap_or(kind);
    service(&ObjectId {
        group: String::new(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: (*name).to_owned(),
    })
}

/// Writes JSON as Go does, which escapes what HTML could misread.
fn as_go(json: &str) -> String {
    json.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
