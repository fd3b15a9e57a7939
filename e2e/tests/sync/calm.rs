//! What others do to objects never makes a Sync reconcile again and again: its requests are counted.

use std::time::Duration;

use flux_crds::GitRepository;
use flux_e2e::install::CONTROLLER_USER;
use futures::future::join_all;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::stage::{APPS, SOURCE, Stage, map};

/// Time in which requests are counted: what does not happen cannot be awaited.
const WHILE: Duration = Duration::from_secs(3);
/// Requests about ConfigMaps in that time that a few looks make, and a loop exceeds by far.
const FEW: usize = 8;

/// Applies files and waits until they are.
async fn follow(spec: Value, files: &[(&str, &str)]) -> Stage {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    stage.edit(APPS, spec).await;
    let commit = stage.push(files).await;
    stage.applied(&commit).await;
    stage
}

async fn change(stage: &Stage, name: &str) {
    stage
        .by_hand(name, json!({"data": {"key": "by hand"}}))
        .await;
}

/// Asserts that the controller lists, reads and writes next to no ConfigMaps of the stage for a while.
async fn is_calm(stage: &Stage) {
    let audit = stage.control_plane.audit_log().from_now();
    tokio::time::sleep(WHILE).await;
    let requests = audit.requests().unwrap();
    let about_maps = requests.iter().filter(|request| {
        let object = request.object_ref.as_ref();
        let is_ours = request.user.username == CONTROLLER_USER;
        is_ours
            && object.is_some_and(|object| {
                object.resource == "configmaps" && object.namespace == stage.name()
            })
    });
    let verbs: Vec<&str> = about_maps.map(|request| &*request.verb).collect();
    assert!(verbs.len() <= FEW, "{} requests: {verbs:?}", verbs.len());
}

#[tokio::test]
async fn many_objects_whose_drift_is_only_reported_are_looked_at_once() {
    let names: Vec<String> = (0..70).map(|number| format!("map-{number}")).collect();
    let maps: Vec<String> = names.iter().map(|name| map(name, "a")).collect();
    let text = maps.join("---\n");
    let stage = follow(json!({"drift": {"mode": "Warn"}}), &[("maps.yaml", &text)]).await;
    join_all(names.iter().map(|name| change(&stage, name))).await;
    stage.reconcile().await;
    is_calm(&stage).await;
    assert_eq!(stage.data("map-7").await, Some(json!({"key": "by hand"})));
}

#[tokio::test]
async fn what_left_git_and_is_not_pruned_is_anybodys() {
    let files = [
        ("one.yaml", &*map("one", "a")),
        ("two.yaml", &map("two", "a")),
        ("three.yaml", &map("three", "a")),
    ];
    let stage = follow(json!({"prune": false}), &files).await;
    let commit = stage.remove(&["one.yaml", "two.yaml"]).await;
    stage.applied(&commit).await;
    change(&stage, "one").await;
    let deleted = stage.maps().delete("two", &DeleteParams::default()).await;
    deleted.unwrap();
    is_calm(&stage).await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "by hand"})));
}

#[tokio::test]
async fn what_git_says_to_ignore_from_now_on_is_anybodys() {
    let stage = follow(json!({}), &[("one.yaml", &map("one", "a"))]).await;
    let ignored = map("one", "b").replace(
        "metadata:\n",
        "metadata:\n  annotations: {flux.rs/ssa: Ignore}\n",
    );
    assert!(ignored.contains("flux.rs/ssa"), "{ignored}");
    let commit = stage.push(&[("one.yaml", &ignored)]).await;
    stage.applied(&commit).await;
    change(&stage, "one").await;
    is_calm(&stage).await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "by hand"})));
}

#[tokio::test]
async fn a_sync_that_waits_for_its_source_is_not_hurried_by_drift() {
    let stage = follow(json!({}), &[("one.yaml", &map("one", "a"))]).await;
    let sources = stage.api::<GitRepository>();
    sources
        .delete(SOURCE, &DeleteParams::default())
        .await
        .unwrap();
    stage.refused(APPS, "SourceNotFound").await;
    change(&stage, "one").await;
    is_calm(&stage).await;
}
