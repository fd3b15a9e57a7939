//! What the controller answers about a Sync.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Notified, Time, condition};

/// What is known of a Sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStatus {
    /// The `metadata.generation` that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the controller found: `Ready` always, `Reconciling` or `Stalled` while they are true, and `Healthy` and
    /// `Drifted` of Syncs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition::list_schema")]
    pub conditions: Vec<Condition>,
    /// The token of the last `flux.rs/reconcile` annotation that was handled, also when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile: Option<String>,
    /// The revision that the cluster was last made equal to. Example: `main@sha1:5f701c1…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_applied_revision: Option<String>,
    /// The revision that was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,
    /// The cluster that all of this is about, if `spec.kubeConfig` names one: a digest of its address and authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Every object that this Sync may have created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// The last revisions and how they ended, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// The revision that failed, and the one that was restored for it. Absent unless the Sync is rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// Every error of the last reconcile; empty when there was none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// The last run of each hook, which is not repeated for the same revision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
    /// The objects that differ from what was applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<ObjectDrift>,
    /// What the receivers in `spec.notify` were last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notified: Option<Notified>,
}

/// The objects of a Sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// One entry for each object.
    #[serde(default)]
    pub entries: Vec<InventoryEntry>,
}

/// One object of a Sync.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct InventoryEntry {
    /// Which object: `<namespace>_<name>_<group>_<kind>`, with `__` for a colon.
    pub id: String,
    /// The version of its API. Example: `v1`.
    pub v: String,
    /// A record of what was applied: the hash of the desired object, which is of a key that only the controller has, and of
    /// our ownership entry. It makes a restart cheap; without it the object is applied once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<String>,
    /// Whether it was first applied by a revision that has not been applied as a whole. A rollback deletes it, also where
    /// `spec.prune` is `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub n: bool,
}

/// One revision and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The revision. Example: `main@sha1:5f701c1…`.
    pub revision: String,
    /// The digest of what it built; equal digests mean equal objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When it ended so.
    pub time: Time,
    /// `Applied`, `Failed`, `Unhealthy`, `Superseded` or `RolledBack`.
    pub result: SyncResult,
}

/// A revision that failed, and the one that was restored for it. The failed one is not tried again until the source or the
/// spec changes or someone asks for a reconcile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RolledBack {
    /// The revision that failed. Example: `main@sha1:5f701c1…`.
    pub from: String,
    /// The revision that was restored.
    pub to: String,
    /// The `metadata.generation` of the spec with which it failed.
    pub generation: i64,
    /// The token of the `flux.rs/reconcile` annotation that it was tried for, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Why it failed.
    pub message: String,
}

/// How a revision ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum SyncResult {
    /// The cluster is equal to it.
    Applied,
    /// It was not applied, or not completely.
    Failed,
    /// It was applied and did not become healthy.
    Unhealthy,
    /// It was applied, and something newer came before it was healthy.
    Superseded,
    /// It failed and the last good revision was restored.
    RolledBack,
}

/// One error of a reconcile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The object that it is about. Example: `Deployment/shop/web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The file and line that the object or the error comes from. Example: `deploy/web.yaml:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why, in one word that programs can match on.
    pub reason: String,
    /// Why, in words for a person.
    pub message: String,
}

/// The last run of one hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookRun {
    /// When it runs: `PreSync`, `PostSync` or `OnFailure`.
    pub phase: HookPhase,
    /// The Job. Example: `Job/shop/migrate`.
    pub object: String,
    /// Which desired state it ran for: a digest of everything that the revision built.
    pub run: String,
    /// How it ended: `Succeeded` or `Failed`; `Started` of one for whose end nobody waits.
    pub result: HookResult,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// When a hook runs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum HookPhase {
    /// Before anything is applied.
    PreSync,
    /// When everything that was applied is healthy.
    PostSync,
    /// When the revision has failed.
    OnFailure,
}

impl fmt::Display for HookPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreSync => "pre-sync",
            Self::PostSync => "post-sync",
            Self::OnFailure => "on-failure",
        })
    }
}

/// How a hook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum HookResult {
    /// Nobody waits for its end.
    Started,
    /// The Job is complete.
    Succeeded,
    /// The Job has failed.
    Failed,
}

/// One object that differs from what was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectDrift {
    /// The object. Example: `Deployment/shop/web`.
    pub object: String,
    /// Who changed it, as the API server knows them. Example: `kubectl-edit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// The fields that were changed or removed. Example: `["spec.replicas"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}
