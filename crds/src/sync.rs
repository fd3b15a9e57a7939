//! `Sync`: keeps a cluster equal to a path of a repository.

mod build;
mod health;
mod policy;
mod status;

use std::time;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, KeyReference, Notification, duration};

pub use build::{
    CommonMetadata, Decryption, DecryptionProvider, Image, Patch, Selector, Substitute,
    VariableSource, VariableSourceKind,
};
pub use health::{Dependency, HealthCheck, HealthExpressions};
pub use policy::{Deletion, Drift, DriftIgnore, DriftMode, PruneGuard, Rollback};
pub use status::{
    Failure, HistoryEntry, HookPhase, HookResult, HookRun, Inventory, InventoryEntry, ObjectDrift,
    RolledBack, SyncResult, SyncStatus,
};

const DEFAULT_INTERVAL: time::Duration = time::Duration::from_mins(10);
const DEFAULT_TIMEOUT: time::Duration = time::Duration::from_mins(5);

/// What a user asks of a sync.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "flux.rs",
    version = "v1alpha1",
    kind = "Sync",
    plural = "syncs",
    shortname = "sync",
    category = "flux",
    namespaced,
    status = "SyncStatus",
    derive = "PartialEq",
    doc = "Sync keeps a cluster equal to a path of a repository: it builds, applies, prunes and watches over what it applied.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Revision",
        type_ = "string",
        json_path = ".status.lastAppliedRevision"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#
    ),
    printcolumn(
        name = "Source",
        type_ = "string",
        json_path = ".spec.sourceRef.name",
        priority = 1
    ),
    printcolumn(
        name = "Path",
        type_ = "string",
        json_path = ".spec.path",
        priority = 1
    ),
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.wait) && self.wait && has(self.healthChecks) && size(self.healthChecks) > 0)").message("set wait, which checks everything that was applied, or healthChecks, not both"))]
pub struct SyncSpec {
    /// Where the desired state is.
    pub source_ref: SourceReference,
    /// The directory in the source: a kustomization, or plain YAML. Default: `./`, the whole source.
    /// Example: `./deploy/production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
    /// How often to verify that the cluster still is what was applied. A new revision is applied at once, whatever the
    /// interval. Default: `10m`. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// How long applying, hooks and waiting for health may take together, all waves included. Default: `5m`.
    /// Example: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// When to try again after a failure. Default: a backoff that starts with seconds and ends at the interval.
    /// Example: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
    /// Whether objects that left the source are deleted from the cluster. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// How much one revision may delete. Default: anything but everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune_guard: Option<PruneGuard>,
    /// What happens to the objects when this Sync is deleted: `Prune` deletes them, `Orphan` leaves them.
    /// Default: `Prune`, or `Orphan` when `prune` is `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// Syncs that must be ready, at the same revision when they have the same source, before this one is applied.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub depends_on: Vec<Dependency>,
    /// The service account of this namespace to act as; it needs the permissions for everything in the path.
    /// Default: `default`, or `flux-admin` in the controller's own namespace. Example: `team-a-deployer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,
    /// Another cluster to apply to, as the kubeconfig's own identity or, if `serviceAccountName` is set, as that account of
    /// the namespace of the same name there. Default: the cluster that this Sync lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfig>,
    /// The namespace that all namespaced objects are put into, whatever they say themselves; it must exist or be part of
    /// the path. Default: what the objects say. Example: `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,
    /// A text in front of the name of every object. Default: none. Example: `blue-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_prefix: Option<String>,
    /// A text behind the name of every object. Default: none. Example: `-canary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_suffix: Option<String>,
    /// Labels and annotations that every object gets; selectors and templates are left alone. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,
    /// Patches on top of the path's own, as in a kustomization. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub patches: Vec<Patch>,
    /// Images to replace, as in a kustomization. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub images: Vec<Image>,
    /// Components of the source to add, relative to the path, as in a kustomization. Default: none.
    /// Example: `["../../components/tls"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 1024)))]
    pub components: Vec<String>,
    /// Replaces `${name}` in the objects by values, in the forms of Flux v2: `${name:=default}`, `${name:?words}`,
    /// `${name:+other}`, `${name:1:2}`, `${name/a/b}`, …; `$$` is one `$`. An object annotated `flux.rs/substitute: disabled` is
    /// left alone. Default: nothing is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<Substitute>,
    /// How encrypted files are decrypted: manifests, patches and inputs of generators. An object annotated
    /// `flux.rs/decrypt: disabled` stays encrypted. Default: an encrypted Secret is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,
    /// Whether to be ready only when everything that was applied is healthy. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
    /// The objects that must be healthy, instead of everything. With `wait`, those that have `cel` must be healthy beside
    /// everything that was applied, and the expressions count for applied objects too. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub health_checks: Vec<HealthCheck>,
    /// Whether an object is deleted and created again when a field changes that cannot be changed. This can lose data.
    /// Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// When the last good revision is restored: `OnFailure` when applying fails midway, `OnUnhealthy` also when what was
    /// applied does not become healthy, `Never`. The failed revision is not tried again until the source or the spec changes
    /// or someone asks for a reconcile. What may pass by itself is tried again until `timeout` first. Default: `OnFailure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// Holds the Sync at this revision of its source. Set by `kubectl flux rollback`, cleared by `kubectl flux resume`.
    /// Default: the source's newest. Example: `main@sha1:5f701c1a9e1f0a4b7c6d8e9f0a1b2c3d4e5f6a7b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub revision: Option<String>,
    /// What to do when somebody else changes what was applied. Default: it is put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Who is told of what happens. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub notify: Vec<Notification>,
    /// Whether to leave the cluster as it is; a deletion of the Sync then leaves the objects too. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

impl SyncSpec {
    /// Returns the directory in the source.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("./")
    }

    /// Returns how often to verify the cluster.
    pub fn interval(&self) -> Result<time::Duration, duration::Error> {
        self.interval
            .as_ref()
            .map_or(Ok(DEFAULT_INTERVAL), Duration::get)
    }

    /// Returns how long applying and waiting may take together.
    pub fn timeout(&self) -> Result<time::Duration, duration::Error> {
        self.timeout
            .as_ref()
            .map_or(Ok(DEFAULT_TIMEOUT), Duration::get)
    }

    /// Returns when to try again after a failure, if the user says so.
    pub fn retry_interval(&self) -> Result<Option<time::Duration>, duration::Error> {
        self.retry_interval.as_ref().map(Duration::get).transpose()
    }

    /// Returns whether objects that left the source are deleted.
    pub fn prunes(&self) -> bool {
        self.prune.unwrap_or(true)
    }

    /// Returns what happens to the objects when the Sync is deleted.
    pub fn deletion(&self) -> Deletion {
        let default = if self.prunes() {
            Deletion::Prune
        } else {
            Deletion::Orphan
        };
        self.deletion.unwrap_or(default)
    }

    /// Returns whether to wait for the health of everything that was applied.
    pub fn waits(&self) -> bool {
        self.wait.unwrap_or(false)
    }

    /// Returns whether immutable fields are changed by deleting the object.
    pub fn forces(&self) -> bool {
        self.force.unwrap_or(false)
    }

    /// Returns when the last good revision is restored.
    pub fn rollback(&self) -> Rollback {
        self.rollback.unwrap_or_default()
    }

    /// Returns whether a person stopped this Sync.
    pub fn is_suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }
}

/// Where the desired state is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReference {
    /// The kind of the source. Default: `GitRepository`, the only one so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SourceKind>,
    /// The name of the source. Example: `fleet`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The namespace of the source; another one must allow it in its `accessFrom`. Default: the Sync's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum SourceKind {
    /// A [`GitRepository`](crate::GitRepository).
    #[default]
    GitRepository,
}

/// Another cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeConfig {
    /// The kubeconfig, in a Secret of this namespace that the service account may read. Its current context counts. Exec
    /// plugins, auth providers, paths of files, proxies, impersonation and unverified servers in it are refused.
    pub secret_ref: KeyReference,
}
