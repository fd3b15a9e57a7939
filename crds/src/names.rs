//! The names that objects carry and others match on.

/// The API group.
pub const GROUP: &str = "flux.rs";
/// The version of the API.
pub const VERSION: &str = "v1alpha1";
/// Group and version, as `apiVersion` has it.
pub const API_VERSION: &str = "flux.rs/v1alpha1";

/// The field manager of everything that the controller applies.
pub const FIELD_MANAGER: &str = "flux";
/// The finalizer that lets a Sync prune before it goes.
pub const FINALIZER: &str = "flux.rs/finalizer";
/// The namespace that the controller is installed into.
pub const CONTROLLER_NAMESPACE: &str = "flux-system";
/// The service account that Syncs of [`CONTROLLER_NAMESPACE`] act as when they name none.
pub const ADMIN_SERVICE_ACCOUNT: &str = "flux-admin";
/// The service account that all other Syncs act as when they name none.
pub const DEFAULT_SERVICE_ACCOUNT: &str = "default";

/// Label on every managed object: the name of its Sync.
pub const LABEL_SYNC: &str = "flux.rs/sync";
/// Label on every managed object: the namespace of its Sync.
pub const LABEL_SYNC_NAMESPACE: &str = "flux.rs/sync-namespace";

/// Annotation on one of the three kinds: reconcile now; the value is a token that status echoes.
///
/// On a managed object the same name with the value `disabled` says: leave this object alone.
pub const RECONCILE: &str = "flux.rs/reconcile";
/// On a managed object, `disabled`: never delete it.
pub const PRUNE: &str = "flux.rs/prune";
/// On a managed object, `merge`, `if-not-present` or `ignore`: how it is applied.
pub const SSA: &str = "flux.rs/ssa";
/// On a managed object, `enabled`: delete and create it again when an immutable field changes.
pub const FORCE: &str = "flux.rs/force";
/// On a managed object, `disabled`: leave `${name}` in it as it is.
pub const SUBSTITUTE: &str = "flux.rs/substitute";
/// On an encrypted object, `disabled`: apply it as it is, for another controller that decrypts it.
pub const DECRYPT: &str = "flux.rs/decrypt";

/// What Flux v2 and v1 call the same things, so that their repositories work unchanged.
pub mod alias {
    /// Flux v2's [`RECONCILE`](super::RECONCILE) on a managed object.
    pub const V2_RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
    /// Flux v2's [`PRUNE`](super::PRUNE).
    pub const V2_PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
    /// Flux v2's [`SSA`](super::SSA); its values are `Override`, `Merge`, `IfNotPresent` and `Ignore`.
    pub const V2_SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
    /// Flux v2's [`FORCE`](super::FORCE).
    pub const V2_FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
    /// Flux v2's [`SUBSTITUTE`](super::SUBSTITUTE).
    pub const V2_SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
    /// Flux v2's [`DECRYPT`](super::DECRYPT).
    pub const V2_DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
    /// Flux v1: `true` means do not apply, `sync_only` means apply and never delete.
    pub const V1_IGNORE: &str = "fluxcd.io/ignore";
    /// The name of [`V1_IGNORE`] before Flux v1.17.
    pub const V1_WEAVE_IGNORE: &str = "flux.weave.works/ignore";
}
