//! A commit reaches the cluster.

use flux_e2e::wait;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::stage::{APPS, Stage, failures, inventory, map};

#[tokio::test]
async fn a_field_that_cannot_be_changed_is_changed_by_force_alone() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let service = |address: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  ports: [{{port: 80}}]\n{address}"
        )
    };
    let commit = stage.push(&[("web.yaml", &service(""))]).await;
    stage.applied(&commit).await;
    let services = stage.api::<Service>();
    let first = services.get("web").await.unwrap();

    let commit = stage
        .push(&[("web.yaml", &service("  clusterIP: None\n"))])
        .await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert_eq!(failures(&sync)[0].reason, "Immutable");
    assert_eq!(services.get("web").await.unwrap().uid(), first.uid());

    stage.edit(APPS, json!({"force": true})).await;
    stage.applied(&commit).await;
    let second = services.get("web").await.unwrap();
    assert_ne!(second.uid(), first.uid(), "it is another object");
    let address = second.spec.unwrap().cluster_ip;
    assert_eq!(address.as_deref(), Some("None"));
}

#[tokio::test]
async fn a_commit_is_applied_and_told_in_the_status() {
    let stage = Stage::set().await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "b")),
        ])
        .await;
    stage.create(&stage.sync()).await;
    let sync = stage.applied(&commit).await;

    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    let status = sync.status.clone().unwrap();
    let revision = format!("main@sha1:{commit}");
    assert_eq!(status.last_applied_revision, Some(revision.clone()));
    assert_eq!(status.last_attempted_revision, Some(revision.clone()));
    assert_eq!(status.history[0].revision, revision);
    let namespace = stage.name();
    assert_eq!(
        inventory(&sync),
        [
            format!("{namespace}_one__ConfigMap"),
            format!("{namespace}_two__ConfigMap")
        ]
    );
    let labels = stage.maps().get("one").await.unwrap().metadata.labels;
    let labels = labels.unwrap();
    assert_eq!(labels["flux.rs/sync"], APPS);
    assert_eq!(labels["flux.rs/sync-namespace"], namespace);
    let told = stage.event("Applied", APPS).await;
    assert!(told.contains(&commit), "{told}");
}

#[tokio::test]
async fn a_commit_writes_only_the_objects_that_it_changes() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let first = [("one.yaml", map("one", "a")), ("two.yaml", map("two", "b"))];
    let first = first.each_ref().map(|(path, text)| (*path, text.as_str()));
    stage.applied(&stage.push(&first).await).await;
    let (one, two) = (stage.version("one").await, stage.version("two").await);

    let commit = stage.push(&[("two.yaml", &map("two", "c"))]).await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("two").await, Some(json!({"key": "c"})));
    assert_eq!(stage.version("one").await, one, "nothing changed in it");
    assert_ne!(stage.version("two").await, two);
}

#[tokio::test]
async fn a_reconcile_without_a_change_writes_nothing() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let before = stage.version("one").await;
    let sync = stage.reconcile().await;
    assert!(wait::is_ready(&sync));
    assert_eq!(stage.version("one").await, before);
}

#[tokio::test]
async fn a_removed_file_is_pruned() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "b")),
        ])
        .await;
    stage.applied(&commit).await;
    let commit = stage.remove(&["two.yaml"]).await;
    let sync = stage.applied(&commit).await;
    assert_eq!(stage.data("two").await, None);
    assert!(stage.data("one").await.is_some());
    assert_eq!(
        inventory(&sync),
        [format!("{}_one__ConfigMap", stage.name())]
    );
}

#[tokio::test]
async fn a_kind_and_its_object_arrive_in_one_commit() {
    let stage = Stage::set().await;
    let group = format!("{}.example.org", stage.name());
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: lamps.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Lamp, plural: lamps, singular: lamp}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {{type: object, properties: {{colour: {{type: string}}}}}}
"
    );
    let lamp = format!(
        "apiVersion: {group}/v1\nkind: Lamp\nmetadata:\n  name: desk\nspec:\n  colour: red\n"
    );
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[("a-lamp.yaml", &lamp), ("b-definition.yaml", &definition)])
        .await;
    stage.applied(&commit).await;
    let lamps = stage.any(&format!("{group}/v1"), "Lamp", "lamps");
    assert_eq!(
        lamps.get("desk").await.unwrap().data["spec"]["colour"],
        "red"
    );
}

#[tokio::test]
async fn a_namespace_and_its_content_arrive_in_one_commit() {
    let stage = Stage::set().await;
    let inner = format!("{}-inner", stage.name());
    let mut sync = stage.sync();
    sync.spec.target_namespace = None;
    stage.create(&sync).await;
    let content = map("one", "a").replace("name: one", &format!("name: one\n  namespace: {inner}"));
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {inner}\n");
    let commit = stage
        .push(&[("a.yaml", &content), ("z.yaml", &namespace)])
        .await;
    stage.applied(&commit).await;
    let client = stage.namespace.client();
    Api::<Namespace>::all(client.clone())
        .get(&inner)
        .await
        .unwrap();
    Api::<ConfigMap>::namespaced(client, &inner)
        .get("one")
        .await
        .unwrap();
}
