//! Any HTTP endpoint: the notice as JSON, signed if there is a key.

use hmac_sha2::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::body::Body;
use super::{Error, Notice, Request, Sink, text};

/// Bytes of a message, as Flux v2's receivers take it.
const MESSAGE: usize = 39_000;

/// The event has the shape of Flux v2's, so that what reads those reads ours; `metadata` says more.
pub(super) fn request(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let message = match &sink.template {
        Some(_) => Body::of(notice, sink)?.text,
        None => sink.scrub(&message(notice)),
    };
    let object = &notice.object;
    let event = json!({
        "involvedObject": {
            "apiVersion": flux_crds::names::API_VERSION,
            "kind": object.kind,
            "namespace": object.namespace,
            "name": object.name,
            "uid": object.uid,
        },
        "severity": notice.kind.severity().as_str(),
        "timestamp": notice.time.to_string(),
        "message": crate::conclude::truncate(&message, MESSAGE),
        "reason": notice.reason.as_str(),
        "metadata": metadata(sink, notice),
        "reportingController": "flux-controller",
    });
    let request = Request::post(sink.url()?, &event);
    let Some(key) = sink.key() else {
        return Ok(request);
    };
    let signature = format!("sha256={}", sign(key, &request.body));
    Ok(request.with("x-signature", signature))
}

fn message(notice: &Notice) -> String {
    if notice.message.is_empty() {
        text::title(notice)
    } else {
        notice.message.clone()
    }
}

fn metadata(sink: &Sink, notice: &Notice) -> Value {
    let mut metadata = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            metadata.insert(key.to_owned(), Value::String(sink.scrub(&value)));
        }
    };
    let commit = notice.commit.as_ref();
    put("event", Some(notice.kind.as_str().to_owned()));
    put("summary", Some(text::title(notice)));
    put("revision", notice.revision.clone());
    put("cluster", Some(notice.cluster.clone()));
    put("url", super::commit_status::page(notice));
    put("author", commit.map(|commit| text::line(&commit.author)));
    put("subject", commit.map(|commit| text::line(&commit.subject)));
    if notice.changed > 0 {
        let changes: Vec<String> = notice.changes.iter().map(ToString::to_string).collect();
        put("changes", Some(changes.join("\n")));
        put("changed", Some(notice.changed.to_string()));
    }
    let images = notice.images.iter();
    let images: Vec<String> = images
        .map(|image| {
            format!(
                "{}:{} {} → {}",
                image.path, image.line, image.old, image.new
            )
        })
        .collect();
    put("images", Some(images.join("\n")));
    Value::Object(metadata)
}

#[expect(
    clippy::expect_used,
    reason = "the length of an HMAC key is not bounded"
)]
fn sign(key: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(body);
    format!("{:x}", mac.finalize().into_bytes())
}
