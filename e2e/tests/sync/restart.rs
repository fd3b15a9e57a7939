//! What a controller knows after a restart: what stands in the status, and nothing else.

use flux_crds::Sync;
use flux_crds::sync::{Dependency, InventoryEntry};
use flux_e2e::{Options, wait};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::hooks::failing;
use crate::resilience::Fragile;
use crate::rollback::{rolled_back, wrong};
use crate::stage::{APPS, Stage, inventory, map, message};

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
