//! A Sync can do what its account can, and reads only what it is let to.

use std::collections::BTreeSet;

use flux_crds::notification::NotificationKind;
use flux_crds::sync::{HealthCheck, Rollback};
use flux_crds::{GitRepository, Notification, SecretReference};
use flux_e2e::{Receiver, install, wait};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::stage::{APPS, SOURCE, Stage, deployment, failures, inventory, map, message};

impl Stage {
    /// Gives the namespace's default account these rights to ConfigMaps in it, and no others.
    async fn allow(&self, verbs: Value) {
        self.apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "tenant", "namespace": self.name()},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}],
        }))
        .await;
        self.apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "tenant", "namespace": self.name()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tenant"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": self.name()}],
        }))
        .await;
    }
}

#[tokio::test]
async fn what_an_account_may_not_delete_stays_and_is_not_forgotten() {
    let stage = Stage::without_rights().await;
    stage
        .allow(json!(["get", "list", "watch", "create", "patch"]))
        .await;
    let mut sync = stage.sync();
    sync.spec.retry_interval = Some("1s".into());
    stage.create(&sync).await;
    let (one, two) = (map("one", "a"), map("two", "a"));
    let commit = stage.push(&[("one.yaml", &one), ("two.yaml", &two)]).await;
    stage.applied(&commit).await;

    stage.remove(&["two.yaml"]).await;
    let sync = stage.refused(APPS, "PruneFailed").await;
    assert!(message(&sync).contains("forbidden"), "{}", message(&sync));
    assert_eq!(inventory(&sync).len(), 2, "it can still be deleted later");
    assert!(stage.data("two").await.is_some());

    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    let waiting = wait::until(&syncs, APPS, "cannot end", |sync| {
        wait::condition(sync, "Ready").is_some_and(|ready| ready.reason == "FinalizeFailed")
    });
    waiting.await.unwrap();
    assert!(
        stage.data("one").await.is_some(),
        "nobody else deletes it either"
    );

    stage.allow(json!(["get", "list", "delete"])).await;
    wait::until_gone(&syncs, APPS).await.unwrap();
    assert_eq!(
        (stage.data("one").await, stage.data("two").await),
        (None, None)
    );
}

#[tokio::test]
async fn the_health_of_a_foreign_object_is_not_told() {
    let (tenant, other) = (Stage::without_rights().await, Stage::set().await);
    tenant.allow(json!(["*"])).await;
    let secret = "terminating-with-a-secret-in-its-state";
    other.apply(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job", "namespace": other.name()},
        "spec": {"suspend": true, "template": {"metadata": {"labels": {"note": secret}}, "spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "nginx"}],
        }}},
    })).await;
    let mut sync = tenant.sync();
    sync.spec.health_checks = vec![HealthCheck {
        api_version: Some("batch/v1".into()),
        kind: "Job".into(),
        name: "job".into(),
        namespace: Some(other.name().to_owned()),
        ..HealthCheck::default()
    }];
    tenant.create(&sync).await;
    tenant.push(&[("one.yaml", &map("one", "a"))]).await;
    let told = message(&tenant.refused(APPS, "AccessDenied").await);
    assert!(told.contains("forbidden"), "{told}");
    assert!(
        !told.contains("uspended") && !told.contains(secret),
        "{told}"
    );
}

#[tokio::test]
async fn who_may_not_write_an_object_learns_nothing_of_its_owner_and_keeps_nobody_from_deleting_it()
{
    let (tenant, owner) = (Stage::without_rights().await, Stage::set().await);
    tenant.allow(json!(["*"])).await;
    owner.create(&owner.sync().named("treasury")).await;
    let syncs = owner.syncs();
    let treasury = |commit: String| {
        let syncs = &syncs;
        async move {
            flux_e2e::reconcile::applied(syncs, "treasury", &commit)
                .await
                .unwrap()
        }
    };
    let (one, two) = (map("one", "a"), map("two", "a"));
    let commit = owner.push(&[("one.yaml", &one), ("two.yaml", &two)]).await;
    treasury(commit).await;

    let mut sync = tenant.sync();
    sync.spec.target_namespace = Some(owner.name().to_owned());
    tenant.create(&sync).await;
    let commit = tenant.push(&[("one.yaml", &map("one", "mine"))]).await;
    let sync = tenant.failed(&commit, "Rejected").await;
    assert_eq!(failures(&sync)[0].reason, "Forbidden");
    assert!(!message(&sync).contains("treasury"), "{}", message(&sync));

    // No version of the kind, so that no dry-run can tell what the account may do.
    let unknown = map("one", "mine").replace("apiVersion: v1", "apiVersion: v99");
    let commit = tenant.push(&[("one.yaml", &unknown)]).await;
    let sync = tenant.failed(&commit, "Rejected").await;
    assert!(!message(&sync).contains("treasury"), "{}", message(&sync));

    // Nothing is asked about objects that are left alone; nor are they anybody's for it.
    let disabled = |name| {
        let annotated = "metadata:\n  annotations: {flux.rs/reconcile: disabled}\n";
        map(name, "mine").replace("metadata:\n", annotated)
    };
    let (left, free) = (disabled("one"), disabled("free"));
    let files = [("one.yaml", &*left), ("free.yaml", &free)];
    let commit = tenant.push(&files).await;
    tenant.applied(&commit).await;
    let commit = owner.push(&[("free.yaml", &map("free", "a"))]).await;
    treasury(commit).await;

    let commit = owner.remove(&["one.yaml"]).await;
    treasury(commit).await;
    assert_eq!(
        owner.data("one").await,
        None,
        "it is deleted, not handed over"
    );
}

#[tokio::test]
async fn a_source_can_be_used_from_namespaces_with_a_label() {
    let (owner, guest) = (Stage::set().await, Stage::set().await);
    let label = format!("{}/guest", owner.name());
    let selected =
        json!({"spec": {"accessFrom": [{"namespaceSelector": {"matchLabels": {&label: "yes"}}}]}});
    let sources = owner.api::<GitRepository>();
    let select = sources
        .patch(SOURCE, &PatchParams::default(), &Patch::Merge(selected))
        .await;
    select.unwrap();
    let mut sync = guest.sync();
    sync.spec.source_ref.namespace = Some(owner.name().to_owned());
    guest.create(&sync).await;
    let commit = owner.push(&[("one.yaml", &map("one", "a"))]).await;
    guest.refused(APPS, "AccessDenied").await;

    let namespaces: Api<Namespace> = Api::all(guest.namespace.client());
    let invited = Patch::Merge(json!({"metadata": {"labels": {&label: "yes"}}}));
    let invite = namespaces
        .patch(guest.name(), &PatchParams::default(), &invited)
        .await;
    invite.unwrap();
    guest.reconcile().await;
    guest.applied(&commit).await;
}

/// What the controller may do in its own name: everything else it does as somebody.
fn is_its_own(request: &flux_e2e::control_plane::Request) -> bool {
    let Some(object) = &request.object_ref else {
        return true;
    };
    let place = (object.api_group.as_str(), object.resource.as_str());
    match place {
        ("flux.rs", _) | ("coordination.k8s.io", "leases") | ("" | "events.k8s.io", "events") => {
            true
        }
        ("", "secrets") if request.verb == "create" => object.namespace == install::NAMESPACE,
        ("", "secrets" | "namespaces" | "serviceaccounts") => request.verb == "get",
        _ => false,
    }
}

#[tokio::test]
async fn the_controller_touches_nothing_in_its_own_name() {
    let stage = Stage::set().await;
    let log = stage.control_plane.audit_log();
    let mut sync = stage.sync();
    sync.spec.wait = Some(true);
    sync.spec.rollback = Some(Rollback::OnUnhealthy);
    sync.spec.timeout = Some("5s".into());
    stage.create(&sync).await;
    let files = [
        ("one.yaml", map("one", "a")),
        ("two.yaml", map("two", "a")),
        ("web.yaml", deployment("web", "nginx")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    stage.applied(&commit).await;
    stage.by_hand("one", json!({"data": {"key": "mine"}})).await;
    stage.reconcile().await;
    let commit = stage.remove(&["two.yaml"]).await;
    stage.applied(&commit).await;
    // A claim that nothing fulfils.
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: never}\nspec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    stage
        .push(&[("never.yaml", claim), ("one.yaml", &map("one", "b"))])
        .await;
    stage.refused(APPS, "RolledBack").await;
    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    wait::until_gone(&syncs, APPS).await.unwrap();

    let requests = log.requests().unwrap();
    let controller: Vec<_> = requests
        .iter()
        .filter(|request| request.user.username == install::CONTROLLER_USER)
        .collect();
    let stray: BTreeSet<_> = controller
        .iter()
        .filter(|request| request.impersonated_user.is_none() && !is_its_own(request))
        .map(|request| format!("{} {}", request.verb, request.uri))
        .collect();
    assert_eq!(stray, BTreeSet::new());
    let account = format!("system:serviceaccount:{}:default", stage.name());
    let verbs: BTreeSet<_> = controller
        .iter()
        .filter(|request| {
            request
                .impersonated_user
                .as_ref()
                .is_some_and(|user| user.username == account)
        })
        .map(|request| request.verb.as_str())
        .collect();
    let expected = ["delete", "get", "list", "patch", "watch"].into();
    assert_eq!(verbs, expected, "all of it is done as the account");
}

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

#[tokio::test]
async fn a_secret_that_the_account_may_not_read_is_sent_to_nobody() {
    let tenant = Stage::without_rights().await;
    tenant.allow(json!(["*"])).await;
    let receiver = Receiver::start().unwrap();
    tenant
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "hook", "namespace": tenant.name()},
            "stringData": {"url": receiver.url("/hook"), "token": "key"},
        }))
        .await;
    let mut sync = tenant.sync();
    sync.spec.notify = vec![Notification {
        kind: NotificationKind::Webhook,
        url: None,
        secret_ref: Some(SecretReference::new("hook")),
        on: Vec::new(),
        template: None,
    }];
    tenant.create(&sync).await;
    let commit = tenant.push(&[("one.yaml", &map("one", "a"))]).await;
    tenant.applied(&commit).await;
    let told = tenant.event("NotificationFailed", APPS).await;
    assert!(told.contains("forbidden"), "{told}");
    assert!(receiver.received("/hook").is_empty());

    tenant.grant(tenant.name(), "default").await;
    receiver.wait_for("/hook", 1).await.unwrap();
}
