//! Waves: what comes first is healthy before the rest is applied.

use flux_crds::Sync;
use flux_e2e::wait;
use futures::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt as _, watcher};

use crate::stage::{APPS, Stage, deployment, map, message};

/// The manifest with a wave.
pub(crate) fn in_wave(manifest: &str, wave: i32) -> String {
    let annotation = format!("metadata:\n  annotations: {{flux.rs/wave: \"{wave}\"}}\n");
    manifest.replacen("metadata:\n", &annotation, 1)
}

/// A Deployment that no node takes.
fn stuck(name: &str) -> String {
    deployment(name, "nginx").replace(
        "      containers",
        "      nodeSelector: {nowhere: \"true\"}\n      containers",
    )
}

#[tokio::test]
async fn a_wave_is_applied_when_the_one_before_is_healthy() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[
            ("web.yaml", &in_wave(&deployment("web", "nginx"), -1)),
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &in_wave(&map("two", "a"), 2)),
        ])
        .await;
    stage.applied(&commit).await;
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    let available = web.status.unwrap().conditions.unwrap_or_default();
    let available = available
        .into_iter()
        .find(|condition| condition.type_.as_deref() == Some("Available"))
        .and_then(|condition| condition.last_transition_time);
    let one = stage.maps().get("one").await.unwrap();
    let two = stage.maps().get("two").await.unwrap();
    assert!(
        one.creation_timestamp().unwrap().0 >= available.unwrap().0,
        "the Deployment of the wave before was available"
    );
    let (one, two) = (one.resource_version(), two.resource_version());
    let number = |version: Option<String>| version.unwrap().parse::<u64>().unwrap();
    assert!(number(one) < number(two));
}

#[tokio::test]
async fn a_wave_that_is_not_healthy_is_taken_back_with_what_came_before() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.timeout = Some("3s".into());
    stage.create(&sync).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    stage
        .push(&[
            ("one.yaml", &in_wave(&map("one", "b"), -2)),
            ("web.yaml", &in_wave(&stuck("web"), -1)),
            ("two.yaml", &map("two", "a")),
        ])
        .await;
    let rolled_back = |sync: &Sync| wait::has_failed(sync, "RolledBack");
    let sync = wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    let text = message(&sync);
    assert!(text.contains("wave -1 is not healthy"), "{text}");
    assert_eq!(
        stage.data("two").await,
        None,
        "later waves were not applied"
    );
    assert_eq!(
        stage.data("one").await,
        Some(serde_json::json!({"key": "a"})),
        "earlier waves were taken back"
    );
    let all = ListParams::default();
    let left = stage.api::<Deployment>().list(&all).await.unwrap().items;
    let is_going = |found: &Deployment| found.metadata.deletion_timestamp.is_some();
    assert!(left.iter().all(is_going), "the wave itself too");
}

#[tokio::test]
async fn a_newer_commit_ends_the_wait_for_a_wave() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.timeout = Some("10m".into());
    stage.create(&sync).await;
    stage
        .push(&[
            ("web.yaml", &in_wave(&stuck("web"), -1)),
            ("two.yaml", &map("two", "a")),
        ])
        .await;
    let waits = |sync: &Sync| message(sync).contains("waiting for 1 objects");
    wait::until(&stage.syncs(), APPS, "waits for the wave", waits)
        .await
        .unwrap();
    assert_eq!(stage.data("two").await, None);
    let commit = stage
        .push(&[("web.yaml", &in_wave(&deployment("web", "nginx"), -1))])
        .await;
    stage.applied(&commit).await;
    assert!(stage.data("two").await.is_some());
}

#[tokio::test]
async fn a_wave_of_definitions_alone_can_be_used_by_the_next() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let group = format!("{}.example.com", stage.name());
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gadgets.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"
    );
    let gadget = format!("apiVersion: {group}/v1\nkind: Gadget\nmetadata:\n  name: one\n");
    let commit = stage
        .push(&[
            ("definition.yaml", &in_wave(&definition, -1)),
            ("gadget.yaml", &gadget),
        ])
        .await;
    stage.applied(&commit).await;
    let gadgets = stage.any(&format!("{group}/v1"), "Gadget", "gadgets");
    assert!(gadgets.get_opt("one").await.unwrap().is_some());
}

#[tokio::test]
async fn a_large_wave_does_not_take_its_own_changes_for_drift() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let many = |value: &str| {
        let maps = (0..80).map(|index| in_wave(&map(&format!("map-{index}"), value), -1));
        maps.collect::<Vec<_>>().join("---\n")
    };
    let commit = stage.push(&[("many.yaml", &many("a"))]).await;
    stage.applied(&commit).await;
    let is_cancelled = |sync: &Sync| {
        let ready = wait::condition(sync, "Ready");
        ready.is_some_and(|ready| ready.reason == "HealthCheckCancelled")
    };
    let syncs = stage.syncs();
    let mut stages = Box::pin(
        watcher(syncs, watcher::Config::default())
            .default_backoff()
            .applied_objects(),
    );
    let first = stages.try_next().await.unwrap();
    assert!(first.is_some(), "the watch has begun");
    let commit = stage
        .push(&[
            ("many.yaml", &many("b")),
            ("web.yaml", &in_wave(&deployment("web", "nginx"), -1)),
            ("last.yaml", &map("last", "a")),
        ])
        .await;
    while let Some(sync) = stages.try_next().await.unwrap() {
        assert!(!is_cancelled(&sync), "{}", message(&sync));
        let applied = sync.status.as_ref();
        let applied = applied.and_then(|status| status.last_applied_revision.as_deref());
        if applied.is_some_and(|revision| revision.contains(&commit)) {
            return;
        }
    }
}
