//! The only writer of `/status`, and the only publisher of Kubernetes events.

use std::fmt::Debug;
use std::sync::Arc;

use flux_core::conclude::{Event as Told, truncate};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PartialObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::key::Key;
use crate::report::chain;

/// Manager of the status fields, and reporter of events.
pub(crate) const CONTROLLER: &str = "flux-controller";

/// Writes what differs between two states of a status, in one request; nothing when nothing does.
///
/// A merge patch of the difference, not a server-side apply of the whole: with a thousand objects in the inventory, a token
/// to echo stays a hundred bytes. There is one writer, so nothing can be lost between two of them.
pub(crate) async fn write<K, S>(
    client: &Client,
    key: &Key,
    before: &S,
    after: &S,
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
    S: Serialize,
{
    let before = serde_json::to_value(before).map_err(kube::Error::SerdeError)?;
    let after = serde_json::to_value(after).map_err(kube::Error::SerdeError)?;
    let Some(difference) = difference(&before, &after) else {
        return Ok(());
    };
    let patch = Patch::Merge(serde_json::json!({ "status": difference }));
    let api: Api<PartialObjectMeta<K>> = Api::namespaced(client.clone(), &key.namespace);
    match api
        .patch_status(&key.name, &PatchParams::apply(CONTROLLER), &patch)
        .await
    {
        Ok(_) => Ok(()),
        // The object went in the meantime, and its status with it.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the JSON merge patch (RFC 7386) that makes `after` of `before`.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(before_map), Value::Object(after_map)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for (field, value) in after_map {
        match before_map.get(field) {
            Some(old) => patch.extend(difference(old, value).map(|value| (field.clone(), value))),
            None => patch.extend([(field.clone(), value.clone())]),
        }
    }
    patch.extend(
        before_map
            .keys()
            .filter(|field| !after_map.contains_key(*field))
            .map(|field| (field.clone(), Value::Null)),
    );
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Events that may wait to be sent; beyond that the newest is dropped, with a log line, rather than a reconcile held up.
const QUEUE: usize = 1024;
/// Longest note of an event, in bytes (`events.k8s.io/v1`).
const NOTE_LIMIT: usize = 1024;

/// Publishes events without ever holding up a reconcile.
#[derive(Clone)]
pub(crate) struct Publisher {
    queue: mpsc::Sender<Event>,
    instance: Arc<str>,
}

impl Publisher {
    /// Returns a publisher and the task that sends what it is given.
    pub(crate) fn new(client: Client, instance: &str) -> (Self, impl Future<Output = ()> + use<>) {
        let (queue, mut events) = mpsc::channel::<Event>(QUEUE);
        let send = async move {
            while let Some(event) = events.recv().await {
                let namespace = event.metadata.namespace.clone().unwrap_or_default();
                let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
                if let Err(error) = api.create(&PostParams::default(), &event).await {
                    tracing::debug!(error = %chain(&error), "event not published");
                }
            }
        };
        (
            Self {
                queue,
                instance: instance.into(),
            },
            send,
        )
    }

    /// Publishes an event about an object.
    pub(crate) fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, told: &Told) {
        self.publish_about(reference(object), told);
    }

    /// Publishes an event about the object of a reference.
    pub(crate) fn publish_about(&self, object: ObjectReference, told: &Told) {
        let now = Timestamp::now();
        let name = object.name.clone().unwrap_or_default();
        let key = Key::new(object.namespace.as_deref().unwrap_or_default(), &name);
        let event = Event {
            metadata: ObjectMeta {
                namespace: object.namespace.clone(),
                name: Some(format!("{name}.{:x}", now.as_nanosecond())),
                ..ObjectMeta::default()
            },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(truncate(&told.finding.message, NOTE_LIMIT)),
            reason: Some(told.finding.reason.as_str().to_owned()),
            regarding: Some(object),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.to_string()),
            type_: Some(if told.warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        };
        if self.queue.try_send(event).is_err() {
            tracing::warn!(object = %key, reason = %told.finding.reason, "event dropped, too many are waiting");
        }
    }
}

/// Returns what names an object in an event.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    let metadata = object.meta();
    ObjectReference {
        api_version: Some(K::api_version(&()).into_owned()),
        kind: Some(K::kind(&()).into_owned()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        resource_version: metadata.resource_version.clone(),
        uid: metadata.uid.clone(),
        field_path: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_holds_what_differs_and_nothing_else() {
        let before = json!({"a": 1, "b": {"c": [1, 2], "d": 2}, "gone": 1});
        let after = json!({"a": 1, "b": {"c": [1, 3], "d": 2}, "new": {}});
        assert_eq!(
            difference(&before, &after),
            Some(json!({"b": {"c": [1, 3]}, "new": {}, "gone": null}))
        );
    }

    #[test]
    fn equal_states_need_no_patch() {
        let state = json!({"a": {"b": [1]}});
        assert_eq!(difference(&state, &state), None);
    }
}
