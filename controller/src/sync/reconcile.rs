//! One reconcile of a Sync, as a list of steps.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_core::change::Change;
use flux_crds::Sync;
use flux_crds::sync::{DriftMode, HookPhase, RolledBack};
use flux_engine::cluster::survey::{Survey, survey};

use super::build::{self, owner};
use super::course::{self, Course};
use super::gather::{Gathered, gather};
use super::halt::Halt;
use super::health::Targets;
use super::hooks::Hooks;
use super::memory::Memory;
use super::pace::{Pace, Workplace};
use super::record::{Done, Recorder, STATUS_RETRY, record};
use super::target::place;
use super::transact::Transact;
use super::wakeups::{Situation, Wakeups, token};
use super::{drift, finalize, health, moved, plan, rollback};
use crate::context::Context;
use crate::key::Key;
use crate::notify;
use crate::remotes::Remote;

mod around;
mod decide;
mod unreadable;

/// Time between two looks at everything that lives, however long the interval.
const HOUR: Duration = Duration::from_hours(1);
/// Time between two applies of everything, needed or not.
const DAY: Duration = Duration::from_hours(24);
/// Part of both over which they are spread, so that not all Syncs look at once.
const SPREAD: f64 = 0.1;

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
    if memory.unreadable.is_some() {
        // Someone may have put it right.
        *memory = Memory::of(sync);
    }
    if let Some(error) = memory.unreadable.clone() {
        return unreadable::refuse(&recorder, memory, &error).await;
    }
    if sync.metadata.deletion_timestamp.is_some() {
        memory.lookout.disarm();
        return finalize::finalize(&recorder, memory).await;
    }
    if sync.spec.is_suspended() {
        memory.lookout.disarm();
        return suspended(&recorder, memory).await;
    }
    let started = Instant::now();
    notify::examine(context, sync, memory.status.observed_generation);
    let run = Run {
        context,
        sync,
        key: &key,
        recorder: &recorder,
    };
    let done = run.steps(memory, wakeups, cause, seen).await;
    memory.lookout.arm(context, sync, &memory.inventory);
    let reason = done.outcome.finding().reason;
    let took = started.elapsed();
    let is_applied = memory.built.is_some() && drift::mode(sync) != DriftMode::Ignore;
    let pace = record(&recorder, memory, done).await;
    context.metrics.reconciled("Sync", reason, took);
    let hour = HOUR.mul_f64(1.0 + SPREAD * Context::jitter(&key));
    // Events can be missed; a list now and then shows what they did not.
    pace.map(|pace| if is_applied { pace.min(hour) } else { pace })
}

/// A suspended Sync only echoes the token, so that nobody waits in vain.
async fn suspended(recorder: &Recorder<'_>, memory: &mut Memory) -> Option<Duration> {
    memory.remote = None;
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

/// What to wait for after an apply, and what runs then.
type Applied = (Option<Targets>, Hooks);

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
        let tried = self.attempt(memory, wakeups, cause, seen).await;
        match rollback::due(self.sync, memory, &tried) {
            None => tried,
            Some(failed) => self.roll_back(memory, wakeups, seen, (failed, tried)).await,
        }
    }

    /// Writes down what failed, so that it is not tried again whatever happens next, and returns to the last good revision.
    async fn roll_back(
        &self,
        memory: &mut Memory,
        wakeups: &mut Wakeups,
        seen: &Situation,
        (failed, tried): (RolledBack, Done),
    ) -> Done {
        tracing::warn!(object = %self.key, from = %failed.from, to = %failed.to, error = %failed.message, "rolling back");
        self.rescue(memory).await;
        if let Err(error) = rollback::announce(self.recorder, memory, failed, &tried).await {
            tracing::warn!(object = %self.key, error = %crate::report::chain(&error), "rollback not announced, tried again later");
            return tried;
        }
        let mut done = self.attempt(memory, wakeups, Cause::Verify, seen).await;
        let mut changes = tried.changes;
        changes.append(&mut done.changes);
        Done { changes, ..done }
    }

    async fn attempt(
        &self,
        memory: &mut Memory,
        wakeups: &mut Wakeups,
        cause: Cause,
        seen: &Situation,
    ) -> Done {
        let mut changes = Vec::new();
        let mut revision = None;
        let mut health = None;
        let mut inputs = None;
        memory.rescue = None;
        let applied = async {
            let gathered =
                gather(self.context, self.sync, &memory.status, wakeups.served()).await?;
            revision = Some(gathered.snapshot.revision.clone());
            inputs = Some(Arc::clone(&gathered.inputs));
            wakeups.has_read(&gathered.versions);
            memory.course.clone_from(&gathered.course);
            memory.remote.clone_from(&gathered.remote);
            self.context.claims.settle(self.key, place(self.sync));
            course::remember(self.context, self.sync, &memory.status);
            moved::note(self.recorder, memory, gathered.remote.as_deref()).await?;
            finalize::ensure(self.context, self.sync, memory).await?;
            let news = (&mut *wakeups, seen);
            let terms = (&gathered.rules, health::limit(self.sync));
            let workplace = Workplace {
                work: &self.context.work,
                cluster: gathered.remote.as_deref().map(Remote::digest),
            };
            let mut pace = Pace::begin(news, terms, workplace).await;
            if memory.status.last_applied_revision.is_some() {
                memory.lookout.aim(&gathered.cluster);
            }
            let course = (&mut pace, cause);
            let applied = self.apply(memory, &gathered, course, &mut changes).await?;
            memory.lookout.aim(&gathered.cluster);
            memory
                .lookout
                .arm(self.context, self.sync, &memory.inventory);
            pace.rest();
            health = self.after(memory, &gathered, &mut pace, applied).await?;
            Ok(gathered.snapshot.revision.clone())
        };
        let applied = applied.await;
        if around::has_failed(&applied, health.as_ref()) {
            self.rescue(memory).await;
        }
        let (outcome, failures) = match applied {
            Ok(applied) => {
                let unhealthy = health.as_ref().and_then(health::Verdict::failure);
                memory.course.conclude(&applied, unhealthy, &memory.status)
            }
            Err(halt) => memory.course.explain(halt),
        };
        let done = Done {
            outcome,
            failures,
            changes,
            revision,
            health,
        };
        let secrets = inputs.map(|inputs| inputs.secrets());
        done.without(&secrets.unwrap_or_default())
    }

    /// Builds, plans and applies. Returns what to wait for, if the Sync waits at all.
    async fn apply(
        &self,
        memory: &mut Memory,
        gathered: &Gathered,
        (pace, cause): (&mut Pace<'_>, Cause),
        changes: &mut Vec<Change>,
    ) -> Result<Applied, Halt> {
        let Gathered {
            snapshot, cluster, ..
        } = gathered;
        let untouched = self.is_untouched(memory, gathered);
        if untouched && cause == Cause::Moved {
            return Ok(Applied::default());
        }
        let survey = match cause {
            Cause::Verify => Some(self.survey(memory, gathered).await?),
            Cause::Moved => None,
        };
        let is_full = cause == Cause::Verify && self.is_full_due(memory);
        if untouched && !is_full && is_intact(memory, survey.as_ref()) {
            let targets = memory
                .built
                .as_ref()
                .and_then(|built| built.targets.clone());
            memory
                .lookout
                .has_surveyed(survey.as_ref(), &[], Vec::new());
            return Ok((targets, Hooks::default()));
        }
        let mut made = build::build(self.context, self.sync, gathered).await?;
        let targets = health::targets(self.sync, &made.desired);
        let mut built = self.built(&mut made, targets.clone());
        let is_rollback = matches!(memory.course, Course::RolledBack(_));
        if self.sync.spec.prunes() {
            self.guard(memory, &snapshot.revision, &made)?;
        }
        let mut transact = Transact {
            sync: self.sync,
            key: self.key,
            revision: &snapshot.revision,
            cluster,
            claims: &self.context.claims,
            recorder: self.recorder,
            yielding: HashSet::new(),
            hooks: &made.hooks,
            waves: self.waves(memory, &snapshot.revision, &made),
        };
        if !is_rollback {
            memory.rescue = Some((cluster.clone(), made.hooks.clone()));
        }
        let is_due = !is_rollback && made.hooks.are_due(memory, HookPhase::PostSync);
        let after =
            is_due.then(|| Targets::own(self.sync, made.desired.iter()).and_named(self.sync));
        let known = (survey.as_ref(), is_full);
        let mut work = self.plan(memory, known, (made.desired, &made.hooks));
        built.transient.extend(work.left.iter().cloned());
        let known = (&memory.inventory, survey.as_ref());
        transact.yielding = self.leave(cluster, known, &mut work.changed).await?;
        memory.built = None;
        let drifted = std::mem::take(&mut work.drifted);
        let (done, result) = transact.run(memory, pace, work).await;
        *changes = done;
        drift::tell_repaired(self.context, self.sync, (drifted, changes));
        memory.has_ended(&result, changes);
        result?;
        if is_full {
            memory.verified = Some(Instant::now());
        }
        memory.built = Some(built);
        memory.applied = Some(made.hooks.state.clone());
        Ok((after.or(targets), made.hooks))
    }

    /// Tells whether nothing that the last build looked at has moved, and all of it was applied.
    fn is_untouched(&self, memory: &Memory, gathered: &Gathered) -> bool {
        let generation = self.sync.metadata.generation;
        let Gathered {
            snapshot, inputs, ..
        } = gathered;
        memory.built.as_ref().is_some_and(|built| {
            built.generation == generation
                && built.print == build::print(snapshot, inputs, &built.reads)
        })
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

/// Tells whether everything that should be there is as we left it.
fn is_intact(memory: &Memory, survey: Option<&Survey>) -> bool {
    let (Some(built), Some(survey)) = (&memory.built, survey) else {
        return false;
    };
    let ids = memory.inventory.0.keys();
    ids.filter(|id| !built.transient.contains(id))
        .all(|id| plan::is_intact(&memory.inventory, survey, id))
}
