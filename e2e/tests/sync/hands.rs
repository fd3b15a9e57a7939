//! What people do to the objects, and other Syncs.

use flux_e2e::wait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

use crate::stage::{APPS, Stage, map, message};

#[tokio::test]
async fn an_edit_by_hand_is_put_back_and_told() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    let sync = stage.reconcile().await;
    assert!(wait::is_ready(&sync), "{}", message(&sync));
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    let told = stage.event("Drifted", APPS).await;
    assert!(told.contains("kubectl-edit"), "{told}");
}

#[tokio::test]
async fn a_deleted_object_comes_back() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let deleted = stage.maps().delete("one", &DeleteParams::default()).await;
    deleted.unwrap();
    stage.reconcile().await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
}

#[tokio::test]
async fn an_object_of_kubectl_is_taken_over_with_its_fields() {
    let stage = Stage::set().await;
    let by_kubectl = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"},
        "data": {"key": "old", "extra": "by hand"},
    });
    let mut kubectl = stage.control_plane.kubectl().unwrap();
    kubectl.args(["--namespace", stage.name(), "create", "--filename=-"]);
    run(&mut kubectl, &by_kubectl);
    let uid = stage.maps().get("one").await.unwrap().uid();
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    assert_eq!(
        stage.data("one").await,
        Some(json!({"key": "a"})),
        "what is not in git goes"
    );
    assert_eq!(stage.maps().get("one").await.unwrap().uid(), uid);
}

#[tokio::test]
async fn a_field_that_leaves_git_leaves_the_object() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let text = format!("{}  other: b\n", map("one", "a"));
    stage
        .applied(&stage.push(&[("one.yaml", &text)]).await)
        .await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
}

#[tokio::test]
async fn an_object_of_another_sync_is_handed_over_and_never_deleted() {
    let stage = Stage::set().await;
    stage.create(&stage.sync().with_path("./first")).await;
    let shared = map("shared", "a");
    let commit = stage
        .push(&[
            ("first/shared.yaml", &shared),
            ("first/own.yaml", &map("own", "a")),
            ("second/shared.yaml", &map("shared", "b")),
        ])
        .await;
    stage.applied(&commit).await;
    let uid = stage.maps().get("shared").await.unwrap().uid();
    stage
        .create(&stage.sync().named("second").with_path("./second"))
        .await;
    let second = stage.refused("second", "Conflict").await;
    let owner = format!("{}/{APPS}", stage.name());
    assert!(message(&second).contains(&owner), "{}", message(&second));
    assert_eq!(stage.data("shared").await, Some(json!({"key": "a"})));

    let commit = stage.remove(&["first/shared.yaml"]).await;
    stage.applied(&commit).await;
    let second = flux_e2e::reconcile::applied(&stage.syncs(), "second", &commit).await;
    second.unwrap();
    let handed: ConfigMap = stage.maps().get("shared").await.unwrap();
    assert_eq!(handed.uid(), uid, "it was handed over, not created again");
    assert_eq!(handed.labels()["flux.rs/sync"], "second");
    assert_eq!(stage.data("shared").await, Some(json!({"key": "b"})));
}

fn run(command: &mut std::process::Command, input: &serde_json::Value) {
    use std::io::Write as _;
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let text = input.to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn many_objects_are_put_back_also_while_the_newest_revision_cannot_be_built() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let names: Vec<String> = (0..200).map(|number| format!("map-{number}")).collect();
    let maps: Vec<String> = names.iter().map(|name| map(name, "a")).collect();
    let commit = stage.push(&[("maps.yaml", &maps.join("---\n"))]).await;
    stage.applied(&commit).await;
    let broken = stage.push(&[("broken.yaml", "kind: [")]).await;
    stage.failed(&broken, "BuildFailed").await;

    let (maps, now) = (stage.maps(), DeleteParams::default());
    let ours = ListParams::default().labels(&format!("flux.rs/sync={APPS}"));
    maps.delete_collection(&now, &ours).await.unwrap();
    for name in &names {
        wait::until(&maps, name, "is back", |_| true).await.unwrap();
    }
}
