//! What happens around an apply: waves wait for each other, hooks run, health is waited for.

use std::collections::BTreeMap;

use flux_core::conclude::Outcome;
use flux_core::object::Desired;
use flux_core::sequence::Wave;
use flux_crds::sync::HookPhase;

use super::super::build::Made;
use super::super::course::Course;
use super::super::gather::Gathered;
use super::super::halt::Halt;
use super::super::health::{Targets, Verdict, Wait};
use super::super::hooks::Place;
use super::super::memory::Memory;
use super::super::pace::Pace;
use super::{Applied, Run};

/// Tells whether an attempt failed in a way that will not pass by itself.
pub(super) fn has_failed(applied: &Result<String, Halt>, health: Option<&Verdict>) -> bool {
    match applied {
        Ok(_) => matches!(health, Some(Verdict::Unhealthy(_))),
        Err(halt) => matches!(halt.outcome, Outcome::Failed(_)),
    }
}

impl Run<'_> {
    /// Waits for health, if the Sync does so or has hooks to run afterwards, and runs them.
    pub(super) async fn after(
        &self,
        memory: &mut Memory,
        gathered: &Gathered,
        pace: &mut Pace<'_>,
        (targets, hooks): Applied,
    ) -> Result<Option<Verdict>, Halt> {
        let Some(targets) = targets else {
            return Ok(None);
        };
        let wait = Wait {
            recorder: self.recorder,
            cluster: &gathered.cluster,
            revision: &gathered.snapshot.revision,
            rules: &gathered.rules,
        };
        let verdict = pace.wait(&wait, memory, targets).await?;
        if !matches!(verdict, Verdict::Healthy) {
            // Whatever comes next has to look again.
            memory.built = None;
            return Ok(Some(verdict));
        }
        let phase = HookPhase::PostSync;
        if !hooks.are_due(memory, phase) {
            return Ok(Some(verdict));
        }
        let around = Place {
            recorder: self.recorder,
            cluster: &gathered.cluster,
            revision: &gathered.snapshot.revision,
        };
        match around.run(&hooks, phase, memory, pace).await {
            Ok(()) => Ok(Some(verdict)),
            Err(halt) => {
                memory.built = None;
                match halt.outcome {
                    Outcome::Failed(finding) => Ok(Some(Verdict::Unhealthy(finding.message))),
                    _ => Err(halt),
                }
            }
        }
    }

    /// Starts the hooks for a failure, once for each attempt.
    pub(super) async fn rescue(&self, memory: &mut Memory) {
        let Some((cluster, hooks)) = memory.rescue.take() else {
            return;
        };
        let place = Place {
            recorder: self.recorder,
            cluster: &cluster,
            revision: &hooks.state,
        };
        place.rescue(&hooks, memory).await;
    }

    /// Returns what each wave waits for: nothing when there is but one, in a rollback, and when the same state was applied as
    /// a whole before, so that this is a repair.
    pub(super) fn waves(
        &self,
        memory: &Memory,
        revision: &str,
        made: &Made,
    ) -> BTreeMap<Wave, Targets> {
        let is_repair = match &memory.applied {
            Some(applied) => *applied == made.hooks.state,
            None => memory.status.last_applied_revision.as_deref() == Some(revision),
        };
        let mut waves: BTreeMap<Wave, Vec<&Desired>> = BTreeMap::new();
        for object in &made.desired {
            waves
                .entry(Wave::of(&object.value))
                .or_default()
                .push(object);
        }
        if is_repair || waves.len() < 2 || matches!(memory.course, Course::RolledBack(_)) {
            return BTreeMap::new();
        }
        let targets = |objects: Vec<&Desired>| Targets::own(self.sync, objects.into_iter());
        let waves = waves.into_iter();
        waves
            .map(|(wave, objects)| (wave, targets(objects)))
            .collect()
    }
}
