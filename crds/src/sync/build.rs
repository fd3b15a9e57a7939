//! The parts of a Sync that change what its path builds.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

/// Labels and annotations for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommonMetadata {
    /// Labels; they win over the objects' own. Example: `{team: payments}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations; they win over the objects' own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A patch, as an entry of `patches` in a kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// The patch itself: a strategic merge patch or a list of JSON patch operations, in YAML.
    #[schemars(length(min = 1, max = 65536))]
    pub patch: String,
    /// Which objects it changes. Default: the object that a strategic merge patch names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
    /// What the patch may do beyond changing fields: `allowNameChange`, `allowKindChange`. Default: neither.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, bool>,
}

/// Objects, by what they are and carry; an absent field matches all, and every field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// The API group. Example: `apps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub group: Option<String>,
    /// The API version without its group. Example: `v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub version: Option<String>,
    /// The kind. Example: `Deployment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub kind: Option<String>,
    /// The name, as a regular expression of the whole name. Example: `web-.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub name: Option<String>,
    /// The namespace, as a regular expression of the whole name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub namespace: Option<String>,
    /// A selector of labels, as `kubectl -l` has it. Example: `app=web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub label_selector: Option<String>,
    /// The same for annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub annotation_selector: Option<String>,
}

/// An image to replace, as an entry of `images` in a kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image as the manifests name it, without tag and digest. Example: `ghcr.io/org/app`.
    #[schemars(length(min = 1, max = 512))]
    pub name: String,
    /// The name to use instead. Default: the same. Example: `registry.internal/org/app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub new_name: Option<String>,
    /// The tag to use instead. Default: the same. Example: `v1.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub new_tag: Option<String>,
    /// The digest to use instead of a tag. Default: none. Example: `sha256:9f86d0…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub digest: Option<String>,
}

/// Values for `${name}` in the objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Substitute {
    /// Values by name; they win over those of `from`. Example: `{region: eu-1}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// ConfigMaps and Secrets of this namespace whose keys are names; later ones win. They are read as the Sync's service
    /// account, which must be allowed to get them; where it may also list and watch them, a change is applied at once. Line
    /// breaks in values are dropped. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub from: Vec<VariableSource>,
    /// Whether a name without a value and without a default is an error. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// A ConfigMap or Secret with values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariableSource {
    /// `ConfigMap` or `Secret`.
    pub kind: VariableSourceKind,
    /// The name of the object. Example: `cluster-settings`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Whether it may be missing. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// What can hold values.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum VariableSourceKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// How encrypted files are decrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decryption {
    /// The format of the encrypted files: `sops`.
    pub provider: DecryptionProvider,
    /// The private keys, in a Secret of this namespace that the Sync's service account may get: age and SSH identities under
    /// names that end in `.agekey`, armored OpenPGP keys under names that end in `.asc`, with their passphrase, if any, under
    /// the same name and `.passphrase`.
    pub secret_ref: SecretReference,
}

/// The formats of encrypted files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum DecryptionProvider {
    /// SOPS, with age and OpenPGP keys.
    Sops,
}
