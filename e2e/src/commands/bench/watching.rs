//! Waiting for many objects at once, by one watch.

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use anyhow::{Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, Resource, ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};
use serde::de::DeserializeOwned;

/// How long all of them get.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until `count` objects satisfy the condition, each at some moment since the call.
pub(super) async fn all<K>(api: &Api<K>, count: usize, condition: impl Fn(&K) -> bool) -> Result<()>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut done = BTreeSet::new();
    let wait = async {
        let mut objects = watcher(api.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        while let Some(object) = objects.try_next().await? {
            if condition(&object) {
                done.insert(object.name_any());
            }
            if done.len() >= count {
                return Ok(());
            }
        }
        bail!("the watch ended")
    };
    if let Ok(ended) = tokio::time::timeout(PATIENCE, wait).await {
        return ended;
    }
    bail!(
        "{} of {count} objects came to where they should within {PATIENCE:?}",
        done.len()
    )
}
