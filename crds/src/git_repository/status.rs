//! What the controller answers about a repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Notified, Time, condition};

/// What is known of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GitRepositoryStatus {
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
    /// The revision that is served. Example: `main@sha1:5f701c1…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The commit of that revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitSummary>,
    /// Whose signature that revision has; absent when signatures are not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verification>,
    /// When a fetch last brought a new revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_fetch: Option<Time>,
    /// The last commit that was pushed to this repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_write: Option<LastWrite>,
    /// The path of the controller's webhook server that the git server should call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_path: Option<String>,
    /// What the receivers in `spec.notify` were last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notified: Option<Notified>,
}

/// What a person wants to know of a commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitSummary {
    /// Who wrote it. Example: `Ada <ada@example.com>`.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// A verified signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Verification {
    /// The revision whose signature was verified.
    pub revision: String,
    /// The key: its name in the Secret and its fingerprint.
    pub signer: String,
}

/// A commit that was pushed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastWrite {
    /// The id of the commit.
    pub commit: String,
    /// When it was pushed.
    pub time: Time,
}
