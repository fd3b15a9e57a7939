//! The parts of a Sync that say how far it may go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selector;

/// How much one revision may delete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PruneGuard {
    /// The largest part of the objects that one revision may delete, in percent; 100 allows to delete everything.
    /// Default: anything less than everything. Example: `50`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_percent: Option<i32>,
}

/// What happens to the objects when their Sync is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum Deletion {
    /// They are deleted.
    Prune,
    /// They stay.
    Orphan,
}

/// When the last good revision is restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum Rollback {
    /// When applying fails midway.
    #[default]
    OnFailure,
    /// Also when what was applied does not become healthy.
    OnUnhealthy,
    /// Never.
    Never,
}

/// What to do about changes by others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// `Repair` puts it back, `Warn` only reports it, `Ignore` does neither. Default: `Repair`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DriftMode>,
    /// Changes that are nobody's business. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub ignore: Vec<DriftIgnore>,
}

/// What to do about a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum DriftMode {
    /// Put it back.
    #[default]
    Repair,
    /// Report it.
    Warn,
    /// Leave it.
    Ignore,
}

/// Changes that are not drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftIgnore {
    /// On which objects. Default: on all of the Sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
    /// In which fields, as JSON pointers. Default: in every field. Example: `["/spec/replicas"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)))]
    pub pointers: Vec<String>,
    /// By which field managers. Default: by any. Example: `["kube-controller-manager"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)))]
    pub managers: Vec<String>,
}
