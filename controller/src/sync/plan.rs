//! From what is known to what has to be applied: the decisions are [`flux_core::plan`]'s.

use std::collections::HashSet;

use flux_core::drift::Ignore;
use flux_core::hash::owned_hash;
use flux_core::inventory::Inventory;
use flux_core::live::Metadata;
use flux_core::object::{Desired, ObjectId};
use flux_core::owner::Owner;
use flux_core::plan::{self, Action, Cause, Drift, DriftMode, Reason, Scope, Sight};
use flux_core::settings::{Settings, Ssa};
use flux_engine::cluster::survey::Survey;

/// What has to be done.
pub(crate) struct Work {
    /// The objects to apply.
    pub(crate) changed: Vec<Desired>,
    /// The objects that stay as they are.
    pub(crate) kept: Vec<ObjectId>,
    /// The objects of the inventory that left the source.
    pub(crate) stale: Vec<ObjectId>,
    /// The objects of the inventory that nobody watches over: the source says so, or they left it and stay all the same.
    pub(crate) left: Vec<ObjectId>,
    /// The objects that others changed or deleted and that are put back, and who.
    pub(crate) drifted: Vec<(ObjectId, Drift)>,
    /// The same of those that stay as they are, because the Sync only warns.
    pub(crate) reported: Vec<(ObjectId, Drift)>,
}

/// Tells whether an object of the inventory is as we left it.
pub(crate) fn is_intact(inventory: &Inventory, survey: &Survey, id: &ObjectId) -> bool {
    let record = inventory.get(id).and_then(|entry| entry.record);
    let live = survey.live.get(id).filter(|live| !live.is_terminating());
    record.is_some_and(|record| live.and_then(owned) == Some(record.owned))
}

/// Returns the hash of our entry in the managed fields.
pub(crate) fn owned(live: &Metadata) -> Option<u64> {
    owned_hash(&live.managed_fields)
}

/// Splits a build. Without a survey the records are trusted; with one, what the actor may not list is applied to verify it.
pub(crate) fn split(
    owner: &Owner,
    inventory: &Inventory,
    survey: Option<&Survey>,
    (drift, ignore, is_full): (DriftMode, &Ignore, bool),
    desired: Vec<Desired>,
) -> Work {
    let look = |id: &ObjectId| match survey {
        Some(survey) if survey.covers(id) && inventory.contains(id) => {
            survey.live.get(id).map_or(Sight::Absent, Sight::Live)
        }
        _ => Sight::Unseen,
    };
    let context = plan::Context {
        owner,
        inventory,
        look: &look,
        // Claims tell owners apart before anything is written.
        owner_exists: &|_| false,
        drift,
        ignore,
        scope: if is_full {
            Scope::Everything
        } else if survey.is_some() {
            Scope::Unverified
        } else {
            Scope::Changed
        },
        prune: true,
    };
    let mut drifted = Vec::new();
    let mut reported = Vec::new();
    let mut kept = Vec::new();
    let mut left = Vec::new();
    for step in plan::plan(&desired, &context).steps {
        if inventory.contains(&step.object.id) && asks_to_be_left(step.object) {
            left.push(step.object.id.clone());
        }
        match step.action {
            Action::Apply(Cause::Drifted(drift)) => drifted.push((step.object.id.clone(), drift)),
            Action::Report(drift) => {
                kept.push(step.object.id.clone());
                reported.push((step.object.id.clone(), drift));
            }
            // The dry-run refuses it with the right words.
            Action::Apply(_) | Action::Leave(Reason::Terminating) => {}
            Action::Skip
            | Action::Conflict(_)
            | Action::Leave(Reason::Disabled | Reason::Exists) => {
                kept.push(step.object.id.clone());
            }
        }
    }
    let stale = inventory.difference(&desired);
    let unchanged: HashSet<ObjectId> = kept.iter().cloned().collect();
    let changed = desired
        .into_iter()
        .filter(|object| !unchanged.contains(&object.id))
        .collect();
    Work {
        changed,
        kept,
        stale,
        left,
        drifted,
        reported,
    }
}

/// Tells whether the source itself says that an object is not to be reconciled.
fn asks_to_be_left(object: &Desired) -> bool {
    let settings = Settings::of(Some(&object.value), None);
    !settings.reconcile || settings.ssa == Ssa::Ignore
}
