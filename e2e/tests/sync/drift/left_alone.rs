//! What is left to others on purpose.

use flux_e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::Patch;
use serde_json::json;

use super::{as_manager, drifted, follow, image, is_back, told_of};
use crate::stage::{APPS, deployment, map};

#[tokio::test]
async fn replicas_that_are_not_in_git_and_a_restart_are_left_to_whoever_sets_them() {
    let without_replicas = deployment("web", "app:1").replace("  replicas: 1\n", "");
    let stage = follow(
        json!({}),
        &[
            ("web.yaml", &without_replicas),
            ("one.yaml", &map("one", "a")),
        ],
    )
    .await;
    for arguments in [
        &["scale", "deployment/web", "--replicas=3"][..],
        &["rollout", "restart", "deployment/web"],
        &["label", "deployment/web", "team=shop"],
    ] {
        let mut kubectl = stage.control_plane.kubectl().unwrap();
        kubectl.args(["--namespace", stage.name()]).args(arguments);
        assert!(kubectl.output().unwrap().status.success(), "{arguments:?}");
    }
    // What is put back after them was seen after them.
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    is_back(&stage).await;
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    let spec = &web.spec;
    assert_eq!(spec.replicas, Some(3));
    assert_eq!(web.labels()["team"], "shop");
    let annotations = spec
        .template
        .metadata
        .as_ref()
        .unwrap()
        .annotations
        .as_ref();
    assert!(
        annotations
            .unwrap()
            .contains_key("kubectl.kubernetes.io/restartedAt")
    );
    let ours = web.managed_fields().iter();
    let mut ours = ours.filter(|entry| entry.manager.as_deref() == Some("flux"));
    let first = web.creation_timestamp().unwrap();
    assert!(
        ours.all(|entry| entry.time.as_ref() >= Some(&first)),
        "it was not applied again"
    );
    assert!(
        !told_of(&stage, "Deployment").await,
        "nobody was told of it"
    );
}

#[tokio::test]
async fn a_sync_that_warns_reports_drift_and_leaves_it() {
    let stage = follow(json!({"mode": "Warn"}), &[("one.yaml", &map("one", "a"))]).await;
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    let sync = drifted(&stage, "Drifted").await;
    let drift = &sync.status.as_ref().unwrap().drift[0];
    assert_eq!(drift.object, format!("ConfigMap/{}/one", stage.name()));
    assert_eq!(drift.manager.as_deref(), Some("kubectl-edit"));
    let sync = stage.reconcile().await;
    assert!(wait::is_ready(&sync));
    assert_eq!(
        sync.status.as_ref().unwrap().drift.len(),
        1,
        "a reconcile reports it as well"
    );
    assert_eq!(stage.data("one").await, Some(json!({"key": "by hand"})));

    stage.edit(APPS, json!({"drift": {"mode": "Repair"}})).await;
    is_back(&stage).await;
}

#[tokio::test]
async fn a_sync_that_ignores_drift_says_nothing_and_leaves_it() {
    let stage = follow(json!({"mode": "Ignore"}), &[("one.yaml", &map("one", "a"))]).await;
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    let sync = stage.reconcile().await;
    assert!(wait::is_ready(&sync));
    assert_eq!(wait::condition(&sync, "Drifted"), None);
    assert_eq!(stage.data("one").await, Some(json!({"key": "by hand"})));
}

#[tokio::test]
async fn an_ignored_field_stays_as_it_is_also_when_another_is_put_back() {
    let rule = json!({"ignore": [{"target": {"kind": "ConfigMap"}, "pointers": ["/data/other"]}]});
    let text = format!("{}  other: a\n", map("one", "a"));
    let stage = follow(rule, &[("one.yaml", &text), ("two.yaml", &map("two", "a"))]).await;
    stage
        .by_hand("one", json!({"data": {"other": "theirs"}}))
        .await;
    stage
        .by_hand("one", json!({"data": {"key": "theirs"}}))
        .await;
    is_back(&stage).await;
    assert_eq!(
        stage.data("one").await,
        Some(json!({"key": "a", "other": "theirs"}))
    );
    stage.reconcile().await;
    assert_eq!(
        stage.data("one").await,
        Some(json!({"key": "a", "other": "theirs"}))
    );
}

#[tokio::test]
async fn changes_by_an_ignored_manager_stay() {
    let rule = json!({"ignore": [{"managers": ["kubectl-edit"]}]});
    let stage = follow(
        rule,
        &[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "a")),
        ],
    )
    .await;
    stage
        .by_hand("one", json!({"data": {"key": "theirs"}}))
        .await;
    let by_other = Patch::Merge(json!({"data": {"key": "theirs"}}));
    let patched = stage
        .maps()
        .patch("two", &as_manager("other"), &by_other)
        .await;
    patched.unwrap();
    let maps = stage.maps();
    let back = wait::until(&maps, "two", "is put back", |map| {
        map.data.as_ref().is_some_and(|data| data["key"] == "a")
    });
    back.await.unwrap();
    assert_eq!(stage.data("one").await, Some(json!({"key": "theirs"})));
}

#[tokio::test]
async fn a_suspended_sync_and_an_object_that_asks_for_it_are_left_alone() {
    let stage = follow(
        json!({}),
        &[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "a")),
        ],
    )
    .await;
    let hands_off = json!({"metadata": {"annotations": {"flux.rs/reconcile": "disabled"}}, "data": {"key": "by hand"}});
    stage.by_hand("two", hands_off).await;
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    is_back(&stage).await;
    assert_eq!(stage.data("two").await, Some(json!({"key": "by hand"})));

    stage.edit(APPS, json!({"suspend": true})).await;
    stage.reconcile().await;
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    stage.reconcile().await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "by hand"})));
    stage.edit(APPS, json!({"suspend": false})).await;
    is_back(&stage).await;
}

#[tokio::test]
async fn an_ignored_field_stays_also_with_a_new_revision() {
    let rule =
        json!({"ignore": [{"target": {"kind": "Deployment"}, "pointers": ["/spec/replicas"]}]});
    let stage = follow(rule, &[("web.yaml", &deployment("web", "app:1"))]).await;
    let mut kubectl = stage.control_plane.kubectl().unwrap();
    kubectl.args([
        "--namespace",
        stage.name(),
        "scale",
        "deployment/web",
        "--replicas=3",
    ]);
    assert!(kubectl.output().unwrap().status.success());
    let commit = stage
        .push(&[("web.yaml", &deployment("web", "app:2"))])
        .await;
    stage.applied(&commit).await;
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    assert_eq!((image(&web), web.spec.replicas), ("app:2", Some(3)));
}
