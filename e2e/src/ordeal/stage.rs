//! What is in the cluster before the first revision.

use anyhow::{Context as _, Result};
use flux_crds::{GitRepository, Sync};
use serde_json::json;

use super::{FORGED, SOURCE, STRANGERS, SYNC};
use crate::{TestNamespace, install};

/// Creates the Sync, its source, an account that may do anything, and objects that are none of the Sync's business.
pub(super) async fn set(namespace: &TestNamespace, url: &str) -> Result<()> {
    grant(namespace).await?;
    for name in STRANGERS {
        stranger(namespace, name).await?;
    }
    let mut source = GitRepository::test()
        .named(SOURCE)
        .in_namespace(namespace.name())
        .with_url(url)
        .with_branch("main");
    // Nothing passes by luck of an interval.
    source.spec.interval = Some("1h".into());
    source.spec.retry_interval = Some("1s".into());
    let created = namespace.api().create(&<_>::default(), &source).await;
    created.context("create the GitRepository")?;
    let mut sync = Sync::test()
        .named(SYNC)
        .in_namespace(namespace.name())
        .with_source(SOURCE);
    sync.spec.target_namespace = Some(namespace.name().to_owned());
    sync.spec.interval = Some("1h".into());
    sync.spec.retry_interval = Some("1s".into());
    let created = namespace.api().create(&<_>::default(), &sync).await;
    created.context("create the Sync")?;
    Ok(())
}

/// Lets the Sync's account do anything.
async fn grant(namespace: &TestNamespace) -> Result<()> {
    apply(namespace, json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "admin"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace.name()}],
    }))
    .await
}

/// Creates what the Sync must never touch.
async fn stranger(namespace: &TestNamespace, name: &str) -> Result<()> {
    let labels = match name {
        FORGED => json!({"flux.rs/sync": SYNC, "flux.rs/sync-namespace": namespace.name()}),
        _ => json!({}),
    };
    let metadata = json!({"name": name, "namespace": namespace.name(), "labels": labels});
    let stranger = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    apply(namespace, stranger).await
}

async fn apply(namespace: &TestNamespace, object: serde_json::Value) -> Result<()> {
    let object = serde_json::from_value(object).context("read an object")?;
    install::apply(&namespace.client(), &object).await.map(drop)
}
