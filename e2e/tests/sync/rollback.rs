//! A revision that fails midway, or is not healthy, is taken back as a whole.

use flux_crds::sync::{Rollback, SyncResult};
use flux_crds::{GitRepository, Sync, sync};
use flux_e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::stage::{APPS, SOURCE, Stage, deployment, inventory, map, message};

/// A definition, and an object of it that only the real apply finds wrong: no dry-run knows a kind that does not exist.
pub(crate) fn wrong(stage: &Stage) -> String {
    let group = group(stage);
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: sizes.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Size, plural: sizes, singular: size}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {{spec: {{type: object, properties: {{size: {{type: integer}}}}}}}}
---
apiVersion: {group}/v1
kind: Size
metadata: {{name: wrong}}
spec: {{size: huge}}
"
    )
}

/// The name of that definition.
pub(crate) fn definition(stage: &Stage) -> String {
    format!("sizes.{}", group(stage))
}

fn group(stage: &Stage) -> String {
    format!("{}.example.com", stage.name())
}

/// Returns the commits of the history and how they ended.
pub(crate) fn history(sync: &Sync) -> Vec<(String, SyncResult)> {
    let entry = |entry: &sync::HistoryEntry| {
        let commit = entry.revision.rsplit(':').next().unwrap_or_default();
        (commit.to_owned(), entry.result)
    };
    sync.status
        .iter()
        .flat_map(|status| &status.history)
        .map(entry)
        .collect()
}

/// A new version of a deployment whose pods stay pending, because no node has the label that they want.
fn unschedulable(name: &str) -> String {
    deployment(name, "nginx:2").replace(
        "      containers",
        "      nodeSelector: {nowhere: \"true\"}\n      containers",
    )
}

/// Whether the last revision was taken back.
pub(crate) fn rolled_back(sync: &Sync) -> bool {
    wait::has_failed(sync, "RolledBack")
}

impl Stage {
    /// Applies a good revision, then one that changes `one`, brings `two`, drops `three` and fails after that.
    async fn fails_midway(&self) -> (String, String, Sync) {
        let good = self
            .push(&[
                ("one.yaml", &map("one", "a")),
                ("three.yaml", &map("three", "a")),
            ])
            .await;
        self.applied(&good).await;
        self.repo.remove("three.yaml").unwrap();
        let bad = self
            .push(&[
                ("one.yaml", &map("one", "b")),
                ("two.yaml", &map("two", "b")),
                ("wrong.yaml", &wrong(self)),
            ])
            .await;
        let sync = wait::until(&self.syncs(), APPS, "is rolled back", rolled_back)
            .await
            .unwrap();
        (good, bad, sync)
    }
}

#[tokio::test]
async fn what_fails_midway_is_taken_back_as_a_whole() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let (good, bad, sync) = stage.fails_midway().await;
    assert_eq!(
        stage.data("one").await,
        Some(json!({"key": "a"})),
        "what was changed"
    );
    assert_eq!(stage.data("two").await, None, "what was created");
    assert_eq!(
        stage.data("three").await,
        Some(json!({"key": "a"})),
        "what left git"
    );
    assert_eq!(inventory(&sync).len(), 2, "{:?}", inventory(&sync));
    let definitions: Api<CustomResourceDefinition> =
        Api::all(stage.control_plane.client().await.unwrap());
    let definition = definitions.get_opt(&definition(&stage)).await.unwrap();
    assert!(
        definition.is_none_or(|definition| definition.metadata.deletion_timestamp.is_some()),
        "its definition went too"
    );

    let status = sync.status.as_ref().unwrap();
    let failed = status.rolled_back.as_ref().unwrap();
    assert!(
        failed.from.ends_with(&bad) && failed.to.ends_with(&good),
        "{failed:?}"
    );
    assert!(
        status
            .last_applied_revision
            .as_ref()
            .unwrap()
            .ends_with(&good)
    );
    assert!(
        status
            .last_attempted_revision
            .as_ref()
            .unwrap()
            .ends_with(&bad)
    );
    assert_eq!(
        history(&sync)[..2],
        [
            (bad.clone(), SyncResult::RolledBack),
            (good, SyncResult::Applied)
        ]
    );
    assert!(message(&sync).contains("wrong.yaml:"), "{}", message(&sync));
    assert!(status.failures.iter().any(|failure| {
        failure
            .source
            .as_deref()
            .is_some_and(|source| source.starts_with("wrong.yaml:"))
    }));
    assert!(stage.event("RolledBack", APPS).await.contains(&bad));
}

#[tokio::test]
async fn a_revision_that_was_taken_back_is_tried_again_only_when_something_changes() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    stage.fails_midway().await;
    let version = stage.version("one").await;
    // A fetch that brings nothing new is no reason.
    stage.fetch().await;
    // Drift is put back to the revision that was restored.
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    let sync = stage.reconcile().await;
    assert!(
        rolled_back(&sync),
        "asked for, it was tried again and failed again: {}",
        message(&sync)
    );
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    assert_ne!(stage.version("one").await, version);
    assert_eq!(
        history(&sync)
            .iter()
            .filter(|(_, result)| *result == SyncResult::RolledBack)
            .count(),
        1,
        "one entry however often it fails: {:?}",
        history(&sync)
    );
    let mended = stage.remove(&["wrong.yaml"]).await;
    let sync = stage.applied(&mended).await;
    assert_eq!(stage.data("two").await, Some(json!({"key": "b"})));
    assert_eq!(stage.data("three").await, None);
    assert_eq!(sync.status.unwrap().rolled_back, None);
}

#[tokio::test]
async fn never_means_that_a_failed_revision_stays_half_applied() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.rollback = Some(Rollback::Never);
    stage.create(&sync).await;
    stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let bad = stage
        .push(&[
            ("one.yaml", &map("one", "b")),
            ("wrong.yaml", &wrong(&stage)),
        ])
        .await;
    let sync = stage.failed(&bad, "ApplyFailed").await;
    assert_eq!(history(&sync)[0], (bad, SyncResult::Failed));
    assert_eq!(stage.data("one").await, Some(json!({"key": "b"})));
}

#[tokio::test]
async fn what_is_not_healthy_is_taken_back_where_the_spec_says_so() {
    let stage = Stage::set().await;
    let mut sync = stage.sync().waiting();
    sync.spec.rollback = Some(Rollback::OnUnhealthy);
    sync.spec.timeout = Some("5s".into());
    stage.create(&sync).await;
    let good = stage
        .push(&[("web.yaml", &deployment("web", "nginx:1"))])
        .await;
    stage.applied(&good).await;
    let bad = stage.push(&[("web.yaml", &unschedulable("web"))]).await;
    let sync = wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    assert_eq!(
        history(&sync)[..2],
        [(bad, SyncResult::RolledBack), (good, SyncResult::Applied)]
    );
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    let pod = web.spec.template.spec.unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some("nginx:1"));
    assert_eq!(pod.node_selector, None);
    assert!(
        wait::condition(&sync, "Healthy").unwrap().holds,
        "the restored revision is healthy"
    );
}

#[tokio::test]
async fn what_moved_to_another_sync_stays_there_when_the_rest_is_taken_back() {
    let stage = Stage::set().await;
    let mut sync = stage.sync().with_path("./apps").waiting();
    sync.spec.rollback = Some(Rollback::OnUnhealthy);
    sync.spec.timeout = Some("5s".into());
    stage.create(&sync).await;
    let other = stage.sync().named("other").with_path("./other");
    stage.create(&other).await;
    let web = deployment("web", "nginx:1");
    let good = stage
        .push(&[
            ("apps/web.yaml", &web),
            ("apps/moves.yaml", &map("moves", "a")),
            ("other/stays.yaml", &map("stays", "a")),
        ])
        .await;
    stage.applied(&good).await;
    stage.repo.remove("apps/moves.yaml").unwrap();
    stage
        .push(&[
            ("apps/web.yaml", &unschedulable("web")),
            ("other/moves.yaml", &map("moves", "b")),
        ])
        .await;
    let sync = wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    assert!(
        !message(&sync).contains("not restored"),
        "{}",
        message(&sync)
    );
    assert_eq!(inventory(&sync).len(), 1, "{:?}", inventory(&sync));
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    let pod = web.spec.template.spec.unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some("nginx:1"));
    assert_eq!(stage.data("moves").await, Some(json!({"key": "b"})));
}

#[tokio::test]
async fn a_sync_is_held_at_the_revision_of_its_spec() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let first = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.applied(&first).await;
    let revision = sync.status.unwrap().last_applied_revision.unwrap();
    let second = stage
        .push(&[
            ("one.yaml", &map("one", "b")),
            ("two.yaml", &map("two", "b")),
        ])
        .await;
    stage.applied(&second).await;
    stage.edit(APPS, json!({"revision": revision})).await;
    let sync = stage.applied(&first).await;
    assert!(
        message(&sync).contains("held by spec.revision"),
        "{}",
        message(&sync)
    );
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    assert_eq!(stage.data("two").await, None);
    // What is pushed meanwhile does not move it.
    let third = stage.push(&[("one.yaml", &map("one", "c"))]).await;
    let sync = stage.reconcile().await;
    assert_eq!(
        stage.data("one").await,
        Some(json!({"key": "a"})),
        "{}",
        sync.name_any()
    );
    stage.edit(APPS, json!({"revision": null})).await;
    stage.applied(&third).await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "c"})));
}

#[tokio::test]
async fn a_sync_that_is_held_at_a_revision_which_a_suspended_repository_lacks_says_so_at_once() {
    let stage = Stage::set().await;
    let first = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.push(&[("one.yaml", &map("one", "b"))]).await;
    stage.create(&stage.sync()).await;
    let third = stage.push(&[("one.yaml", &map("one", "c"))]).await;
    stage.applied(&third).await;
    let sources = stage.api::<GitRepository>();
    let suspend = Patch::Merge(json!({"spec": {"suspend": true}}));
    sources
        .patch(SOURCE, &PatchParams::default(), &suspend)
        .await
        .unwrap();
    stage.edit(APPS, json!({"revision": first})).await;
    let told = message(&stage.refused(APPS, "SourceNotReady").await);
    assert!(told.contains("suspended"), "{told}");
    assert_eq!(stage.data("one").await, Some(json!({"key": "c"})));
}
