//! Conditions by the kstatus convention: their types and their closed list of reasons.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};

/// The conditions that the three kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionType {
    /// Whether the object does what its spec says; always there once it was seen.
    Ready,
    /// There and `True` only while the controller works on it or will try again soon.
    Reconciling,
    /// There and `True` only when no retry can help: the spec or a permission must change.
    Stalled,
    /// Whether what was applied is healthy (only Syncs that wait).
    Healthy,
    /// Whether the cluster differs from what was applied (only Syncs).
    Drifted,
}

impl ConditionType {
    /// Returns the text of `conditions[].type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Healthy => "Healthy",
            Self::Drifted => "Drifted",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Defines [`Reason`] so that variant, text and list cannot fall apart.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Why a condition or an event is what it is. Alerts and dashboards match on these words, so the list is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the text of `conditions[].reason`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

reasons! {
    /// The spec is fulfilled.
    Succeeded,
    /// Work goes on.
    Progressing,
    /// Work failed and is tried again.
    ProgressingWithRetry,
    /// `spec.suspend` is set.
    Suspended,
    /// A field or a combination of fields makes no sense.
    InvalidSpec,
    /// Something took longer than `spec.timeout`.
    TimedOut,
    /// A referenced Secret, or a key in it, is missing.
    SecretNotFound,
    /// A referenced ConfigMap is missing.
    ConfigMapNotFound,
    /// A referenced Secret does not hold what it should.
    SecretInvalid,
    /// A reference or a request is not allowed.
    AccessDenied,
    /// The controller itself went wrong.
    InternalError,
    /// A receiver in `spec.notify` could not be told.
    NotificationFailed,

    /// The URL of the repository is not one.
    UrlInvalid,
    /// The git server refused the credentials.
    AuthenticationFailed,
    /// The git server is not who it should be (host key or certificate).
    HostVerificationFailed,
    /// The git server could not be reached or answered badly.
    FetchFailed,
    /// The branch, tag, name, range or commit does not exist in the repository.
    ReferenceNotFound,
    /// The signature of the commit or tag is missing or wrong.
    VerificationFailed,
    /// The object store on disk failed.
    StorageFailed,
    /// A new revision was fetched.
    NewRevision,

    /// The referenced source does not exist.
    SourceNotFound,
    /// The referenced source has no revision yet.
    SourceNotReady,
    /// `spec.path` does not exist in this revision.
    PathNotFound,
    /// The build found errors; nothing was applied.
    BuildFailed,
    /// A Sync that this one depends on is not ready.
    DependencyNotReady,
    /// The service account to act as does not exist.
    ServiceAccountNotFound,
    /// The target cluster could not be reached.
    ClusterUnreachable,
    /// The target is another cluster than before; what was applied to the former one stays there.
    ClusterChanged,
    /// The API server rejected objects in the dry-run; nothing was applied.
    Rejected,
    /// The API server rejected an object after others were applied.
    ApplyFailed,
    /// A hook has failed.
    HookFailed,
    /// A revision was applied.
    Applied,
    /// An object belongs to another Sync.
    Conflict,
    /// Another manager takes a field back again and again.
    Contested,
    /// An object differs from what was applied.
    Drifted,
    /// Nothing differs from what was applied.
    InSync,
    /// A drifted object was put back.
    Repaired,
    /// Objects that left the source were deleted.
    Pruned,
    /// An object that left the source could not be deleted.
    PruneFailed,
    /// So much would be deleted that a person must allow it.
    PruneRefused,
    /// What was applied is healthy.
    Healthy,
    /// What was applied has failed or is not healthy in time.
    HealthCheckFailed,
    /// The wait for health ended because a newer revision came.
    HealthCheckCancelled,
    /// The last good revision was restored.
    RolledBack,
    /// The last good revision could not be restored.
    RollbackFailed,
    /// The objects of a deleted Sync were deleted, or left alone as it says.
    Finalized,
    /// The objects of a deleted Sync could not be deleted and were left.
    FinalizeFailed,

    /// The registry could not be reached or answered badly.
    ScanFailed,
    /// The policy or the filter does not parse.
    PolicyInvalid,
    /// No tag fits the policy.
    NoMatch,
    /// Another image is the one to run.
    NewImage,
    /// A newer image was committed.
    ImageUpdated,
    /// A newer image could not be committed.
    UpdateFailed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The schema of `status.conditions`, which the API server merges by type.
///
/// The derived schema of [`Condition`](crate::Condition) lacks the list type and the bounds.
pub(crate) fn list_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string", "maxLength": 64, "description": "The aspect: Ready, Reconciling, Stalled, Healthy or Drifted."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it is so."},
                "observedGeneration": {"type": "integer", "format": "int64", "description": "The metadata.generation that this was found for."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the status last changed."},
                "reason": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Z][A-Za-z0-9]*$", "description": "Why, in one word that programs can match on."},
                "message": {"type": "string", "maxLength": 32768, "description": "Why, in words for a person."},
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_unique_and_fit_the_schema() {
        let mut texts: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        texts.sort_unstable();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count, "two reasons share a text");
        assert!(
            texts
                .iter()
                .all(|text| text.chars().all(char::is_alphanumeric)),
            "{texts:?}"
        );
    }
}
