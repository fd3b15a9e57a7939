//! Fields that `spec.drift.ignore` leaves to others, when an object is applied all the same.

use std::collections::HashSet;

use flux_core::drift::{Ignore, Lost, examine, yielding};
use flux_core::inventory::Inventory;
use flux_core::object::{Desired, ObjectId};
use flux_engine::cluster::repair::look;
use flux_engine::cluster::survey::Survey;
use flux_engine::cluster::transaction::Beside;
use flux_engine::cluster::{Cluster, Error};

/// Returns what happens to the fields beside ours: where one that could be ours is left to others, nothing.
pub(super) fn beside(yielded: &[Lost]) -> Beside {
    if yielded.is_empty() {
        Beside::TakenOver
    } else {
        Beside::Left
    }
}

/// Takes out of the objects what is left to whoever has it now, and returns the objects that this was done to. Only objects
/// that a rule is about are looked at.
pub(crate) async fn leave(
    target: &Cluster,
    (inventory, survey): (&Inventory, Option<&Survey>),
    ignore: &Ignore,
    changed: &mut [Desired],
) -> Result<HashSet<ObjectId>, Error> {
    let mut left = HashSet::new();
    for object in changed {
        // What was never applied has lost nothing.
        let was_applied = inventory
            .get(&object.id)
            .is_some_and(|entry| entry.record.is_some());
        if !was_applied || !ignore.is_about(object) {
            continue;
        }
        let known = survey.and_then(|survey| survey.live.get(&object.id));
        let live = match known {
            Some(live) => Some(live.clone()),
            None => look(target, &object.id).await?,
        };
        let Some(live) =
            live.filter(|live| flux_core::hash::owned_hash(&live.managed_fields).is_some())
        else {
            continue;
        };
        let mut yielded = examine(object, &live, ignore).yielded;
        // A field that is new in git is nobody's yet, and one that was removed is to come back.
        yielded.retain(|lost| !lost.managers.is_empty());
        if !yielded.is_empty() {
            left.insert(object.id.clone());
            *object = yielding(object.clone(), &yielded);
        }
    }
    Ok(left)
}
