//! Hooks: Jobs before and after a revision, and when it fails.

use flux_crds::Sync;
use flux_crds::sync::{HookPhase, HookResult};
use flux_e2e::wait;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::json;

use crate::stage::{APPS, Stage, deployment, inventory, map, message};

/// A Job that is done at once.
pub(crate) fn job(name: &str, annotations: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations: {{{annotations}}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: busybox}}]
"
    )
}

/// A Job that no node takes, and that fails by its own deadline.
pub(crate) fn failing(name: &str, annotations: &str) -> String {
    job(name, annotations)
        .replace(
            "  backoffLimit",
            "  activeDeadlineSeconds: 1\n  backoffLimit",
        )
        .replace(
            "      containers",
            "      nodeSelector: {nowhere: \"true\"}\n      containers",
        )
}

pub(crate) fn results(sync: &Sync) -> Vec<(HookPhase, HookResult)> {
    let hooks = &sync.status.as_ref().unwrap().hooks;
    hooks.iter().map(|run| (run.phase, run.result)).collect()
}

#[tokio::test]
async fn hooks_run_around_a_revision_and_once_for_it() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[
            ("before.yaml", &job("before", "flux.rs/hook: pre-sync")),
            (
                "after.yaml",
                &job("after", "argocd.argoproj.io/hook: PostSync"),
            ),
            ("web.yaml", &deployment("web", "nginx")),
        ])
        .await;
    let sync = stage.applied(&commit).await;
    let both = [
        (HookPhase::PreSync, HookResult::Succeeded),
        (HookPhase::PostSync, HookResult::Succeeded),
    ];
    assert_eq!(results(&sync), both);
    assert_eq!(inventory(&sync).len(), 3, "{:?}", inventory(&sync));
    let before = stage.api::<Job>().get("before").await.unwrap().uid();

    let jobs = stage.api::<Job>();
    let background = DeleteParams::background();
    jobs.delete("after", &background).await.unwrap();
    let sync = stage.reconcile().await;
    assert!(wait::is_ready(&sync), "{}", message(&sync));
    let again = stage.api::<Job>().get("before").await.unwrap().uid();
    assert_eq!(again, before, "it is the same run");
    let after = stage.api::<Job>().get_opt("after").await.unwrap();
    assert!(
        after.is_none_or(|job| job.metadata.deletion_timestamp.is_some()),
        "a run that is gone is not repeated"
    );

    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let next = stage.api::<Job>().get("before").await.unwrap().uid();
    assert_ne!(next, before, "another revision, another run");
}

#[tokio::test]
async fn a_failed_hook_before_a_revision_keeps_it_out() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "b")),
            ("before.yaml", &failing("before", "flux.rs/hook: pre-sync")),
            ("rescue.yaml", &job("rescue", "flux.rs/hook: on-failure")),
        ])
        .await;
    let sync = stage.failed(&commit, "HookFailed").await;
    let text = message(&sync);
    assert!(text.contains("before.yaml:1"), "{text}");
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    let uid = stage.api::<Job>().get("before").await.unwrap().uid();
    let rescue = stage.api::<Job>().get_opt("rescue").await.unwrap();
    assert!(rescue.is_some(), "the hook for failures was started");

    let commit = stage
        .push(&[("before.yaml", &job("before", "flux.rs/hook: pre-sync"))])
        .await;
    let sync = stage.applied(&commit).await;
    assert_ne!(stage.api::<Job>().get("before").await.unwrap().uid(), uid);
    assert_eq!(stage.data("one").await, Some(json!({"key": "b"})));
    assert!(results(&sync).contains(&(HookPhase::PreSync, HookResult::Succeeded)));
}

#[tokio::test]
async fn a_hook_that_leaves_git_is_pruned() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "a")),
            ("before.yaml", &job("before", "flux.rs/hook: pre-sync")),
        ])
        .await;
    stage.applied(&commit).await;
    let commit = stage.remove(&["before.yaml"]).await;
    let sync = stage.applied(&commit).await;
    assert_eq!(inventory(&sync).len(), 1, "{:?}", inventory(&sync));
    let job = stage.api::<Job>().get_opt("before").await.unwrap();
    assert!(job.is_none_or(|job| job.metadata.deletion_timestamp.is_some()));
}

#[tokio::test]
async fn only_a_job_can_be_a_hook() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let hook = map("one", "a").replacen(
        "metadata:\n",
        "metadata:\n  annotations: {flux.rs/hook: pre-sync}\n",
        1,
    );
    stage.push(&[("one.yaml", &hook)]).await;
    let sync = stage.refused(APPS, "BuildFailed").await;
    assert!(
        message(&sync).contains("only a Job can be a hook"),
        "{}",
        message(&sync)
    );
}
