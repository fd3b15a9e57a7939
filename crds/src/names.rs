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
/// Annotation on a Sync with the token of [`RECONCILE`]: this time apply every object, also those that seem as they were
/// left, and put back what others changed whatever `spec.drift` says.
pub const FULL: &str = "flux.rs/full";
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

/// On a managed object, a whole number: objects of a lower wave are healthy before those of a higher one are applied.
/// Default: `0`.
pub const WAVE: &str = "flux.rs/wave";
/// On a managed Job, `pre-sync`, `post-sync` or `on-failure`, or several with commas: it runs once per revision, at that point.
pub const HOOK: &str = "flux.rs/hook";
/// On a hook, `succeeded`, `failed` or both with a comma: delete the Job when it ended so. It is always deleted before its next
/// run.
pub const HOOK_CLEANUP: &str = "flux.rs/hook-cleanup";
/// On a hook, written by the controller: which run it is.
pub const HOOK_RUN: &str = "flux.rs/hook-run";

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
    /// Argo CD's [`WAVE`](super::WAVE).
    pub const ARGO_WAVE: &str = "argocd.argoproj.io/sync-wave";
    /// Argo CD's [`HOOK`](super::HOOK); its values are `PreSync`, `PostSync` and `SyncFail`.
    pub const ARGO_HOOK: &str = "argocd.argoproj.io/hook";
    /// Argo CD's [`HOOK_CLEANUP`](super::HOOK_CLEANUP); its values are `HookSucceeded`, `HookFailed` and `BeforeHookCreation`.
    pub const ARGO_HOOK_CLEANUP: &str = "argocd.argoproj.io/hook-delete-policy";
}
