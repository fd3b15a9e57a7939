//! The order inside a Sync: waves, and the hooks around them.
//!
//! ```text
//!  pre-sync hooks ─► wave -1 ─► healthy ─► wave 0 ─► healthy ─► wave 1 ─► prune ─► (health) ─► post-sync hooks
//! ```
//!
//! Within a wave the order of [`crate::order`] holds. Argo CD's annotations mean the same as ours, so that its repositories
//! work unchanged; where both stand on an object, ours counts.

use std::fmt;

use flux_crds::names::{self, alias};
use flux_crds::sync::HookPhase;
use serde_json::Value;

use crate::desire::Problem;
use crate::hash::desired_hash;
use crate::live::Metadata;
use crate::object::Desired;

#[cfg(test)]
mod tests;

/// When an object is applied: those of a lower wave are healthy before those of a higher one are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wave(pub i32);

impl fmt::Display for Wave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wave {}", self.0)
    }
}

impl Wave {
    /// Returns the wave of a manifest; that of one which is no number is the middle one.
    pub fn of(manifest: &Value) -> Self {
        read_wave(annotation(manifest, &WAVE)).unwrap_or_default()
    }

    /// Returns the wave that a live object was applied in.
    pub fn of_live(live: &Metadata) -> Self {
        let text = WAVE.iter().find_map(|name| live.annotations.get(*name));
        read_wave(text.map(String::as_str)).unwrap_or_default()
    }
}

const WAVE: [&str; 2] = [names::WAVE, alias::ARGO_WAVE];
const HOOK: [&str; 2] = [names::HOOK, alias::ARGO_HOOK];
const CLEANUP: [&str; 2] = [names::HOOK_CLEANUP, alias::ARGO_HOOK_CLEANUP];

fn annotation<'v>(manifest: &'v Value, keys: &[&str]) -> Option<&'v str> {
    let annotations = &manifest["metadata"]["annotations"];
    keys.iter().find_map(|key| annotations.get(key)?.as_str())
}

fn read_wave(text: Option<&str>) -> Result<Wave, String> {
    let Some(text) = text else {
        return Ok(Wave::default());
    };
    let number = text.trim().parse();
    number.map(Wave).map_err(|_| {
        format!(
            "{} is {text:?}: use a whole number such as -1 or 5",
            names::WAVE
        )
    })
}

/// A Job that runs at a point of a sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// When it runs.
    pub phase: HookPhase,
    /// Its place among those of the same phase.
    pub wave: Wave,
    /// The Job.
    pub job: Desired,
    /// Whether it is deleted when it has succeeded.
    pub delete_succeeded: bool,
    /// Whether it is deleted when it has failed.
    pub delete_failed: bool,
}

impl Hook {
    /// Returns the mark of one run, from that of the whole desired state: another phase of the same Job is another run.
    pub fn mark(&self, state: &str) -> String {
        format!("{}-{state}", self.phase)
    }

    /// Returns the Job with a mark on it, which tells a run from the one before.
    ///
    /// # Errors
    /// None that a Job of a build could have.
    pub fn marked(&self, state: &str) -> Result<Desired, crate::object::Error> {
        let mut value = self.job.value.clone();
        value["metadata"]["annotations"][names::HOOK_RUN] = Value::from(self.mark(state));
        Desired::new(value, self.job.origin.clone())
    }

    /// Tells whether a live Job is that run.
    pub fn is_run(&self, live: &Metadata, state: &str) -> bool {
        live.annotations.get(names::HOOK_RUN) == Some(&self.mark(state))
    }
}

/// A build, divided into what is kept equal to git and what runs once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// The objects.
    pub desired: Vec<Desired>,
    /// The hooks, in the order in which they run. A Job of two phases stands here twice.
    pub hooks: Vec<Hook>,
    /// A short text for all of it: equal texts, equal desired state.
    pub state: String,
}

/// Divides a build, or returns everything that is wrong with its waves and hooks.
pub fn arrange(all: Vec<Desired>) -> Result<Sequence, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut sequence = Sequence {
        state: state(&all),
        ..Sequence::default()
    };
    for object in all {
        match hooks(&object) {
            Ok(hooks) if hooks.is_empty() => sequence.desired.push(object),
            Ok(hooks) => sequence.hooks.extend(hooks),
            Err(message) => problems.push(Problem {
                object: Some(object.id.to_string()),
                origin: object.origin,
                message,
            }),
        }
    }
    let place = |hook: &Hook| (hook.phase, hook.wave, hook.job.id.clone());
    sequence.hooks.sort_by_key(place);
    if problems.is_empty() {
        Ok(sequence)
    } else {
        Err(problems)
    }
}

fn state(all: &[Desired]) -> String {
    let mut hashes: Vec<Value> = all
        .iter()
        .map(|object| Value::from(format!("{}:{:x}", object.id.key(), object.hash)))
        .collect();
    hashes.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    format!("{:016x}", desired_hash(&Value::Array(hashes)))
}

fn hooks(object: &Desired) -> Result<Vec<Hook>, String> {
    let wave = read_wave(annotation(&object.value, &WAVE))?;
    let Some(text) = annotation(&object.value, &HOOK) else {
        return Ok(Vec::new());
    };

    if !object.id.is("batch", "Job") {
        return Err(format!(
            "only a Job can be a hook: remove {} from it",
            names::HOOK
        ));
    }
    let cleanup = annotation(&object.value, &CLEANUP).unwrap_or_default();
    let cleans = |names: [&str; 2]| {
        let mut policies = cleanup.split(',').map(str::trim);
        policies.any(|policy| names.contains(&policy))
    };
    let hook = |phase| Hook {
        phase,
        wave,
        job: object.clone(),
        delete_succeeded: cleans(["succeeded", "HookSucceeded"]),
        delete_failed: cleans(["failed", "HookFailed"]),
    };
    let phases = text.split(',').map(str::trim);
    phases.map(|text| phase(text).map(hook)).collect()
}

fn phase(text: &str) -> Result<HookPhase, String> {
    match text {
        "pre-sync" | "PreSync" => Ok(HookPhase::PreSync),
        "post-sync" | "PostSync" => Ok(HookPhase::PostSync),
        "on-failure" | "SyncFail" => Ok(HookPhase::OnFailure),
        other => Err(format!(
            "there is no hook {other:?}: use pre-sync, post-sync or on-failure in {}",
            names::HOOK
        )),
    }
}
