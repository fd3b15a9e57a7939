//! The parts of a Sync that say what it waits for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Another Sync that must be ready first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// The name of the Sync. Example: `infrastructure`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its namespace. Default: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// A CEL expression that must be true as well; `dep` is the other Sync and `self` this one. While a field that it names
    /// is missing, it is not true. About a Sync of another namespace it is for Syncs in the controller's own namespace
    /// only, because the answers give away what stands in the other one. Default: none.
    /// Example: `dep.metadata.labels['version'] == self.metadata.labels['version']`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub ready: Option<String>,
}

/// An object that must be healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// The `apiVersion` of the object. Default: `apps/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub api_version: Option<String>,
    /// The kind of the object. Example: `Deployment`.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// The name of the object. Example: `web`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The namespace of the object. Default: `targetNamespace`, or the Sync's own; none for kinds without namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// When the object is healthy, for kinds that have no conditions of their own; asked when the newest generation of the
    /// object has been handled. Default: the built-in rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cel: Option<HealthExpressions>,
}

impl HealthCheck {
    /// Returns the `apiVersion` of the object.
    pub fn api_version(&self) -> &str {
        self.api_version.as_deref().unwrap_or("apps/v1")
    }
}

/// CEL expressions over the fields of an object: `status.phase` is a field, `has(status.phase)` asks whether it is there. The
/// first of `inProgress`, `failed` and `current` that is true decides; when none is, or a field is missing, the wait goes on
/// until `spec.timeout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthExpressions {
    /// True when the object is healthy. Example: `status.phase == 'Bound'`.
    #[schemars(length(min = 1, max = 4096))]
    pub current: String,
    /// True while it may still become healthy; looked at first. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub in_progress: Option<String>,
    /// True when it will not become healthy. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub failed: Option<String>,
}
