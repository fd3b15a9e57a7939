//! A Sync whose inventory cannot be read: nothing happens until it can, because what it names would be lost.

use std::time::Duration;

use flux_core::conclude::{self, Finding, Outcome};
use flux_crds::Reason;

use super::super::memory::Memory;
use super::super::record::{Recorder, STATUS_RETRY};
use crate::report::chain;

/// Says so, and returns when to look again. The inventory stays as it is.
pub(super) async fn refuse(
    recorder: &Recorder<'_>,
    memory: &mut Memory,
    error: &str,
) -> Option<Duration> {
    let message = format!(
        "status.inventory cannot be read ({error}), so nothing is applied or deleted: put the entry right or take it out with kubectl edit --subresource=status, and see to its object by hand"
    );
    let outcome = Outcome::Stalled(Finding::new(Reason::InternalError, message));
    if let Some(event) = conclude::event(&memory.status.conditions, &outcome) {
        tracing::error!(object = %recorder.key, error = %event.finding.message, "sync stalled");
        recorder.context.events.publish(recorder.sync, &event);
    }
    let status = recorder.status(memory, &outcome);
    match recorder.write(memory, status).await {
        Ok(()) => recorder.sync.spec.interval().ok(),
        Err(error) => {
            tracing::warn!(object = %recorder.key, error = %chain(&error), "status not written");
            Some(STATUS_RETRY)
        }
    }
}
