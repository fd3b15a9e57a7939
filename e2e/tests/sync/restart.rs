//! What a controller knows after a restart: what stands in the status, and nothing else.

use flux_crds::Sync;
use flux_crds::sync::{Dependency, InventoryEntry, Rollback};
use flux_e2e::{Options, wait};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Node};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::hooks::{failing, job};
use crate::resilience::Fragile;
use crate::rollback::{rolled_back, wrong};
use crate::stage::{APPS, Stage, deployment, inventory, map, message};
use crate::waves::in_wave;

impl Stage {
    async fn set_entries(&self, entries: &[InventoryEntry]) {
        let patch = json!({"status": {"inventory": {"entries": entries}}});
        self.syncs()
            .patch_status(APPS, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }
}

fn entries(sync: &Sync) -> Vec<InventoryEntry> {
    let status = sync.status.as_ref().unwrap();
    status.inventory.clone().unwrap_or_default().entries
}

#[tokio::test]
async fn nothing_happens_while_the_inventory_cannot_be_read() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let good = entries(&stage.applied(&commit).await);
    fragile.controller.kill();
    let mut broken = good.clone();
    broken.push(InventoryEntry {
        id: "nonsense".into(),
        ..InventoryEntry::default()
    });
    stage.set_entries(&broken).await;
    stage.repo.remove("one.yaml").unwrap();
    let files = [("two.yaml", map("two", "a"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let next = stage.repo.push_files(&files, "another").unwrap();

    fragile.controller.restart().await.unwrap();
    let stage = &fragile.stage;
    let refused = |sync: &Sync| message(sync).contains("nonsense");
    let sync = wait::until(&stage.syncs(), APPS, "is refused", refused)
        .await
        .unwrap();
    assert!(wait::has_failed(&sync, "InternalError"));
    assert_eq!(entries(&sync), broken, "nothing is lost");
    assert!(stage.data("one").await.is_some(), "nothing is deleted");
    assert!(stage.data("two").await.is_none(), "nothing is applied");

    stage.set_entries(&good).await;
    stage.reconcile().await;
    let sync = stage.applied(&next).await;
    assert_eq!(inventory(&sync).len(), 1);
    assert!(stage.data("one").await.is_none());
}

#[tokio::test]
async fn what_was_taken_back_is_not_forgotten_by_a_start_that_cannot_go_on() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    let mut base = stage.sync();
    base.metadata.name = Some("base".to_owned());
    base.spec.path = Some("base".to_owned());
    stage.push(&[("base/zero.yaml", &map("zero", "a"))]).await;
    stage.create(&base).await;
    let mut sync = stage.sync();
    sync.spec.path = Some("apps".to_owned());
    sync.spec.depends_on = vec![Dependency {
        name: "base".to_owned(),
        ..Dependency::default()
    }];
    stage.create(&sync).await;
    let good = stage.push(&[("apps/one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let one = ("apps/one.yaml", &*map("one", "b"));
    stage.push(&[one, ("apps/wrong.yaml", &wrong(stage))]).await;
    let before = wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();

    fragile.controller.kill();
    let bases = stage.syncs();
    let finalizers = json!({"metadata": {"finalizers": null}});
    bases
        .patch("base", &PatchParams::default(), &Patch::Merge(&finalizers))
        .await
        .unwrap();
    bases
        .delete("base", &DeleteParams::default())
        .await
        .unwrap();
    fragile.controller.restart().await.unwrap();
    let waits = |sync: &Sync| message(sync).contains("does not exist");
    let sync = wait::until(&fragile.stage.syncs(), APPS, "waits", waits)
        .await
        .unwrap();
    let failed = |sync: &Sync| {
        sync.status
            .as_ref()
            .and_then(|status| status.rolled_back.clone())
    };
    assert_eq!(
        failed(&sync).map(|failed| failed.from),
        failed(&before).map(|failed| failed.from)
    );
}

#[tokio::test]
async fn a_hook_that_failed_before_a_revision_is_no_rollback_after_a_restart() {
    let mut fragile = Fragile::set_on(Options::with_workloads()).await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let hook = failing("before", "flux.rs/hook: pre-sync");
    let bad = [("one.yaml", &*map("one", "b")), ("before.yaml", &*hook)];
    let bad = stage.push(&bad).await;
    stage.failed(&bad, "HookFailed").await;
    fragile.controller.restart().await.unwrap();
    let sync = fragile.stage.reconcile().await;
    assert!(wait::has_failed(&sync, "HookFailed"), "{}", message(&sync));
    assert_eq!(sync.status.unwrap().rolled_back, None);
}

#[tokio::test]
async fn what_a_failed_revision_brought_is_taken_back_after_a_restart_where_nothing_is_pruned() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    let mut sync = stage.sync();
    sync.spec.prune = Some(false);
    sync.spec.rollback = Some(Rollback::Never);
    stage.create(&sync).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let (two, wrong) = (map("two", "b"), wrong(stage));
    let bad = stage
        .push(&[("two.yaml", &two), ("wrong.yaml", &wrong)])
        .await;
    stage.failed(&bad, "ApplyFailed").await;
    assert!(stage.data("two").await.is_some());

    fragile.controller.restart().await.unwrap();
    let stage = &fragile.stage;
    stage.edit(APPS, json!({"rollback": "OnFailure"})).await;
    wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    assert_eq!(stage.data("two").await, None);
    assert!(stage.data("one").await.is_some());
}

#[tokio::test]
async fn a_change_that_nobody_saw_is_told_once() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    let mut sync = stage.sync();
    sync.spec.drift = serde_json::from_value(json!({"mode": "Warn"})).unwrap();
    stage.create(&sync).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    fragile.controller.kill();
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    fragile.controller.restart().await.unwrap();
    let told = fragile.stage.event("Drifted", APPS).await;
    assert!(told.contains("one"), "{told}");
    let figures = fragile.controller.metrics().await.unwrap();
    let count = "flux_drifts_total{action=\"reported\"} 1\n";
    assert!(figures.contains(count), "{figures}");

    fragile.controller.restart().await.unwrap();
    let stage = &fragile.stage;
    let sync = stage.reconcile().await;
    assert_eq!(sync.status.unwrap().drift.len(), 1, "it still differs");
    let events = stage.api::<Event>().list(&ListParams::default()).await;
    let about = |event: &&Event| event.reason.as_deref() == Some("Drifted");
    let events = events.unwrap().items;
    let times = events.iter().filter(about);
    let times: i32 = times.map(|event| event.count.unwrap_or(1)).sum();
    assert_eq!(times, 1);
}

/// Lets the pods run that wait for nodes with a label.
async fn open(stage: &Stage, label: &str) {
    let nodes: Api<Node> = Api::all(stage.control_plane.client().await.unwrap());
    let labels = json!({"metadata": {"labels": {label: "true"}}});
    for node in nodes.list(&ListParams::default()).await.unwrap() {
        nodes
            .patch(
                &node.name_any(),
                &PatchParams::default(),
                &Patch::Merge(&labels),
            )
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_controller_killed_in_a_hook_and_between_waves_goes_on_there() {
    let mut fragile = Fragile::set_on(Options::with_workloads()).await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let hook = on_nodes(&job("before", "flux.rs/hook: pre-sync"), "hook");
    let web = on_nodes(&in_wave(&deployment("web", "nginx"), -1), "wave");
    let files = [
        ("before.yaml", hook),
        ("web.yaml", web),
        ("one.yaml", map("one", "a")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.repo.push_files(&files, "all").unwrap();
    stage.fetch().await;
    let jobs = stage.api::<Job>();
    let run = wait::until(&jobs, "before", "is started", |_| true).await;
    let run = run.unwrap().uid();
    fragile.controller.kill();
    let deployments = fragile.stage.api::<Deployment>();
    assert!(deployments.get_opt("web").await.unwrap().is_none());

    fragile.controller.restart().await.unwrap();
    open(&fragile.stage, "hook").await;
    wait::until(&deployments, "web", "is applied", |_| true)
        .await
        .unwrap();
    fragile.controller.kill();
    let maps = fragile.stage.maps();
    assert!(maps.get_opt("one").await.unwrap().is_none());

    fragile.controller.restart().await.unwrap();
    open(&fragile.stage, "wave").await;
    fragile.stage.applied(&commit).await;
    assert_eq!(jobs.get("before").await.unwrap().uid(), run, "it ran once");
    let one = maps.get("one").await.unwrap().creation_timestamp().unwrap();
    let web = deployments.get("web").await.unwrap().status.unwrap();
    let mut conditions = web.conditions.into_iter().flatten();
    let available = conditions.find(|condition| condition.type_.as_deref() == Some("Available"));
    assert!(one >= available.unwrap().last_transition_time.unwrap());
}

/// A workload for nodes with a label.
fn on_nodes(manifest: &str, label: &str) -> String {
    let selector = format!("      nodeSelector: {{{label}: \"true\"}}\n      containers");
    manifest.replace("      containers", &selector)
}
