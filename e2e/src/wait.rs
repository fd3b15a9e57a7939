//! Waiting for what an object becomes, without polling and without `sleep`.

use std::{fmt::Debug, time::Duration};

use anyhow::{Context, Result, bail};
use futures::StreamExt as _;
use kube::{Api, Resource, runtime::watcher::watch_object};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How long an object gets to become what is waited for.
pub const PATIENCE: Duration = Duration::from_mins(3);
/// Time until a watch that broke off is opened again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A condition in the status of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether its status is `True`.
    pub holds: bool,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, in words.
    pub message: String,
}

/// Waits until the object satisfies `condition`, for at most [`PATIENCE`], and returns it.
///
/// # Errors
/// When time is up; the message then has the object as it was last seen.
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    what: &str,
    condition: impl Fn(&K) -> bool,
) -> Result<K>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    match watch(api, name, |object| object.is_some_and(&condition)).await? {
        Ok(Some(object)) => Ok(object),
        Ok(None) => bail!("{name} was met and lost"),
        Err(last) => bail!(
            "{name} never {what} within {PATIENCE:?}; it was last seen as\n{}",
            show(&last)?
        ),
    }
}

/// Waits until the object is gone, for at most [`PATIENCE`].
pub async fn until_gone<K>(api: &Api<K>, name: &str) -> Result<()>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    match watch(api, name, |object| object.is_none()).await? {
        Ok(_) => Ok(()),
        Err(last) => bail!(
            "{name} is still there after {PATIENCE:?}:\n{}",
            show(&last)?
        ),
    }
}

/// Watches until `done`; `Err` holds the last state when time was up.
async fn watch<K>(
    api: &Api<K>,
    name: &str,
    done: impl Fn(Option<&K>) -> bool,
) -> Result<std::result::Result<Option<K>, Option<K>>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut states = watch_object(api.clone(), name).boxed();
    let mut last = None;
    let seen = async {
        while let Some(state) = states.next().await {
            // The API server may be away for a while; the watcher comes back to it.
            let Ok(state) = state else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            if done(state.as_ref()) {
                return Some(state);
            }
            last = state;
        }
        None
    };
    match tokio::time::timeout(PATIENCE, Box::pin(seen)).await {
        Ok(Some(state)) => Ok(Ok(state)),
        Ok(None) => bail!("the watch of {name} ended"),
        Err(_) => Ok(Err(last)),
    }
}

fn show(object: &impl Serialize) -> Result<String> {
    let mut value = serde_json::to_value(object).context("write the object")?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    serde_json::to_string_pretty(&value).context("write the object")
}

/// Returns a condition of any object that has them.
pub fn condition(object: &impl Serialize, name: &str) -> Option<Condition> {
    let object = serde_json::to_value(object).ok()?;
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions
        .iter()
        .find(|condition| condition.get("type").is_some_and(|kind| kind == name))?;
    let text = |field: &str| {
        found
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let status = text("status");
    Some(Condition {
        holds: status == "True",
        status,
        reason: text("reason"),
        message: text("message"),
    })
}

/// Tells whether the object is Ready in its present generation.
pub fn is_ready(object: &impl Serialize) -> bool {
    is_observed(object) && condition(object, "Ready").is_some_and(|ready| ready.holds)
}

/// Tells whether the object's present generation was found not Ready, for this reason.
pub fn has_failed(object: &impl Serialize, reason: &str) -> bool {
    is_observed(object)
        && condition(object, "Ready")
            .is_some_and(|ready| ready.status == "False" && ready.reason == reason)
}

/// Tells whether status speaks of the present generation.
fn is_observed(object: &impl Serialize) -> bool {
    let Ok(object) = serde_json::to_value(object) else {
        return false;
    };
    let observed = object
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    observed.is_some()
        && observed
            == object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(generation: i64, status: &str) -> Value {
        serde_json::json!({
            "metadata": {"generation": generation},
            "status": {
                "observedGeneration": 2,
                "conditions": [{"type": "Ready", "status": status, "reason": "Because", "message": "so"}],
            },
        })
    }

    #[test]
    fn ready_counts_for_the_present_generation_only() {
        assert!(is_ready(&object(2, "True")));
        assert!(
            !is_ready(&object(3, "True")),
            "status is of an older generation"
        );
        assert!(!is_ready(&object(2, "False")));
        assert!(
            has_failed(&object(2, "False"), "Because") && !has_failed(&object(2, "False"), "Other")
        );
        assert!(
            !is_ready(&serde_json::json!({"metadata": {"generation": 1}})),
            "no status yet"
        );
    }
}
