//! What a policy's task remembers.

use flux_core::conclude::Outcome;
use flux_crds::{ImagePolicy, ImagePolicyStatus, Notified};

use super::look::Seen;

/// The memory of one policy's task.
#[derive(Default)]
pub(crate) struct Memory {
    /// The uid of the object that this is about.
    pub(crate) uid: Option<String>,
    /// The status as it was last written.
    pub(crate) status: ImagePolicyStatus,
    /// What the last look came to.
    pub(crate) seen: Option<Result<Seen, Outcome>>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// What the receivers in `spec.notify` were last told.
    pub(crate) notified: Option<Notified>,
}

impl Memory {
    /// Starts from what the status says.
    pub(crate) fn of(policy: &ImagePolicy) -> Self {
        let status = policy.status.clone().unwrap_or_default();
        Self {
            uid: policy.metadata.uid.clone(),
            notified: status.notified.clone(),
            status,
            ..Self::default()
        }
    }
}
