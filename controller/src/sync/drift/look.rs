//! A closer look at objects that were seen otherwise than we left them.

use flux_core::hash::owned_hash;
use flux_core::inventory::Inventory;
use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_core::owner::Owner;
use flux_core::settings::Settings;
use flux_engine::cluster::{Cluster, Error, repair};
use futures::{FutureExt as _, StreamExt as _, stream};

/// Looks under way at once.
const AT_ONCE: usize = 16;

/// What a look at an object found.
#[derive(Debug)]
pub(super) enum Found {
    /// It is as we left it, or asks to be left alone. Its hash is that of our entry.
    Fine(Option<u64>),
    /// It is on its way out; its end will be seen.
    Leaving,
    /// It does not exist.
    Missing,
    /// It is another than we left it.
    Changed(Box<Metadata>),
    /// Nobody knows.
    Unknown(Error),
}

/// Looks at each object by its name: one that lost our label is not in any list of ours.
pub(super) async fn look(
    cluster: &Cluster,
    inventory: &Inventory,
    owner: &Owner,
    suspects: Vec<ObjectId>,
) -> Vec<(ObjectId, Found)> {
    let looks = suspects.into_iter().map(|id| {
        let recorded = inventory.get(&id).and_then(|entry| entry.record);
        async move {
            let found = match repair::look(cluster, &id).await {
                Err(error) => Found::Unknown(error),
                Ok(None) => Found::Missing,
                Ok(Some(live)) => judge(live, recorded.map(|record| record.owned), owner),
            };
            (id, found)
        }
        .boxed()
    });
    stream::iter(looks.collect::<Vec<_>>())
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

fn judge(live: Metadata, recorded: Option<u64>, owner: &Owner) -> Found {
    let is_ours = Owner::of(&live.labels).as_ref() == Some(owner);
    let hash = owned_hash(&live.managed_fields);
    if recorded.is_some() && hash == recorded && is_ours {
        return Found::Fine(hash);
    }
    if !Settings::of(None, Some(&live)).reconcile {
        return Found::Fine(hash);
    }
    if live.is_terminating() {
        return Found::Leaving;
    }
    Found::Changed(Box::new(live))
}
