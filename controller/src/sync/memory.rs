//! What a Sync remembers: in its status, which survives everything, and what only saves work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use flux_core::change::Change;
use flux_core::conclude::is_true;
use flux_core::hash::desired_hash;
use flux_core::inventory::{self, Entry, Inventory};
use flux_core::object::ObjectId;
use flux_crds::sync::{self, Rollback};
use flux_crds::{Condition, ConditionType, Notified, Reason, Sync, SyncStatus};
use flux_engine::cluster::Cluster;
use flux_kustomize::Read;
use serde_json::{Value, json};

use super::course::{Course, good};
use super::drift::Lookout;
use super::halt::Halt;
use super::health::Targets;
use super::hooks::Hooks;
use crate::remotes::Remote;
use crate::report::chain;

/// The memory of one Sync's task.
#[derive(Default)]
pub(crate) struct Memory {
    /// The uid of the object that this is about; another means another Sync under the same name.
    pub(crate) uid: Option<String>,
    /// The status as it was last written.
    pub(crate) status: SyncStatus,
    /// The inventory that stands in it.
    pub(crate) inventory: Inventory,
    /// Why the inventory in the status cannot be read. Until it can, nothing is done: what it names would be lost.
    pub(crate) unreadable: Option<String>,
    /// What the last build looked at. Only saves builds; without it the next reconcile builds.
    pub(crate) built: Option<Built>,
    /// The conditions of the last reconcile that came to an end: what events were told from. Progress in between would make
    /// every retry of the same failure news.
    pub(crate) concluded: Vec<Condition>,
    /// What the receivers in `spec.notify` were last told.
    pub(crate) notified: Option<Notified>,
    /// Changes of the cluster that no event has told of yet, because the reconcile that made them did not end well.
    pub(crate) untold: Vec<Change>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Which revision the last reconcile followed, and why.
    pub(crate) course: Course,
    /// Since when a revision has been applied in part: some of its objects, and not all.
    pub(crate) half_way: Option<Instant>,
    /// The connection to another cluster, so that it lasts from one reconcile to the next.
    pub(crate) remote: Option<Arc<Remote>>,
    /// Which desired state was last applied as a whole; not known after a restart.
    pub(crate) applied: Option<String>,
    /// The hooks of what is being applied, and where it goes, for the case that it fails.
    pub(crate) rescue: Option<(Cluster, Hooks)>,
    /// Whether our finalizer is known to be on the object.
    pub(crate) guarded: bool,
    /// When everything was last applied, needed or not.
    pub(crate) verified: Option<Instant>,
    /// When something was last applied; not known after a restart.
    pub(crate) wrote: Option<Instant>,
    /// What is watched for changes by others.
    pub(crate) lookout: Lookout,
}

/// What a build looked at, all of which was applied.
pub(crate) struct Built {
    /// The generation of the spec that it was made for.
    pub(crate) generation: Option<i64>,
    /// The files, directories and misses.
    pub(crate) reads: BTreeSet<Read>,
    /// What they were, as one number.
    pub(crate) print: u64,
    /// The objects to wait for, if the Sync waits.
    pub(crate) targets: Option<Targets>,
    /// The objects that need not be there, or as they were left: hooks, Jobs that the cluster deletes when they are done, and
    /// what nobody watches over.
    pub(crate) transient: BTreeSet<ObjectId>,
}

impl Memory {
    /// Starts from what the status says.
    pub(crate) fn of(sync: &Sync) -> Self {
        let status = sync.status.clone().unwrap_or_default();
        let (inventory, unreadable) = match read_inventory(&status) {
            Ok(inventory) => (inventory, None),
            Err(error) => (Inventory::default(), Some(chain(&error))),
        };
        let is_half_way = status.last_attempted_revision != status.last_applied_revision
            && good(&status, Rollback::OnFailure)
                .is_some_and(|good| good.digest != Some(digest(&inventory)));
        Self {
            uid: sync.metadata.uid.clone(),
            half_way: is_half_way.then(Instant::now),
            concluded: status.conditions.clone(),
            notified: status.notified.clone(),
            course: Course::before(sync, &status),
            lookout: Lookout::of(&status),
            status,
            inventory,
            unreadable,
            ..Self::default()
        }
    }
}

impl Memory {
    /// Tells whether the last reconcile ended well.
    pub(crate) fn is_ready(&self) -> bool {
        self.failures == 0 && is_true(&self.concluded, ConditionType::Ready)
    }

    /// Notes how an apply ended: one that changed something and did not come to its end leaves the cluster between two
    /// revisions, whatever stopped it. Where only deletions are left, all of the new one is there.
    pub(crate) fn has_ended(&mut self, result: &Result<(), Halt>, changes: &[Change]) {
        if let Err(halt) = result
            && halt.outcome.finding().reason != Reason::PruneFailed
            && changes.iter().any(|change| change.action.is_change())
        {
            self.half_way.get_or_insert_with(Instant::now);
        }
    }
}

/// Returns the objects that a Sync's status claims.
pub(crate) fn claimed(sync: &Sync) -> Vec<ObjectId> {
    let inventory = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref());
    let entries = inventory.map_or(&[][..], |inventory| &inventory.entries);
    entries
        .iter()
        .filter_map(|entry| ObjectId::parse_key(&entry.id).ok())
        .collect()
}

fn read_inventory(status: &SyncStatus) -> Result<Inventory, inventory::Error> {
    let read = status.inventory.as_ref().map(Inventory::from_status);
    read.unwrap_or_else(|| Ok(Inventory::default()))
}

/// Returns the inventory as it stands in the status.
pub(crate) fn write_inventory(inventory: &Inventory) -> Option<sync::Inventory> {
    (!inventory.is_empty()).then(|| inventory.to_status())
}

/// Returns one short text for all objects and their manifests: equal texts, equal desired state. Jobs without a record are
/// hooks, which are no part of it.
pub(crate) fn digest(inventory: &Inventory) -> String {
    let desired = |entry: &Entry| entry.record.map_or(0, |record| record.desired);
    let is_hook = |id: &ObjectId, entry: &Entry| id.is("batch", "Job") && entry.record.is_none();
    let all: Vec<Value> = inventory
        .0
        .iter()
        .filter(|(id, entry)| !is_hook(id, entry))
        .map(|(id, entry)| json!([id.key(), desired(entry)]))
        .collect();
    format!("{:016x}", desired_hash(&Value::Array(all)))
}
