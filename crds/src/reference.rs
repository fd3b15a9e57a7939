//! References to other objects that several kinds have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Secret of the object's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretReference {
    /// The name of the Secret. Example: `git-credentials`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl SecretReference {
    /// Refers to the Secret of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// A value in a Secret of the object's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyReference {
    /// The name of the Secret. Example: `staging-cluster`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret's data. Default: `value`, or `value.yaml` when there is no `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}
