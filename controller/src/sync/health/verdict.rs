//! How a wait for health ended, and what the status says of it.

use std::fmt;

use flux_core::conclude::{Finding, Outcome, remove_condition, set_condition};
use flux_crds::{ConditionType, Reason, Sync, SyncStatus};
use jiff::Timestamp;

use super::FAILED;

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// All are healthy.
    Healthy,
    /// One has failed, or some are not healthy in time.
    Unhealthy(String),
    /// Something newer came.
    Superseded,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Unhealthy(message) => message,
            Self::Superseded => "something newer came",
        })
    }
}

impl Verdict {
    /// Tells whether an object has failed, and not only taken too long.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unhealthy(message) if message.starts_with(FAILED))
    }

    /// Returns the outcome of a reconcile whose wait did not end well.
    pub(crate) fn failure(&self) -> Option<Outcome> {
        match self {
            Self::Healthy => None,
            Self::Unhealthy(message) => Some(Outcome::Failed(Finding::new(
                Reason::HealthCheckFailed,
                message.clone(),
            ))),
            Self::Superseded => {
                let message = "the wait for health ended because something newer came";
                Some(Outcome::Progressing(Finding::new(
                    Reason::HealthCheckCancelled,
                    message,
                )))
            }
        }
    }
}

/// Sets the `Healthy` condition, or takes it away from a Sync that does not wait.
pub(crate) fn conclude(status: &mut SyncStatus, sync: &Sync, verdict: Option<&Verdict>) {
    let generation = sync.metadata.generation;
    if !sync.spec.waits() && sync.spec.health_checks.is_empty() {
        remove_condition(&mut status.conditions, ConditionType::Healthy);
        return;
    }
    let (healthy, finding) = match verdict {
        None => return,
        Some(Verdict::Healthy) => (
            "True",
            Finding::new(Reason::Healthy, "all that was applied is healthy"),
        ),
        Some(Verdict::Unhealthy(message)) => (
            "False",
            Finding::new(Reason::HealthCheckFailed, message.clone()),
        ),
        Some(Verdict::Superseded) => (
            "Unknown",
            Finding::new(Reason::HealthCheckCancelled, "something newer came"),
        ),
    };
    set_condition(
        &mut status.conditions,
        ConditionType::Healthy,
        (healthy, &finding),
        generation,
        Timestamp::now(),
    );
}
