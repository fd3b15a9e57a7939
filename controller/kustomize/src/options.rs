use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::RemoteTrees;

/// How a build is to be done; the default is what Flux does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The order of the objects.
    pub order: Order,
    /// Which files a kustomization may name.
    pub restriction: LoadRestriction,
    /// Which kinds are known to stand outside namespaces.
    pub scopes: Scopes,
    /// What comes on top of the directory's own kustomization.
    pub overlay: Overlay,
    /// Whether to label all objects with what built them, even if no kustomization asks for it.
    pub managed_by_label: bool,
    /// Whether a directory without a kustomization is an error, as for the `kustomize` command.
    pub require_kustomization: bool,
    /// Whether to tell for each field what set it; see [`Object::changes`](crate::Object::changes).
    pub explain: bool,
    /// Brings bases that are in other git repositories; without it they are refused.
    pub remotes: Option<Arc<dyn RemoteTrees>>,
    /// How much a build may take.
    pub limits: Limits,
}

/// The order of the objects when the kustomization itself asks for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As the files name them.
    #[default]
    Fifo,
    /// By kind, as the `kustomize` command orders by default.
    Legacy,
}

/// Which files a kustomization may name; none leads out of the tree in either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoadRestriction {
    /// Any file of the tree, as in Flux.
    #[default]
    None,
    /// Only files in the directory of the kustomization and below, as the `kustomize` command.
    RootOnly,
}

/// Which kinds are known to stand outside namespaces, so that no namespace is written into them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scopes {
    /// Those of Kubernetes that kustomize knows; it writes a namespace into all others.
    #[default]
    Known,
    /// Also those that a `CustomResourceDefinition` says so of which is built along with them.
    Defined,
}

/// Fields that are put on top of a build as one more kustomization, for example those of a Sync.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay {
    /// What these fields belong to, for errors, for example `Sync shop/web`.
    pub source: String,
    /// The namespace of all objects.
    pub namespace: Option<String>,
    /// Text before all names.
    pub name_prefix: String,
    /// Text after all names.
    pub name_suffix: String,
    /// Labels and annotations of all objects.
    pub common_metadata: CommonMetadata,
    /// Entries of kustomize's `images`.
    pub images: Vec<Value>,
    /// Entries of kustomize's `patches`.
    pub patches: Vec<Value>,
    /// Directories of components, relative to the built directory.
    pub components: Vec<String>,
}

/// Labels and annotations for all objects; selectors and templates stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonMetadata {
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How much a build may take before it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: usize,
    /// Bytes of all files together.
    pub total_bytes: usize,
    /// Objects of the build.
    pub objects: usize,
    /// Levels of kustomizations that include each other.
    pub depth: usize,
    /// Kustomizations of the build; one counts as often as it is included.
    pub kustomizations: usize,
    /// Values that the build makes: fields and items that are read, and those that patches and
    /// other steps write. A long text counts as one for each 64 bytes.
    pub values: usize,
    /// When the build is given up; `None` means never.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            total_bytes: 256 << 20,
            objects: 100_000,
            depth: 64,
            kustomizations: 20_000,
            values: 20_000_000,
            deadline: None,
        }
    }
}
