//! What a reconcile leaves behind: status, history, event, log line.

use std::time::{Duration, Instant};

use flux_core::change::{self, Change};
use flux_core::conclude::{self, Event, Finding, Outcome, Pace};
use flux_core::redact::scrub;
use flux_crds::sync::{Failure, HistoryEntry, SyncResult};
use flux_crds::{Condition, ConditionType, Reason, Sync, SyncStatus, Time};
use flux_engine::cluster::Rejection;
use jiff::Timestamp;

use super::course::{self, Course};
use super::drift;
use super::halt::MESSAGE;
use super::health;
use super::memory::{Memory, digest, write_inventory};
use super::wakeups::token;
use crate::context::Context;
use crate::key::Key;
use crate::notify;
use crate::status;

/// Bytes of the list of changes in an event.
const CHANGES: usize = 960;
/// Time until a status that could not be written is tried again.
pub(crate) const STATUS_RETRY: Duration = Duration::from_secs(1);
/// The same where the right is missing, as it is to everybody while an API server starts.
const FORBIDDEN_RETRY: Duration = Duration::from_secs(5);
/// The same for one that the API server refuses, such as one that is too large.
const REFUSED_RETRY: Duration = Duration::from_mins(1);

/// Writes the status of one Sync.
pub(crate) struct Recorder<'a> {
    /// Where to write.
    pub(crate) context: &'a Context,
    /// The Sync as this reconcile saw it.
    pub(crate) sync: &'a Sync,
    /// Its key.
    pub(crate) key: &'a Key,
}

impl Recorder<'_> {
    /// Returns the status after `outcome`, but for what was applied.
    pub(crate) fn status(&self, memory: &Memory, outcome: &Outcome) -> SyncStatus {
        let generation = self.sync.metadata.generation;
        SyncStatus {
            observed_generation: generation,
            conditions: conclude::conditions(
                &memory.status.conditions,
                outcome,
                generation,
                Timestamp::now(),
            ),
            rolled_back: memory.course.rolled_back(),
            ..memory.status.clone()
        }
    }

    /// Writes it, if it is another than the one that stands there.
    pub(crate) async fn write(
        &self,
        memory: &mut Memory,
        status: SyncStatus,
    ) -> Result<(), kube::Error> {
        status::write::<Sync, _>(&self.context.client, self.key, &memory.status, &status).await?;
        memory.status = status;
        Ok(())
    }
}

/// What a reconcile did.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) failures: Vec<flux_crds::sync::Failure>,
    pub(crate) changes: Vec<Change>,
    pub(crate) revision: Option<String>,
    pub(crate) health: Option<health::Verdict>,
}

impl Done {
    /// Takes secret values out of all texts, for the API server repeats what it refuses, wherever it came from, and cuts what
    /// is too long.
    pub(crate) fn without(mut self, secrets: &[String]) -> Self {
        let clean = |text: &mut String| *text = scrub(text, secrets);
        clean(&mut self.outcome.finding_mut().message);
        for failure in &mut self.failures {
            clean(&mut failure.message);
            failure.message = conclude::truncate(&failure.message, MESSAGE);
        }
        if let Some(health::Verdict::Unhealthy(message)) = &mut self.health {
            clean(message);
        }
        self
    }
}

/// Writes what was found: status, event, log line. Returns how long to sleep.
pub(crate) async fn record(
    recorder: &Recorder<'_>,
    memory: &mut Memory,
    done: Done,
) -> Option<Duration> {
    let Recorder { context, sync, key } = recorder;
    let Done {
        outcome,
        failures,
        changes,
        revision,
        health,
    } = done;
    memory.failures = match &outcome {
        Outcome::Transient(_) | Outcome::Failed(_) => memory.failures.saturating_add(1),
        _ => 0,
    };
    memory.untold.extend(
        changes
            .iter()
            .filter(|change| change.action.is_change())
            .cloned(),
    );
    let event = event(&memory.concluded, &outcome, &memory.untold);
    notify(recorder, memory, &outcome, (revision.as_deref(), &failures));
    if matches!(outcome, Outcome::Ready(_)) {
        memory.untold.clear();
    }
    let mut status = recorder.status(memory, &outcome);
    if !matches!(outcome, Outcome::Progressing(_)) {
        memory.concluded.clone_from(&status.conditions);
        // One that something newer ended has handled nothing: the next one is about the same request.
        status.last_handled_reconcile = token(&sync.metadata).or(status.last_handled_reconcile);
    }
    status.failures = failures;
    status.notified.clone_from(&memory.notified);
    follow(&mut status, memory, &outcome, (revision, health.as_ref()));
    status.inventory = write_inventory(&memory.inventory);
    health::conclude(&mut status, sync, health.as_ref());
    drift::conclude(&mut status, sync, &memory.lookout);
    tell(recorder, &outcome, &changes);
    if let Some(event) = event {
        context.events.publish(*sync, &event);
    }
    // Nothing but bookkeeping must not stand in the way of Syncs that have something to apply.
    let turn = if !changes.is_empty() {
        None
    } else if status.last_handled_reconcile == memory.status.last_handled_reconcile {
        context.bookkeeping.acquire().await.ok()
    } else {
        context.echoes.acquire().await.ok()
    };
    if let Err(error) = recorder.write(memory, status).await {
        tracing::warn!(object = %key, error = %crate::report::chain(&error), "status not written");
        return Some(until_retry(&error));
    }
    drop(turn);
    let pace = Pace {
        interval: sync.spec.interval().unwrap_or(Duration::from_mins(10)),
        retry_interval: sync.spec.retry_interval().unwrap_or_default(),
        failures: memory.failures,
        jitter: Context::jitter(key),
    };
    pace.next(&outcome)
}

fn until_retry(error: &kube::Error) -> Duration {
    match error {
        kube::Error::Api(status) if Rejection::of(status).is_missing_right() => FORBIDDEN_RETRY,
        kube::Error::Api(status) if [400, 403, 413, 422].contains(&status.code) => REFUSED_RETRY,
        _ => STATUS_RETRY,
    }
}

/// Tells the receivers in `spec.notify`. After a rollback it is about the revision that failed.
fn notify(
    recorder: &Recorder<'_>,
    memory: &mut Memory,
    outcome: &Outcome,
    (revision, failures): (Option<&str>, &[Failure]),
) {
    let failed = memory.course.rolled_back().map(|failed| failed.from);
    let ended = notify::Ended {
        outcome,
        revision: failed.as_deref().or(revision),
        failures_in_a_row: memory.failures,
        changes: &memory.untold,
        failures,
    };
    notify::conclude(
        recorder.context,
        recorder.sync,
        &mut memory.notified,
        &ended,
    );
}

/// Puts into the status which revision was tried, and whether the cluster is equal to it.
fn follow(
    status: &mut SyncStatus,
    memory: &mut Memory,
    outcome: &Outcome,
    (revision, health): (Option<String>, Option<&health::Verdict>),
) {
    if let Course::RolledBack(failed) = &memory.course {
        // The history has it since the rollback began.
        if outcome.finding().reason == Reason::RolledBack {
            status.last_applied_revision = Some(failed.to.clone());
            memory.half_way = None;
            memory.inventory.settle();
        }
        return;
    }
    let Some(revision) = revision else {
        return;
    };
    status.last_attempted_revision = Some(revision.clone());
    if let Some(result) = result(outcome, health) {
        let is_applied = result != SyncResult::Failed;
        course::enter(
            &mut status.history,
            HistoryEntry {
                digest: is_applied.then(|| digest(&memory.inventory)),
                time: Time(Timestamp::now()),
                revision: revision.clone(),
                result,
            },
        );
        if is_applied {
            status.last_applied_revision = Some(revision);
            memory.half_way = None;
        }
        if is_applied && result != SyncResult::Superseded {
            memory.inventory.settle();
        }
    }
    if outcome.finding().reason == Reason::ApplyFailed {
        memory.half_way.get_or_insert_with(Instant::now);
    } else if outcome.finding().reason == Reason::ClusterUnreachable {
        // Time in which nothing could be tried does not count against the revision.
        memory.half_way = memory.half_way.map(|_| Instant::now());
    }
}

/// Returns how a revision ended, if it came to an end.
fn result(outcome: &Outcome, health: Option<&health::Verdict>) -> Option<SyncResult> {
    match (health, outcome) {
        (_, Outcome::Ready(_)) => Some(SyncResult::Applied),
        (Some(health::Verdict::Superseded), _) => Some(SyncResult::Superseded),
        (Some(_), _) => Some(SyncResult::Unhealthy),
        (None, Outcome::Failed(_)) => Some(SyncResult::Failed),
        (None, _) => None,
    }
}

/// Returns the event: what changed, or that readiness moved. A new revision in which nothing changed is no news.
fn event(previous: &[Condition], outcome: &Outcome, changes: &[Change]) -> Option<Event> {
    match outcome {
        Outcome::Ready(finding) if !changes.is_empty() => {
            let room = CHANGES.saturating_sub(finding.message.len());
            let message = format!("{}\n{}", finding.message, change::summary(changes, room));
            Some(Event {
                warning: false,
                finding: Finding::new(Reason::Applied, message),
            })
        }
        Outcome::Ready(_) => {
            let was_ready = conclude::is_true(previous, ConditionType::Ready);
            conclude::event(previous, outcome).filter(|_| !was_ready)
        }
        _ => conclude::event(previous, outcome),
    }
}

fn tell(recorder: &Recorder<'_>, outcome: &Outcome, changes: &[Change]) {
    let Finding { reason, message } = outcome.finding();
    let object = recorder.key;
    for change in changes.iter().filter(|change| change.action.is_change()) {
        tracing::debug!(%object, target_object = %change.id, action = change.action.as_str(), "object changed");
        recorder.context.metrics.changed(change.action.as_str(), 1);
    }
    let count = changes
        .iter()
        .filter(|change| change.action.is_change())
        .count();
    match outcome {
        Outcome::Ready(_) if count > 0 => {
            tracing::info!(%object, %reason, changed = count, %message, "sync applied");
        }
        Outcome::Ready(_) | Outcome::Progressing(_) | Outcome::Waiting(_) => {
            tracing::debug!(%object, %reason, %message, "sync looked at");
        }
        Outcome::Transient(_) | Outcome::Failed(_) => {
            tracing::warn!(%object, %reason, error = %message, "sync failed");
        }
        Outcome::Stalled(_) => tracing::error!(%object, %reason, error = %message, "sync stalled"),
    }
}
