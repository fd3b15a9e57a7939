//! What is not deleted.

use flux_e2e::wait;
use serde_json::json;

use crate::rollback::{rolled_back, wrong};
use crate::stage::{APPS, Stage, inventory, map, message};

#[tokio::test]
async fn an_empty_build_deletes_nothing() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let commit = stage.remove(&["one.yaml"]).await;
    let sync = stage.failed(&commit, "PruneRefused").await;
    assert!(message(&sync).contains("no objects"), "{}", message(&sync));
    assert!(stage.data("one").await.is_some());
    stage
        .edit(APPS, json!({"pruneGuard": {"maxPercent": 100}}))
        .await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("one").await, None);
}

#[tokio::test]
async fn more_than_the_guard_allows_is_not_deleted() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.prune_guard = Some(flux_crds::sync::PruneGuard {
        max_percent: Some(50),
    });
    stage.create(&sync).await;
    let maps = ["a", "b", "c"].map(|name| (format!("{name}.yaml"), map(name, "x")));
    let files = maps
        .each_ref()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    stage.applied(&stage.push(&files).await).await;
    let commit = stage.remove(&["a.yaml", "b.yaml"]).await;
    let sync = stage.failed(&commit, "PruneRefused").await;
    assert!(message(&sync).contains("2 of 3"), "{}", message(&sync));
    assert!(stage.data("a").await.is_some());
}

#[tokio::test]
async fn a_rollback_deletes_no_more_than_the_guard_allows() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.prune = Some(false);
    stage.create(&sync).await;
    let maps = ["one", "two", "three"].map(|name| (format!("{name}.yaml"), map(name, "a")));
    let files = maps.each_ref().map(|(path, text)| (&**path, &**text));
    stage.applied(&stage.push(&files).await).await;
    let good = stage.remove(&["two.yaml", "three.yaml"]).await;
    stage.applied(&good).await;

    // From here on it prunes, but before it comes to that both are in git again, in a revision that fails midway.
    stage.edit(APPS, json!({"suspend": true})).await;
    let guarded = json!({"prune": true, "suspend": false, "pruneGuard": {"maxPercent": 50}});
    stage
        .push(&[
            ("one.yaml", &map("one", "b")),
            ("two.yaml", &map("two", "b")),
            ("three.yaml", &map("three", "b")),
            ("wrong.yaml", &wrong(&stage)),
        ])
        .await;
    stage.edit(APPS, guarded).await;
    let sync = stage.refused(APPS, "RollbackFailed").await;
    assert!(message(&sync).contains("2 of 3"), "{}", message(&sync));
    for name in ["two", "three"] {
        assert!(stage.data(name).await.is_some(), "{name} stays");
    }
    let keeps = |name: &str| inventory(&sync).iter().any(|id| id.contains(name));
    assert!(keeps("_two_") && keeps("_three_"), "{:?}", inventory(&sync));

    stage
        .edit(APPS, json!({"pruneGuard": {"maxPercent": 100}}))
        .await;
    wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    assert_eq!(stage.data("two").await, None, "it was allowed");
}

#[tokio::test]
async fn an_object_that_asks_to_stay_stays() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let kept = map("kept", "a").replace(
        "name: kept",
        "name: kept\n  annotations: {flux.rs/prune: disabled}",
    );
    let commit = stage
        .push(&[("kept.yaml", &kept), ("one.yaml", &map("one", "a"))])
        .await;
    stage.applied(&commit).await;
    let commit = stage.remove(&["kept.yaml"]).await;
    let sync = stage.applied(&commit).await;
    assert!(stage.data("kept").await.is_some());
    assert_eq!(inventory(&sync).len(), 1, "it is given up");
}

#[tokio::test]
async fn an_object_that_belongs_to_someone_else_now_is_not_deleted() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    // Otherwise the label would be put back before the object leaves git.
    sync.spec.drift = serde_json::from_value(json!({"mode": "Ignore"})).unwrap();
    stage.create(&sync).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "a")),
        ])
        .await;
    stage.applied(&commit).await;
    let labels = json!({"metadata": {"labels": {"flux.rs/sync": "another"}}});
    stage.by_hand("two", labels).await;
    let commit = stage.remove(&["two.yaml"]).await;
    stage.applied(&commit).await;
    assert!(stage.data("two").await.is_some());
}

#[tokio::test]
async fn a_sync_that_does_not_prune_leaves_what_left_git() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.prune = Some(false);
    stage.create(&sync).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "a")),
            ("two.yaml", &map("two", "a")),
        ])
        .await;
    stage.applied(&commit).await;
    let commit = stage.remove(&["two.yaml"]).await;
    stage.applied(&commit).await;
    assert!(stage.data("two").await.is_some());
    stage.edit(APPS, json!({"prune": true})).await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("two").await, None, "it was still remembered");
}
