//! Where a chosen image is written down, and what holds it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds an image as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// Who holds it. Example: `ada`.
    #[schemars(length(min = 1, max = 255))]
    pub by: String,
    /// Why. Example: `1.4 loses orders, see #812`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
}

/// One place to write the chosen image to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// The GitRepository to commit to; its `write` says how.
    pub repository: RepositoryReference,
    /// The directory whose files may be changed. Default: `./`, the whole repository. Example: `./apps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
    /// How the places are found: `Markers` behind the image, `Annotations` on the workload, or `Images` of a
    /// kustomization. Default: `Markers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<UpdateStrategy>,
}

/// A GitRepository of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepositoryReference {
    /// The name of the GitRepository. Example: `fleet`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// How the places to change are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum UpdateStrategy {
    /// A comment with `$imagepolicy` behind the value.
    #[default]
    Markers,
    /// Flux v1's annotations on the workload.
    Annotations,
    /// The `images` entries of a kustomization with that name.
    Images,
}
