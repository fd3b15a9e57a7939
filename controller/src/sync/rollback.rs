//! When a failed revision is taken back, and what is written down before that begins.

use flux_core::conclude::{Finding, Outcome};
use flux_crds::sync::{HistoryEntry, Rollback, RolledBack, SyncResult};
use flux_crds::{Reason, Sync, SyncStatus, Time};
use jiff::Timestamp;

use super::course::{Course, enter, good};
use super::health::Verdict;
use super::memory::{Memory, write_inventory};
use super::record::{Done, Recorder};
use super::wakeups::token;

/// Bytes of the reason that the status keeps of a failure, as its schema allows.
const MESSAGE: usize = 4000;

/// Returns what failed and where to return to, if this attempt calls for it.
///
/// Only a cluster between two revisions is brought back: a refusal before the first write changed nothing. What may pass by
/// itself, such as a webhook that is not up yet, is tried again until `spec.timeout` is over. Without a good revision there
/// is nothing to return to, and what was applied stays.
pub(crate) fn due(sync: &Sync, memory: &Memory, done: &Done) -> Option<RolledBack> {
    let mode = sync.spec.rollback();
    if memory.course != Course::Newest || mode == Rollback::Never {
        return None;
    }
    let is_broken = match (&done.outcome, &done.health) {
        (_, Some(Verdict::Unhealthy(_))) => mode == Rollback::OnUnhealthy,
        // All of the new revision was applied: what is left is to delete what it dropped.
        (Outcome::Failed(finding), None) if finding.reason == Reason::PruneFailed => false,
        // Nothing of this revision was applied, and only this process knows for sure whether something of another was.
        (Outcome::Failed(finding), None) if finding.reason == Reason::HookFailed => {
            memory.half_way.is_some() && memory.wrote.is_some()
        }
        (Outcome::Failed(finding), None) => {
            finding.reason == Reason::ApplyFailed || memory.half_way.is_some()
        }
        // Nothing can be restored on a cluster that is away, and nothing says that the revision is to blame.
        (Outcome::Transient(finding), None) if finding.reason == Reason::ClusterUnreachable => {
            false
        }
        (Outcome::Transient(_), None) => {
            let timeout = sync.spec.timeout().unwrap_or_default();
            memory
                .half_way
                .is_some_and(|since| since.elapsed() > timeout)
        }
        _ => false,
    };
    let from = done.revision.clone()?;
    let good = good(&memory.status, mode).filter(|good| is_broken && good.revision != from)?;
    Some(RolledBack {
        from,
        to: good.revision.clone(),
        generation: sync.metadata.generation.unwrap_or_default(),
        request: token(&sync.metadata),
        message: flux_core::conclude::truncate(&done.outcome.finding().message, MESSAGE),
    })
}

/// Writes down that a revision failed and that another is being restored. From here on a controller that is killed goes on
/// with the restoring and does not try the failed one again.
pub(crate) async fn announce(
    recorder: &Recorder<'_>,
    memory: &mut Memory,
    failed: RolledBack,
    done: &Done,
) -> Result<(), kube::Error> {
    let message = format!("restoring {}: {} failed", failed.to, failed.from);
    let finding = Finding::new(Reason::Progressing, message);
    let before = recorder.status(memory, &Outcome::Progressing(finding));
    let mut status = SyncStatus {
        last_attempted_revision: Some(failed.from.clone()),
        inventory: write_inventory(&memory.inventory),
        failures: done.failures.clone(),
        ..before
    };
    enter(
        &mut status.history,
        HistoryEntry {
            revision: failed.from.clone(),
            digest: None,
            time: Time(Timestamp::now()),
            result: SyncResult::RolledBack,
        },
    );
    status.rolled_back = Some(failed);
    recorder.write(memory, status).await
}
