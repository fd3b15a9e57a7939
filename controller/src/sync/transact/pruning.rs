//! The end of a transaction: what left the source is deleted.

use flux_core::change::{Action, Change};
use flux_core::inventory::Inventory;
use flux_core::object::ObjectId;
use flux_crds::Reason;
use flux_crds::sync::Failure;
use flux_engine::cluster::prune::{Pruned, prune};

use super::Transact;
use crate::claims::Claims;
use crate::key::Key;
use crate::report::chain;
use crate::sync::build::owner;
use crate::sync::halt::Halt;
use crate::sync::memory::Memory;

impl Transact<'_> {
    /// Deletes what is no longer wanted, or hands it over to a Sync that waits for it.
    pub(super) async fn prune(
        &self,
        memory: &mut Memory,
        stale: &[ObjectId],
        changes: &mut Vec<Change>,
    ) -> Result<(), Halt> {
        let mut ours = Vec::with_capacity(stale.len());
        for id in stale {
            match self.claims.hand_over(self.key, id) {
                Some(heir) => {
                    tracing::info!(object = %id, %heir, "handed over to another Sync");
                    memory.inventory.remove(id);
                }
                None => ours.push(id.clone()),
            }
        }
        let pruned = prune(self.cluster, &owner(self.sync), &ours).await;
        let failures = settle(
            self.key,
            self.claims,
            &mut memory.inventory,
            pruned,
            changes,
        );
        if failures.is_empty() {
            return Ok(());
        }
        let headline = format!(
            "applied {}, but could not delete what left it",
            self.revision
        );
        Err(Halt::list(Reason::PruneFailed, &headline, failures))
    }
}

/// Takes what is gone out of the inventory and returns what could not be deleted, which stays in it.
pub(crate) fn settle(
    key: &Key,
    claims: &Claims,
    inventory: &mut Inventory,
    pruned: Vec<(ObjectId, Pruned)>,
    changes: &mut Vec<Change>,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (id, pruned) in pruned {
        match pruned {
            Pruned::Failed(error) => {
                failures.push(Failure {
                    object: Some(id.to_string()),
                    source: None,
                    reason: Reason::PruneFailed.to_string(),
                    message: chain(&error),
                });
                continue;
            }
            Pruned::Deleted => changes.push(Change {
                id: id.clone(),
                action: Action::Deleted,
            }),
            Pruned::Kept => changes.push(Change {
                id: id.clone(),
                action: Action::Skipped,
            }),
            Pruned::Gone | Pruned::Released => {}
        }
        inventory.remove(&id);
        claims.release(key, &id);
    }
    failures
}
