//! The end of a Sync.

use flux_crds::{GitRepository, sync::Deletion};
use flux_e2e::wait;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, api::DeleteParams};
use serde_json::json;

use crate::stage::{APPS, SOURCE, Stage, deployment, map};

async fn delete(stage: &Stage) {
    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    wait::until_gone(&syncs, APPS).await.unwrap();
}

#[tokio::test]
async fn what_a_sync_applied_goes_with_it() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    delete(&stage).await;
    assert_eq!(stage.data("one").await, None);
}

#[tokio::test]
async fn a_sync_can_leave_what_it_applied() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.deletion = Some(Deletion::Orphan);
    stage.create(&sync).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    delete(&stage).await;
    assert!(stage.data("one").await.is_some());
}

#[tokio::test]
async fn a_suspended_sync_leaves_what_it_applied() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    stage.edit(APPS, json!({"suspend": true})).await;
    delete(&stage).await;
    let told = stage.event("Finalized", APPS).await;
    assert!(told.contains("suspended"), "{told}");
    assert!(stage.data("one").await.is_some());
}

#[tokio::test]
async fn objects_are_deleted_in_the_reverse_of_the_order_in_which_they_were_applied() {
    let stage = Stage::set().await;
    let log = stage.control_plane.audit_log().from_now();
    stage.create(&stage.sync()).await;
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n";
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";
    let files = [
        ("account.yaml", account),
        ("map.yaml", &map("one", "a")),
        ("service.yaml", service),
        ("web.yaml", &deployment("web", "nginx")),
    ];
    let commit = stage.push(&files).await;
    stage.applied(&commit).await;
    delete(&stage).await;

    let actor = format!("system:serviceaccount:{}:default", stage.name());
    let requests = log.requests().unwrap();
    let written = |verb: &str| -> Vec<String> {
        let mine = requests.iter().filter(|request| {
            let user = request.impersonated_user.as_ref();
            request.is_write()
                && request.verb == verb
                && user.is_some_and(|user| user.username == actor)
        });
        mine.filter_map(|request| Some(request.object_ref.as_ref()?.resource.clone()))
            .collect()
    };
    let applied = written("patch");
    assert_eq!(
        applied,
        ["serviceaccounts", "configmaps", "services", "deployments"]
    );
    let mut deleted = written("delete");
    deleted.reverse();
    assert_eq!(deleted, applied);
}

#[tokio::test]
async fn a_sync_ends_without_its_source() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let sources = stage.api::<GitRepository>();
    sources
        .delete(SOURCE, &DeleteParams::default())
        .await
        .unwrap();
    wait::until_gone(&sources, SOURCE).await.unwrap();
    delete(&stage).await;
    assert_eq!(stage.data("one").await, None);
}

#[tokio::test]
async fn a_sync_whose_account_is_gone_ends_and_names_what_it_leaves() {
    let stage = Stage::without_rights().await;
    let binding = format!("{}-deployer", stage.name());
    stage.grant(&binding, "deployer").await;
    stage.create(&stage.sync().acting_as("deployer")).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let bindings: Api<k8s_openapi::api::rbac::v1::ClusterRoleBinding> =
        Api::all(stage.namespace.client());
    bindings
        .delete(&binding, &DeleteParams::default())
        .await
        .unwrap();
    delete(&stage).await;
    let told = stage.event("FinalizeFailed", APPS).await;
    assert!(told.contains("ConfigMap") && told.contains("one"), "{told}");
}

#[tokio::test]
async fn a_sync_ends_although_a_kind_of_its_objects_is_gone() {
    let stage = Stage::set().await;
    let group = format!("{}.example.org", stage.name());
    let name = format!("chairs.{group}");
    stage
        .apply(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": {"kind": "Chair", "plural": "chairs", "singular": "chair"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
            },
        }))
        .await;
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.namespace.client());
    let served = |definition: &CustomResourceDefinition| {
        wait::condition(definition, "Established").is_some_and(|served| served.holds)
    };
    wait::until(&definitions, &name, "is served", served)
        .await
        .unwrap();
    stage.create(&stage.sync()).await;
    let chair = format!("apiVersion: {group}/v1\nkind: Chair\nmetadata:\n  name: desk\n");
    let commit = stage
        .push(&[("chair.yaml", &chair), ("one.yaml", &map("one", "a"))])
        .await;
    stage.applied(&commit).await;
    definitions
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    wait::until_gone(&definitions, &name).await.unwrap();
    delete(&stage).await;
    assert_eq!(stage.data("one").await, None);
}
