//! What the controller answers about an image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Notified, Time, condition};

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImagePolicyStatus {
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
    /// The image to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<ImageReference>,
    /// The image that was the one to run before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<ImageReference>,
    /// The last look at the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// The digest of the image, filter, policy and platform that `latest` was chosen by. Under other ones the next
    /// choice is made afresh, also when it is a lower version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// An image that was chosen and is not committed yet, or that a lock holds back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<ImageReference>,
    /// The last commit of this image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<LastUpdate>,
    /// The path of the controller's webhook server that the registry should call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_path: Option<String>,
    /// What the receivers in `spec.notify` were last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notified: Option<Notified>,
}

/// One image of a registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageReference {
    /// The image without tag. Example: `ghcr.io/org/app`.
    pub image: String,
    /// The tag. Example: `1.4.2`.
    pub tag: String,
    /// The digest that the tag had. Example: `sha256:9f86d0…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When the image was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
}

/// A look at the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// How many tags there were.
    pub tags: i64,
    /// When it was.
    pub time: Time,
    /// The digest of the list of tags; an equal one means that nothing changed.
    pub digest: String,
    /// The tag that this look alone would choose. A lower one than `latest` must be chosen by two looks in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
}

/// A commit of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LastUpdate {
    /// The id of the commit.
    pub commit: String,
    /// The revision that it made. Example: `main@sha1:5f701c1…`.
    pub revision: String,
    /// When it was pushed.
    pub time: Time,
}
