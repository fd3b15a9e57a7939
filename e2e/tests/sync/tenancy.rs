//! A Sync can do what its account can, and reads only what it is let to.

use flux_crds::GitRepository;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::stage::{APPS, SOURCE, Stage, failures, map, message};

#[tokio::test]
async fn a_sync_without_rights_applies_nothing_until_its_account_has_them() {
    let stage = Stage::without_rights().await;
    stage.create(&stage.sync().acting_as("deployer")).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.failed(&commit, "Rejected").await;
    let account = format!("system:serviceaccount:{}:deployer", stage.name());
    assert!(message(&sync).contains(&account), "{}", message(&sync));
    assert_eq!(failures(&sync)[0].reason, "Forbidden");
    assert_eq!(stage.data("one").await, None);

    stage
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "deployer", "namespace": stage.name()},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}],
        }))
        .await;
    stage
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "deployer", "namespace": stage.name()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
            "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": stage.name()}],
        }))
        .await;
    stage.reconcile().await;
    stage.applied(&commit).await;
    assert!(stage.data("one").await.is_some());
}

#[tokio::test]
async fn a_tenant_cannot_write_into_the_namespace_of_another() {
    let (tenant, other) = (Stage::without_rights().await, Stage::set().await);
    let rights = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "admin", "namespace": tenant.name()},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": tenant.name()}],
    });
    tenant.apply(rights).await;
    let mut sync = tenant.sync();
    sync.spec.target_namespace = Some(other.name().to_owned());
    tenant.create(&sync).await;
    let commit = tenant.push(&[("one.yaml", &map("one", "a"))]).await;
    tenant.failed(&commit, "Rejected").await;
    assert_eq!(other.data("one").await, None);
}

#[tokio::test]
async fn a_source_of_another_namespace_is_used_only_where_it_allows_it() {
    let (owner, guest) = (Stage::set().await, Stage::set().await);
    let mut sync = guest.sync();
    sync.spec.source_ref.namespace = Some(owner.name().to_owned());
    guest.create(&sync).await;
    let commit = owner.push(&[("one.yaml", &map("one", "a"))]).await;
    let refused = guest.refused(APPS, "AccessDenied").await;
    assert!(
        message(&refused).contains("spec.accessFrom"),
        "{}",
        message(&refused)
    );
    assert_eq!(guest.data("one").await, None);

    let allowed = Patch::Merge(json!({"spec": {"accessFrom": [{"namespace": guest.name()}]}}));
    let sources = owner.api::<GitRepository>();
    let allow = sources
        .patch(SOURCE, &PatchParams::default(), &allowed)
        .await;
    allow.unwrap();
    owner.fetch().await;
    guest.reconcile().await;
    guest.applied(&commit).await;
    assert!(guest.data("one").await.is_some());
}
