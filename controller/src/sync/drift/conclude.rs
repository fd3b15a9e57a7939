//! What the status says of drift: the list of what differs, and the `Drifted` condition.

use std::fmt::Write as _;

use flux_core::conclude::{Finding, remove_condition, set_condition};
use flux_core::drift::Drift;
use flux_core::object::ObjectId;
use flux_crds::sync::{DriftMode, ObjectDrift};
use flux_crds::{ConditionType, Reason, Sync, SyncStatus};
use jiff::Timestamp;

use super::lookout::{Lookout, mode};
use super::tell::describe;
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::sync::memory::{Memory, write_inventory};
use crate::sync::record::Recorder;

/// Objects that the status lists.
const LISTED: usize = 100;

/// Puts what is known of drift into a status.
pub(crate) fn conclude(status: &mut SyncStatus, sync: &Sync, lookout: &Lookout) {
    if lookout.inherits() && mode(sync) != DriftMode::Ignore {
        // What differed before a restart does so until somebody has looked.
        return;
    }
    status.drift = lookout
        .standing()
        .iter()
        .take(LISTED)
        .map(|(id, standing)| ObjectDrift {
            object: id.to_string(),
            manager: Some(standing.drift.managers().join(", ")).filter(|text| !text.is_empty()),
            paths: standing.drift.paths().to_vec(),
        })
        .collect();
    if lookout.target().is_none() || mode(sync) == DriftMode::Ignore {
        return remove_condition(&mut status.conditions, ConditionType::Drifted);
    }
    let (drifted, finding) = finding(lookout);
    set_condition(
        &mut status.conditions,
        ConditionType::Drifted,
        (drifted, &finding),
        sync.metadata.generation,
        Timestamp::now(),
    );
}

/// Tells whether a status lists a difference.
pub(crate) fn is_listed(status: &SyncStatus, id: &ObjectId, drift: &Drift) -> bool {
    let object = id.to_string();
    let mut listed = status.drift.iter();
    listed.any(|listed| listed.object == object && listed.paths == drift.paths())
}

fn finding(lookout: &Lookout) -> (&'static str, Finding) {
    let standing = lookout.standing();
    let is_contested = standing.values().any(|standing| standing.is_contested);
    let (drifted, reason, mut message) = if standing.is_empty() {
        match &lookout.repaired {
            None => (
                "False",
                Reason::InSync,
                "nothing differs from what was applied".to_owned(),
            ),
            Some(words) => ("False", Reason::Repaired, format!("put back: {words}")),
        }
    } else {
        let words = describe(standing.iter().map(|(id, standing)| (id, &standing.drift)));
        let reason = if is_contested {
            Reason::Contested
        } else {
            Reason::Drifted
        };
        ("True", reason, words)
    };
    if !lookout.unwatched().is_empty() {
        let kinds: Vec<&str> = lookout.unwatched().iter().map(String::as_str).collect();
        // Writing to a String cannot fail.
        write!(
            message,
            "; not watched, verified every interval: {} (the account may not list and watch them)",
            kinds.join(", ")
        )
        .ok();
    }
    (drifted, Finding::new(reason, message))
}

/// Writes the status for drift alone.
pub(super) async fn show(context: &Context, sync: &Sync, memory: &mut Memory) {
    let key = Key::of(&sync.metadata);
    let recorder = Recorder {
        context,
        sync,
        key: &key,
    };
    let mut status = memory.status.clone();
    status.inventory = write_inventory(&memory.inventory);
    conclude(&mut status, sync, &memory.lookout);
    match recorder.write(memory, status).await {
        Ok(()) => memory.lookout.clean(),
        Err(error) => {
            tracing::warn!(object = %key, error = %chain(&error), "drift not written to the status");
            memory.lookout.clean();
            memory.lookout.soil();
        }
    }
}
