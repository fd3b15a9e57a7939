//! One reconcile of a Sync, as a list of steps.

use std::time::{Duration, Instant};

use flux_core::change::{self, Change};
use flux_core::conclude::{self, Event, Finding, Outcome, Pace};
use flux_core::object::ObjectId;
use flux_core::plan::{Drift, Guard};
use flux_crds::sync::{HistoryEntry, SyncResult};
use flux_crds::{Condition, ConditionType, Reason, Sync, SyncStatus, Time};
use flux_engine::cluster::survey::{Survey, survey};
use jiff::Timestamp;

use super::build::{self, owner};
use super::gather::{Gathered, gather};
use super::halt::Halt;
use super::memory::{Built, Memory, digest, write_inventory};
use super::transact::Transact;
use super::wakeups::{Situation, Wakeups, token};
use super::{finalize, health, plan};
use crate::context::Context;
use crate::key::Key;
use crate::status;

/// Entries of `status.history`.
const HISTORY: usize = 10;
/// Bytes of the list of changes in an event.
const CHANGES: usize = 960;
/// Drifted objects that an event names.
const DRIFTED: usize = 10;
/// Time until a status that could not be written is tried again.
const STATUS_RETRY: Duration = Duration::from_secs(1);

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
struct Done {
    outcome: Outcome,
    failures: Vec<flux_crds::sync::Failure>,
    changes: Vec<Change>,
    revision: Option<String>,
    attempted: bool,
    health: Option<health::Verdict>,
}

/// Why a reconcile runs, as far as it decides how closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The interval is over, someone asked, or the last one failed: look at the cluster.
    Verify,
    /// Only the source moved: what nobody touched in git need not be looked at.
    Moved,
}

/// Reconciles once and returns how long to sleep if nothing else happens.
pub(crate) async fn reconcile(
    context: &Context,
    sync: &Sync,
    memory: &mut Memory,
    wakeups: &mut Wakeups,
    (cause, seen): (Cause, &Situation),
) -> Option<Duration> {
    let key = Key::of(&sync.metadata);
    let recorder = Recorder {
        context,
        sync,
        key: &key,
    };
    if sync.metadata.deletion_timestamp.is_some() {
        return finalize::finalize(&recorder, memory).await;
    }
    if sync.spec.is_suspended() {
        return suspended(&recorder, memory).await;
    }
    let started = Instant::now();
    let run = Run {
        context,
        sync,
        key: &key,
        recorder: &recorder,
    };
    let done = run.steps(memory, wakeups, cause, seen).await;
    let reason = done.outcome.finding().reason;
    let took = started.elapsed();
    let pace = record(&recorder, memory, done).await;
    context.metrics.reconciled("Sync", reason, took);
    pace
}

/// A suspended Sync only echoes the token, so that nobody waits in vain.
async fn suspended(recorder: &Recorder<'_>, memory: &mut Memory) -> Option<Duration> {
    let mut status = memory.status.clone();
    status.observed_generation = recorder.sync.metadata.generation;
    status.last_handled_reconcile =
        token(&recorder.sync.metadata).or(status.last_handled_reconcile);
    if let Err(error) = recorder.write(memory, status).await {
        tracing::warn!(object = %recorder.key, error = %crate::report::chain(&error), "status not written");
        return Some(STATUS_RETRY);
    }
    None
}

struct Run<'a> {
    context: &'a Context,
    sync: &'a Sync,
    key: &'a Key,
    recorder: &'a Recorder<'a>,
}

impl Run<'_> {
    async fn steps(
        &self,
        memory: &mut Memory,
        wakeups: &mut Wakeups,
        cause: Cause,
        seen: &Situation,
    ) -> Done {
        let mut changes = Vec::new();
        let mut revision = None;
        let mut health = None;
        let applied = async {
            let gathered = gather(self.context, self.sync, wakeups.served()).await?;
            revision = Some(gathered.snapshot.revision.clone());
            finalize::ensure(self.context, self.sync, memory).await?;
            let work = self.context.work.acquire().await;
            let targets = self.apply(memory, &gathered, cause, &mut changes).await?;
            drop(work);
            if let Some(targets) = targets {
                let wait = health::Wait {
                    recorder: self.recorder,
                    cluster: &gathered.cluster,
                    revision: &gathered.snapshot.revision,
                };
                health = Some(wait.run(memory, targets, wakeups, seen).await?);
            }
            Ok(gathered.snapshot.revision.clone())
        };
        match applied.await {
            Ok(applied) => {
                let failed = health.as_ref().and_then(health::Verdict::failure);
                let finding = Finding::new(Reason::Applied, format!("Applied revision: {applied}"));
                let outcome = failed.unwrap_or(Outcome::Ready(finding));
                Done {
                    outcome,
                    failures: Vec::new(),
                    changes,
                    revision,
                    attempted: true,
                    health,
                }
            }
            Err(Halt { outcome, failures }) => {
                let attempted = revision.is_some();
                Done {
                    outcome,
                    failures,
                    changes,
                    revision,
                    attempted,
                    health,
                }
            }
        }
    }

    /// Builds, plans and applies. Returns what to wait for, if the Sync waits at all.
    async fn apply(
        &self,
        memory: &mut Memory,
        gathered: &Gathered,
        cause: Cause,
        changes: &mut Vec<Change>,
    ) -> Result<Option<health::Targets>, Halt> {
        let Gathered { snapshot, cluster } = gathered;
        let untouched = self.is_untouched(memory, gathered);
        if untouched && cause == Cause::Moved {
            return Ok(None);
        }
        let survey = match cause {
            Cause::Verify => Some(self.survey(memory, gathered).await?),
            Cause::Moved => None,
        };
        let intact = |survey: &Survey| {
            memory
                .inventory
                .0
                .keys()
                .all(|id| plan::is_intact(&memory.inventory, survey, id))
        };
        if untouched && survey.as_ref().is_some_and(intact) {
            return Ok(health::targets(
                self.sync,
                memory
                    .inventory
                    .0
                    .iter()
                    .map(|(id, entry)| (id, entry.version.as_str())),
            ));
        }
        let made = build::build(self.sync, snapshot, cluster).await?;
        let targets = health::targets(
            self.sync,
            made.desired
                .iter()
                .map(|desired| (&desired.id, desired.version())),
        );
        let guard = Guard::of(self.sync.spec.prune_guard.as_ref());
        if self.sync.spec.prunes() {
            guard
                .check(&memory.inventory, &made.desired)
                .map_err(|refusal| {
                    Halt::failed(
                        Reason::PruneRefused,
                        format!("{}: {refusal}", snapshot.revision),
                    )
                })?;
        }
        let owner = owner(self.sync);
        let work = plan::split(&owner, &memory.inventory, survey.as_ref(), made.desired);
        self.tell_drift(&work.drifted);
        let transact = Transact {
            sync: self.sync,
            key: self.key,
            revision: &snapshot.revision,
            cluster,
            claims: &self.context.claims,
            recorder: self.recorder,
        };
        memory.built = None;
        let (done, result) = transact.run(memory, work.changed, &work.kept).await;
        *changes = done;
        result?;
        memory.built = Some(Built {
            generation: self.sync.metadata.generation,
            reads: made.reads,
            print: made.print,
            applied: true,
        });
        Ok(targets)
    }

    /// Tells whether nothing that the last build looked at has moved, and all of it was applied.
    fn is_untouched(&self, memory: &Memory, gathered: &Gathered) -> bool {
        let generation = self.sync.metadata.generation;
        let Gathered { snapshot, .. } = gathered;
        memory.built.as_ref().is_some_and(|built| {
            built.applied
                && built.generation == generation
                && built.print == build::print(&snapshot.tree, snapshot.view, &built.reads)
        })
    }

    /// Publishes what others changed and is now put back.
    fn tell_drift(&self, drifted: &[(ObjectId, Drift)]) {
        if drifted.is_empty() {
            return;
        }
        let lines = drifted.iter().take(DRIFTED).map(|(id, drift)| match drift {
            Drift::Missing => format!("{id} was deleted"),
            Drift::Fields { managers } if managers.is_empty() => format!("{id} was changed"),
            Drift::Fields { managers } => format!("{id} was changed by {}", managers.join(", ")),
        });
        let mut message = format!(
            "putting back {} objects:\n{}",
            drifted.len(),
            lines.collect::<Vec<_>>().join("\n")
        );
        if drifted.len() > DRIFTED {
            message.push_str("\n…");
        }
        tracing::info!(object = %self.key, drifted = drifted.len(), "drift found");
        let finding = Finding::new(Reason::Drifted, message);
        self.context.events.publish(
            self.sync,
            &Event {
                warning: true,
                finding,
            },
        );
    }

    async fn survey(&self, memory: &Memory, gathered: &Gathered) -> Result<Survey, Halt> {
        survey(
            &gathered.cluster,
            &owner(self.sync),
            memory.inventory.0.keys(),
        )
        .await
        .map_err(|error| Halt::cluster("list what lives", &error))
    }
}

/// Writes what was found: status, event, log line. Returns how long to sleep.
async fn record(recorder: &Recorder<'_>, memory: &mut Memory, done: Done) -> Option<Duration> {
    let Recorder { context, sync, key } = recorder;
    let Done {
        outcome,
        failures,
        changes,
        revision,
        attempted,
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
    if matches!(outcome, Outcome::Ready(_)) {
        memory.untold.clear();
    }
    let mut status = recorder.status(memory, &outcome);
    if !matches!(outcome, Outcome::Progressing(_)) {
        memory.concluded.clone_from(&status.conditions);
    }
    status.failures = failures;
    status.inventory = write_inventory(&memory.inventory);
    status.last_handled_reconcile = token(&sync.metadata).or(status.last_handled_reconcile);
    if attempted {
        status.last_attempted_revision.clone_from(&revision);
    }
    let applied = matches!(outcome, Outcome::Ready(_)) || health.is_some();
    if let Some(revision) = revision.filter(|_| applied) {
        remember(&mut status, &revision, &outcome, memory);
        status.last_applied_revision = Some(revision);
    }
    health::conclude(&mut status, sync, health.as_ref());
    tell(recorder, &outcome, &changes);
    if let Some(event) = event {
        context.events.publish(*sync, &event);
    }
    // Nothing but bookkeeping must not stand in the way of Syncs that have something to apply.
    let turn = if changes.is_empty() {
        context.bookkeeping.acquire().await.ok()
    } else {
        None
    };
    if let Err(error) = recorder.write(memory, status).await {
        tracing::warn!(object = %key, error = %crate::report::chain(&error), "status not written");
        return Some(STATUS_RETRY);
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

/// Adds to the history, newest first. What is as before only moves its revision and time, so that a long calm is one entry.
fn remember(status: &mut SyncStatus, revision: &str, outcome: &Outcome, memory: &Memory) {
    let result = match outcome {
        Outcome::Ready(_) => SyncResult::Applied,
        _ => SyncResult::Unhealthy,
    };
    let digest = Some(digest(&memory.inventory));
    if let Some(newest) = status.history.first_mut()
        && newest.digest == digest
        && newest.result == result
    {
        if newest.revision != revision {
            revision.clone_into(&mut newest.revision);
            newest.time = Time(Timestamp::now());
        }
        return;
    }
    let entry = HistoryEntry {
        revision: revision.to_owned(),
        digest,
        time: Time(Timestamp::now()),
        result,
    };
    status.history.insert(0, entry);
    status.history.truncate(HISTORY);
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
            let ready = conclude::condition(previous, ConditionType::Ready);
            let was_ready = ready.is_some_and(|ready| ready.status == "True");
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
