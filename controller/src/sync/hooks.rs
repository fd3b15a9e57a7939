//! Hooks: Jobs that run once for each desired state.
//!
//! What ran stands in `status.hooks`, so that neither the interval nor a restart repeats it, also when the Job is gone. Before
//! the status is written the mark on the live Job tells it. A hook that failed runs again for another desired state, or when
//! someone asks for a reconcile. In a rollback no hook runs: what it restores was prepared when it was new.

use flux_core::conclude::{Finding, Outcome};
use flux_core::inventory::Inventory;
use flux_core::object::ObjectId;
use flux_core::sequence::Hook;
use flux_crds::Reason;
use flux_crds::sync::{HookPhase, HookResult, HookRun};
use flux_engine::cluster::Cluster;
use flux_engine::cluster::hook::{self, Run};

use super::build::owner;
use super::halt::Halt;
use super::health::{Targets, Verdict, Wait};
use super::memory::{Memory, write_inventory};
use super::pace::{Pace, superseded};
use super::record::Recorder;
use super::wakeups::token;
use crate::report::chain;

/// Bytes of the reason that the status keeps of a failure.
const MESSAGE: usize = 1000;

/// The hooks of one build, and what is needed to run them.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    /// The hooks in their order.
    pub(crate) all: Vec<Hook>,
    /// Which desired state they run for.
    pub(crate) state: String,
}

impl Hooks {
    /// Tells whether there are hooks of a phase that have not succeeded for this state.
    pub(crate) fn are_due(&self, memory: &Memory, phase: HookPhase) -> bool {
        self.pending(memory).any(|hook| hook.phase == phase)
    }

    /// Returns the hooks that have not succeeded for this state.
    pub(crate) fn pending<'h>(&'h self, memory: &'h Memory) -> impl Iterator<Item = &'h Hook> {
        self.all.iter().filter(|hook| {
            let last = self.last(memory, hook);
            last.is_none_or(|last| last.result == HookResult::Failed)
        })
    }

    /// Returns an inventory without the hooks: they are neither compared nor pruned while they are in the source.
    pub(crate) fn without(&self, inventory: &Inventory) -> Inventory {
        let mut others = inventory.clone();
        for hook in &self.all {
            others.remove(&hook.job.id);
        }
        others
    }

    /// Adds the hooks to an inventory, without a record: nobody watches over a Job that is to end.
    pub(crate) fn announce(&self, inventory: &Inventory) -> Inventory {
        let mut union = inventory.union(self.all.iter().map(|hook| &hook.job));
        for hook in &self.all {
            if let Some(entry) = union.0.get_mut(&hook.job.id) {
                entry.record = None;
            }
        }
        union
    }

    fn of(&self, phase: HookPhase) -> impl Iterator<Item = &Hook> {
        self.all.iter().filter(move |hook| hook.phase == phase)
    }

    /// Returns the last run, if it was for this state.
    fn last<'m>(&self, memory: &'m Memory, hook: &Hook) -> Option<&'m HookRun> {
        let object = hook.job.id.to_string();
        let mut runs = memory.status.hooks.iter();
        runs.find(|run| run.phase == hook.phase && run.object == object && run.run == self.state)
    }
}

/// The place where hooks run.
pub(crate) struct Place<'a> {
    /// Writes the status.
    pub(crate) recorder: &'a Recorder<'a>,
    /// The target.
    pub(crate) cluster: &'a Cluster,
    /// The revision.
    pub(crate) revision: &'a str,
}

impl Place<'_> {
    /// Runs the hooks of a phase, one after the other, and waits for the end of each.
    pub(crate) async fn run(
        &self,
        hooks: &Hooks,
        phase: HookPhase,
        memory: &mut Memory,
        pace: &mut Pace<'_>,
    ) -> Result<(), Halt> {
        for hook in hooks.of(phase) {
            let run = match hooks.last(memory, hook) {
                Some(last) if last.result != HookResult::Failed => continue,
                Some(_) if self.is_asked(memory) => Run::Another,
                Some(last) => {
                    return Err(failed(hook, last.message.as_deref().unwrap_or_default()));
                }
                None => Run::This,
            };
            self.run_one((hooks, hook), run, memory, pace).await?;
        }
        Ok(())
    }

    async fn run_one(
        &self,
        (hooks, hook): (&Hooks, &Hook),
        run: Run,
        memory: &mut Memory,
        pace: &mut Pace<'_>,
    ) -> Result<(), Halt> {
        let owner = owner(self.recorder.sync);
        hook::begin(self.cluster, &owner, (hook, &hooks.state), run)
            .await
            .map_err(|error| failed(hook, &chain(&error)))?;
        let wait = Wait {
            recorder: self.recorder,
            cluster: self.cluster,
            revision: self.revision,
            rules: pace.rules(),
        };
        match pace.wait(&wait, memory, Targets::only(&hook.job)).await? {
            Verdict::Superseded => Err(superseded()),
            Verdict::Healthy => {
                self.note(memory, (hooks, hook), HookResult::Succeeded, None)
                    .await?;
                self.clean_up(hook, hook.delete_succeeded).await;
                Ok(())
            }
            verdict @ Verdict::Unhealthy(_) if !verdict.is_final() => {
                Err(failed(hook, &format!("not done: {verdict}")))
            }
            verdict @ Verdict::Unhealthy(_) => {
                let message = verdict.to_string();
                let note = Some(message.as_str());
                self.note(memory, (hooks, hook), HookResult::Failed, note)
                    .await?;
                self.clean_up(hook, hook.delete_failed).await;
                Err(failed(hook, &message))
            }
        }
    }

    /// Starts the hooks for a failed revision. Nobody waits for them, and their own failure changes nothing.
    pub(crate) async fn rescue(&self, hooks: &Hooks, memory: &mut Memory) {
        let owner = owner(self.recorder.sync);
        for hook in hooks.of(HookPhase::OnFailure) {
            if hooks.last(memory, hook).is_some() {
                continue;
            }
            memory.inventory = hooks.announce(&memory.inventory);
            let started = async {
                self.note(memory, (hooks, hook), HookResult::Started, None)
                    .await
                    .map_err(|halt| halt.outcome.finding().message.clone())?;
                hook::begin(self.cluster, &owner, (hook, &hooks.state), Run::This)
                    .await
                    .map_err(|error| chain(&error))
            };
            if let Err(error) = started.await {
                tracing::warn!(object = %self.recorder.key, hook = %hook.job.id, %error, "hook not started");
            }
        }
    }

    /// Writes down how a hook ended, before anything else happens.
    async fn note(
        &self,
        memory: &mut Memory,
        (hooks, hook): (&Hooks, &Hook),
        result: HookResult,
        message: Option<&str>,
    ) -> Result<(), Halt> {
        let object = hook.job.id.to_string();
        let progress = format!("{} hook {object} of {}", hook.phase, self.revision);
        let finding = Finding::new(Reason::Progressing, progress);
        let mut status = self.recorder.status(memory, &Outcome::Progressing(finding));
        status.inventory = write_inventory(&memory.inventory);
        status.hooks.retain(|run| {
            let is_known =
                |hook: &Hook| hook.phase == run.phase && hook.job.id.to_string() == run.object;
            hooks.all.iter().any(is_known) && (run.phase, &run.object) != (hook.phase, &object)
        });
        status.hooks.push(HookRun {
            phase: hook.phase,
            object,
            run: hooks.state.clone(),
            result,
            message: message.map(|text| flux_core::conclude::truncate(text, MESSAGE)),
        });
        self.recorder
            .write(memory, status)
            .await
            .map_err(|error| Halt::api("write the status", &error))
    }

    async fn clean_up(&self, hook: &Hook, is_wanted: bool) {
        if !is_wanted {
            return;
        }
        if let Err(error) = hook::clean_up(self.cluster, hook).await {
            tracing::warn!(object = %self.recorder.key, hook = %hook.job.id, error = %chain(&error), "hook not deleted");
        }
    }

    /// Tells whether someone asks for a reconcile that has not been handled yet.
    fn is_asked(&self, memory: &Memory) -> bool {
        let token = token(&self.recorder.sync.metadata);
        token.is_some() && token != memory.status.last_handled_reconcile
    }
}

/// Tells whether this is a hook that was started for a failure; the rollback that follows must not delete it.
pub(crate) fn is_rescue(memory: &Memory, id: &ObjectId) -> bool {
    let object = id.to_string();
    let mut runs = memory.status.hooks.iter();
    runs.any(|run| run.phase == HookPhase::OnFailure && run.object == object)
}

fn failed(hook: &Hook, message: &str) -> Halt {
    let Hook { phase, job, .. } = hook;
    Halt::failed(
        Reason::HookFailed,
        format!("{phase} hook {} ({}): {message}", job.id, job.origin),
    )
}
