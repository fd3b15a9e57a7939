//! What others do to objects is seen and put back at once, without a reconcile: the interval of all these Syncs is an hour.

use std::time::{Duration, Instant};

use flux_crds::{GitRepository, Sync};
use flux_e2e::wait;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::stage::{APPS, SOURCE, Stage, deployment, map};

mod away;
mod left_alone;

/// Applies files and waits until they are, with drift treated as `drift` says.
async fn follow(drift: Value, files: &[(&str, &str)]) -> Stage {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.drift = serde_json::from_value(drift).unwrap();
    stage.create(&sync).await;
    let commit = stage.push(files).await;
    stage.applied(&commit).await;
    stage
}

async fn one_map() -> Stage {
    follow(json!({}), &[("one.yaml", &map("one", "a"))]).await
}

/// Waits until the map has its value of git, and its label.
async fn is_back(stage: &Stage) -> ConfigMap {
    let maps = stage.maps();
    let back = wait::until(&maps, "one", "is put back", |map| {
        let data = map.data.as_ref();
        data.is_some_and(|data| data["key"] == "a") && map.labels().contains_key("flux.rs/sync")
    });
    back.await.unwrap()
}

/// Waits until the Sync's status satisfies a condition on `Drifted`.
async fn drifted(stage: &Stage, reason: &str) -> Sync {
    let (syncs, what) = (stage.syncs(), format!("is {reason}"));
    let found = wait::until(&syncs, APPS, &what, |sync| {
        wait::condition(sync, "Drifted").is_some_and(|drifted| drifted.reason == reason)
    });
    found.await.unwrap()
}

fn as_manager(manager: &str) -> PatchParams {
    PatchParams {
        field_manager: Some(manager.into()),
        ..PatchParams::default()
    }
}

#[tokio::test]
async fn a_changed_field_is_put_back_at_once_and_told() {
    let stage = follow(json!({}), &[("web.yaml", &deployment("web", "app:1"))]).await;
    let deployments = stage.api::<Deployment>();
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "app:2"}]}}}});
    let changed = deployments
        .patch("web", &as_manager("kubectl-edit"), &Patch::Strategic(patch))
        .await
        .unwrap();
    let since = Instant::now();
    let back = wait::until(&deployments, "web", "is put back", |web| {
        image(web) == "app:1" && web.metadata.generation > changed.metadata.generation
    });
    back.await.unwrap();
    assert!(
        since.elapsed() < Duration::from_secs(30),
        "{:?}",
        since.elapsed()
    );
    let told = stage.event("Drifted", APPS).await;
    assert!(
        told.contains("Deployment") && told.contains("kubectl-edit"),
        "{told}"
    );
    assert!(
        told.contains("spec.template.spec.containers[name=main].image"),
        "{told}"
    );
    let sync = drifted(&stage, "Repaired").await;
    assert!(
        sync.status.unwrap().drift.is_empty(),
        "nothing differs any more"
    );
}

fn image(deployment: &Deployment) -> &str {
    let template = &deployment.spec.template;
    template.spec.as_ref().unwrap().containers[0]
        .image
        .as_deref()
        .unwrap()
}

#[tokio::test]
async fn a_deleted_object_comes_back_at_once() {
    let stage = one_map().await;
    let deleted = stage.maps().delete("one", &DeleteParams::default()).await;
    deleted.unwrap();
    is_back(&stage).await;
}

#[tokio::test]
async fn an_object_that_another_creates_in_its_place_becomes_ours_again() {
    let stage = one_map().await;
    stage
        .maps()
        .delete("one", &DeleteParams::default())
        .await
        .unwrap();
    let other = json!({"metadata": {"name": "one"}, "data": {"key": "theirs", "other": "b"}});
    let other: ConfigMap = serde_json::from_value(other).unwrap();
    // We may be faster than the other; then it has to replace ours.
    if stage
        .maps()
        .create(&PostParams::default(), &other)
        .await
        .is_err()
    {
        let replaced = stage
            .maps()
            .replace("one", &PostParams::default(), &other)
            .await;
        replaced.unwrap();
    }
    is_back(&stage).await;
}

#[tokio::test]
async fn a_removed_label_comes_back_on_the_same_object() {
    let stage = one_map().await;
    let uid = stage.maps().get("one").await.unwrap().uid();
    let removed = json!({"metadata": {"labels": {"flux.rs/sync": null}}});
    stage.by_hand("one", removed).await;
    assert_eq!(is_back(&stage).await.uid(), uid);
}

#[tokio::test]
async fn a_wiped_record_of_managers_is_written_anew() {
    let stage = one_map().await;
    let wipe = json!({"metadata": {"managedFields": [{}]}, "data": {"key": "by hand"}});
    stage.by_hand("one", wipe).await;
    let back = is_back(&stage).await;
    let managers = back.managed_fields().iter();
    assert!(
        managers
            .clone()
            .any(|entry| entry.manager.as_deref() == Some("flux"))
    );
}

/// Tells whether an event about drift names something.
async fn told_of(stage: &Stage, what: &str) -> bool {
    let events: Api<k8s_openapi::api::core::v1::Event> = stage.api();
    let events = events
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    events.items.iter().any(|event| {
        event.reason.as_deref() == Some("Drifted")
            && event.message.as_deref().unwrap_or_default().contains(what)
    })
}

#[tokio::test]
async fn whoever_changes_an_object_again_and_again_is_named_and_put_off() {
    let stage = one_map().await;
    for round in 0..3 {
        stage
            .by_hand("one", json!({"data": {"key": format!("theirs {round}")}}))
            .await;
        if round < 2 {
            is_back(&stage).await;
        }
    }
    let sync = drifted(&stage, "Contested").await;
    let found = wait::condition(&sync, "Drifted").unwrap();
    assert!(
        found.holds && found.message.contains("kubectl-edit"),
        "{}",
        found.message
    );
    let drift = &sync.status.as_ref().unwrap().drift[0];
    assert_eq!(drift.manager.as_deref(), Some("kubectl-edit"));
    assert_eq!(drift.paths, ["data.key"]);
    is_back(&stage).await;
    drifted(&stage, "Repaired").await;
}

#[tokio::test]
async fn a_sync_that_came_before_its_source_shows_each_repair() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.source_ref.name = "late".into();
    stage.create(&sync).await;
    stage.refused(APPS, "SourceNotFound").await;
    let commit = stage
        .repo
        .push_files(&[("one.yaml", &map("one", "a"))], "a change")
        .unwrap();
    let fleet = stage.api::<GitRepository>().get(SOURCE).await.unwrap();
    stage.create(&GitRepository::new("late", fleet.spec)).await;
    stage.applied(&commit).await;
    for round in 0..2 {
        let change = json!({"data": {"key": format!("theirs {round}")}});
        stage.by_hand("one", change).await;
        is_back(&stage).await;
    }
    let told = drifted(&stage, "Repaired").await.status.unwrap();
    assert!(told.drift.is_empty(), "{:?}", told.drift);
}

#[tokio::test]
async fn noise_of_a_status_writes_nothing() {
    let stage = follow(
        json!({}),
        &[
            ("web.yaml", &deployment("web", "app:1")),
            ("one.yaml", &map("one", "a")),
        ],
    )
    .await;
    let audit = stage.control_plane.audit_log().from_now();
    let deployments = stage.api::<Deployment>();
    for round in 0..30 {
        let noise = Patch::Merge(json!({"status": {"observedGeneration": round}}));
        let manager = as_manager("noise");
        let patched = deployments.patch_status("web", &manager, &noise).await;
        patched.unwrap();
    }
    // What is put back after the noise was seen after it.
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    is_back(&stage).await;
    let requests = audit.requests().unwrap();
    let ours = requests.iter().filter(|request| {
        request.user.username == flux_e2e::install::CONTROLLER_USER && request.is_write()
    });
    let mut about = ours.filter_map(|request| request.object_ref.as_ref());
    assert!(
        !about.any(|object| object.resource == "deployments" && object.namespace == stage.name()),
        "the Deployment was written although only its status moved"
    );
}

#[tokio::test]
async fn a_kind_that_may_not_be_watched_is_verified_and_named() {
    let stage = Stage::without_rights().await;
    stage
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "writer", "namespace": stage.name()},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "update", "delete"]}],
        }))
        .await;
    stage
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "writer", "namespace": stage.name()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": stage.name()}],
        }))
        .await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let (syncs, what) = (stage.syncs(), "says what is not watched");
    let found = wait::until(&syncs, APPS, what, |sync| {
        wait::condition(sync, "Drifted").is_some_and(|drifted| {
            drifted.message.contains("not watched") && drifted.message.contains("ConfigMap")
        })
    });
    found.await.unwrap();
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    stage.reconcile().await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
}

#[tokio::test]
async fn drift_is_put_back_also_while_the_sync_waits_for_health() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.wait = Some(true);
    stage.create(&sync).await;
    // The nodes of the tests run no pod that wants a node which does not exist.
    let never = deployment("web", "app:1")
        .replace("    spec:\n", "    spec:\n      nodeSelector: {no: such}\n");
    stage
        .push(&[("web.yaml", &never), ("one.yaml", &map("one", "a"))])
        .await;
    let syncs = stage.syncs();
    let waits = wait::until(&syncs, APPS, "waits", |sync| {
        wait::condition(sync, "Healthy").is_some_and(|healthy| healthy.status == "Unknown")
    });
    waits.await.unwrap();
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    is_back(&stage).await;
}
