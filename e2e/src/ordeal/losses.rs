//! What must never happen, whatever fails.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use flux_crds::Sync;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _};

use super::{Ordeal, STRANGERS, SYNC};

/// What is lost for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// Objects that were in no inventory and are gone.
    pub objects: BTreeSet<String>,
    /// Objects that were applied and are in no inventory.
    pub entries: BTreeSet<String>,
}

impl Losses {
    /// Tells whether nothing is lost.
    pub fn are_none(&self) -> bool {
        self.objects.is_empty() && self.entries.is_empty()
    }

    /// Adds what was found lost another time.
    pub(super) fn add(&mut self, Self { objects, entries }: Self) {
        self.objects.extend(objects);
        self.entries.extend(entries);
    }
}

impl Ordeal {
    /// Looks whether all that was applied is in the inventory, and all that was never ours is still there.
    ///
    /// The controller may be at work meanwhile.
    pub async fn losses(&self) -> Result<Losses> {
        let maps: Api<ConfigMap> = self.namespace.api();
        let mut losses = Losses {
            entries: self.lost_entries().await?,
            ..Losses::default()
        };
        for name in STRANGERS {
            let stranger = maps.get_opt(name).await.context("look for a stranger")?;
            if stranger.is_none() {
                losses.objects.insert(name.to_owned());
            }
        }
        Ok(losses)
    }

    async fn lost_entries(&self) -> Result<BTreeSet<String>> {
        let syncs = self.syncs();
        let sync = || async { syncs.get(SYNC).await.context("read the Sync") };
        loop {
            let before = sync().await?;
            let live = self.live().await?;
            let after = sync().await?;
            // Only what was seen between two equal inventories can be held against one.
            if before.resource_version() == after.resource_version() {
                let known = inventory(&after);
                return Ok(live
                    .into_keys()
                    .filter(|name| !known.contains(name))
                    .collect());
            }
        }
    }
}

/// Returns the names in the inventory, whatever they are names of.
pub fn inventory(sync: &Sync) -> BTreeSet<String> {
    let inventory = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref());
    let entries = inventory.map(|inventory| inventory.entries.as_slice());
    let name = |id: &str| id.split('_').nth(1).unwrap_or_default().to_owned();
    let entries = entries.unwrap_or_default().iter();
    entries.map(|entry| name(&entry.id)).collect()
}
