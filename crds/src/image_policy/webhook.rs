//! How a registry tells of a new image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

/// How a registry tells of a new image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageWebhook {
    /// A Secret of this namespace with the shared `token`. The path to call is made of it, and the registries that can
    /// sign or send a token must do so: `GHCR` and `Generic` sign with it, `Distribution` and `Harbor` send it in the
    /// header `Authorization`, with or without `Bearer` in front.
    pub secret_ref: SecretReference,
    /// Which registry calls: `Distribution`, `GHCR`, `DockerHub`, `Quay`, `Harbor` or `Generic`.
    pub kind: ImageWebhookKind,
}

/// The registries whose calls are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum ImageWebhookKind {
    /// The registry of the CNCF, formerly Docker's.
    Distribution,
    /// GitHub's registry.
    #[serde(rename = "GHCR")]
    Ghcr,
    /// Docker Hub.
    DockerHub,
    /// Quay.
    Quay,
    /// Harbor.
    Harbor,
    /// Anything that signs its call with the token.
    Generic,
}
