//! Waiting for many Syncs at once, by one watch.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, bail};
use flux_crds::Sync;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};

/// How long all of them get.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until `count` Syncs satisfy the condition, each at some moment since the call.
pub(super) async fn all(
    api: &Api<Sync>,
    count: usize,
    condition: impl Fn(&Sync) -> bool,
) -> Result<()> {
    let mut done = BTreeSet::new();
    let wait = async {
        let mut syncs = watcher(api.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        while let Some(sync) = syncs.try_next().await? {
            if condition(&sync) {
                done.insert(sync.name_any());
            }
            if done.len() >= count {
                return Ok(());
            }
        }
        bail!("the watch of the Syncs ended")
    };
    if let Ok(ended) = tokio::time::timeout(PATIENCE, wait).await {
        return ended;
    }
    bail!(
        "{} of {count} Syncs came to where they should within {PATIENCE:?}",
        done.len()
    )
}
