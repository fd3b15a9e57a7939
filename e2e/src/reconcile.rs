//! Asking the controller for a reconcile, and waiting for its end.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result};
use flux_crds::{Sync, names};
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::wait;

/// Asks for a reconcile now and returns the token that status will echo.
pub async fn poke<K>(api: &Api<K>, name: &str) -> Result<String>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let token = format!(
        "{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    poke_with(api, name, &token).await?;
    Ok(token)
}

/// Asks for a reconcile now, with a token of the caller's.
pub async fn poke_with<K>(api: &Api<K>, name: &str, token: &str) -> Result<()>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let patch = serde_json::json!({"metadata": {"annotations": {names::RECONCILE: token}}});
    let patched = api
        .patch_metadata(name, &PatchParams::default(), &Patch::Merge(patch))
        .await;
    patched.with_context(|| format!("ask for a reconcile of {name}"))?;
    Ok(())
}

/// Waits until the reconcile with this token has ended, well or not.
pub async fn handled<K>(api: &Api<K>, name: &str, token: &str) -> Result<K>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    let what = format!("handles the reconcile {token}");
    wait::until(api, name, &what, |object| {
        let object = serde_json::to_value(object).unwrap_or_default();
        object
            .pointer("/status/lastHandledReconcile")
            .is_some_and(|handled| handled == token)
    })
    .await
}

/// Asks for a reconcile and waits until it has ended, well or not.
pub async fn now<K>(api: &Api<K>, name: &str) -> Result<K>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    let token = poke(api, name).await?;
    handled(api, name, &token).await
}

/// Waits until the Sync is Ready with this commit.
pub async fn applied(api: &Api<Sync>, name: &str, commit: &str) -> Result<Sync> {
    let what = format!("is Ready with {commit}");
    wait::until(api, name, &what, |sync| {
        let revision = sync
            .status
            .as_ref()
            .and_then(|status| status.last_applied_revision.as_deref());
        wait::is_ready(sync) && revision.is_some_and(|revision| revision.contains(commit))
    })
    .await
}

/// Waits until the Sync has tried this commit and failed.
pub async fn failed(api: &Api<Sync>, name: &str, commit: &str) -> Result<Sync> {
    let what = format!("fails with {commit}");
    wait::until(api, name, &what, |sync| {
        let revision = sync
            .status
            .as_ref()
            .and_then(|status| status.last_attempted_revision.as_deref());
        let ready = wait::condition(sync, "Ready");
        ready.is_some_and(|ready| ready.status == "False")
            && revision.is_some_and(|revision| revision.contains(commit))
    })
    .await
}
