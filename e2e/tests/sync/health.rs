//! Waiting: for health, and for other Syncs.

use std::time::{Duration, Instant};

use flux_crds::sync::{Dependency, HealthCheck, HealthExpressions, SyncResult};
use flux_e2e::{reconcile, wait};
use k8s_openapi::api::apps::v1::Deployment;

use crate::rollback::history;
use crate::stage::{APPS, Stage, deployment, map, message};

#[tokio::test]
async fn a_sync_that_waits_is_ready_when_its_deployment_is() {
    let stage = Stage::set().await;
    stage.create(&stage.sync().waiting()).await;
    let commit = stage
        .push(&[("web.yaml", &deployment("web", "nginx"))])
        .await;
    let sync = stage.applied(&commit).await;
    assert!(wait::condition(&sync, "Healthy").unwrap().holds);
    let web = stage.api::<Deployment>().get("web").await.unwrap();
    assert_eq!(web.status.unwrap().ready_replicas, Some(1));
}

#[tokio::test]
async fn what_is_not_healthy_in_time_is_named() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.timeout = Some("2s".into());
    sync.spec.health_checks = vec![HealthCheck {
        kind: "Deployment".into(),
        name: "absent".into(),
        ..HealthCheck::default()
    }];
    stage.create(&sync).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.failed(&commit, "HealthCheckFailed").await;
    assert!(message(&sync).contains("absent"), "{}", message(&sync));
    assert!(stage.data("one").await.is_some(), "it was applied");
    assert_eq!(wait::condition(&sync, "Healthy").unwrap().status, "False");
}

#[tokio::test]
async fn a_named_object_of_a_kind_that_nobody_serves_is_not_healthy() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.timeout = Some("2s".into());
    sync.spec.health_checks = vec![HealthCheck {
        api_version: Some("absent.example.com/v1".into()),
        kind: "Gadget".into(),
        name: "one".into(),
        ..HealthCheck::default()
    }];
    stage.create(&sync).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.failed(&commit, "HealthCheckFailed").await;
    let text = message(&sync);
    assert!(
        text.contains("the cluster serves no kind Gadget of absent.example.com/v1"),
        "{text}"
    );
}

#[tokio::test]
async fn a_newer_commit_ends_a_wait_at_once() {
    let stage = Stage::set().await;
    let mut sync = stage.sync().waiting();
    sync.spec.timeout = Some("10m".into());
    stage.create(&sync).await;
    // No node has this label, so its pod stays pending.
    let stuck = deployment("web", "nginx").replace(
        "      containers",
        "      nodeSelector: {nowhere: \"true\"}\n      containers",
    );
    let first = stage.push(&[("web.yaml", &stuck)]).await;
    let waits = |sync: &flux_crds::Sync| {
        wait::condition(sync, "Healthy").is_some_and(|healthy| healthy.status == "Unknown")
    };
    wait::until(&stage.syncs(), APPS, "waits for health", waits)
        .await
        .unwrap();
    let started = Instant::now();
    let commit = stage
        .push(&[("web.yaml", &deployment("web", "nginx"))])
        .await;
    let sync = stage.applied(&commit).await;
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "the timeout of 10 min did not hold it up"
    );
    let both = [
        (commit, SyncResult::Applied),
        (first, SyncResult::Superseded),
    ];
    assert_eq!(history(&sync)[..2], both);
}

#[tokio::test]
async fn a_sync_waits_for_what_it_depends_on_and_follows_at_once() {
    let stage = Stage::set().await;
    let last = stage
        .sync()
        .named("last")
        .with_path("./last")
        .depending_on("first");
    stage.create(&last).await;
    let commit = stage
        .push(&[
            ("first/one.yaml", &map("one", "a")),
            ("last/two.yaml", &map("two", "b")),
        ])
        .await;
    let waiting = |sync: &flux_crds::Sync| {
        wait::condition(sync, "Ready").is_some_and(|ready| ready.reason == "DependencyNotReady")
    };
    wait::until(&stage.syncs(), "last", "waits", waiting)
        .await
        .unwrap();
    assert_eq!(stage.data("two").await, None);

    stage
        .create(&stage.sync().named("first").with_path("./first"))
        .await;
    let syncs = stage.syncs();
    reconcile::applied(&syncs, "first", &commit).await.unwrap();
    let started = Instant::now();
    reconcile::applied(&syncs, "last", &commit).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "it took {:?}: an event wakes it, not an interval",
        started.elapsed()
    );
}

fn ruled(current: &str, failed: Option<&str>) -> Vec<HealthCheck> {
    vec![HealthCheck {
        api_version: Some("v1".into()),
        kind: "ConfigMap".into(),
        name: "one".into(),
        cel: Some(HealthExpressions {
            current: current.into(),
            failed: failed.map(Into::into),
            ..HealthExpressions::default()
        }),
        ..HealthCheck::default()
    }]
}

#[tokio::test]
async fn an_expression_of_the_sync_says_when_an_object_is_healthy() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.timeout = Some("10m".into());
    sync.spec.health_checks = ruled("data.key == 'good'", Some("data.key == 'broken'"));
    stage.create(&sync).await;
    let commit = stage.push(&[("one.yaml", &map("one", "good"))]).await;
    stage.applied(&commit).await;
    let started = Instant::now();
    let commit = stage.push(&[("one.yaml", &map("one", "broken"))]).await;
    let sync = stage.failed(&commit, "HealthCheckFailed").await;
    assert!(
        message(&sync).contains("cel.failed is true"),
        "{}",
        message(&sync)
    );
    assert!(
        started.elapsed() < Duration::from_mins(1),
        "a failure ends the wait at once"
    );
}

#[tokio::test]
async fn an_expression_that_does_not_compile_stalls_the_sync() {
    let stage = Stage::set().await;
    let mut sync = stage.sync();
    sync.spec.health_checks = ruled("data.key ==", None);
    stage.create(&sync).await;
    let sync = stage.refused(APPS, "InvalidSpec").await;
    let text = message(&sync);
    assert!(
        text.starts_with("spec.healthChecks[0].cel.current: line 1"),
        "{text}"
    );
    assert!(wait::condition(&sync, "Stalled").unwrap().holds);
}

#[tokio::test]
async fn an_expression_over_a_dependency_must_be_true_as_well() {
    let stage = Stage::set().await;
    let mut last = stage.sync().named("last").with_path("./last");
    last.spec.depends_on = vec![Dependency {
        name: "first".into(),
        ready: Some("dep.metadata.labels['go'] == 'yes'".into()),
        ..Dependency::default()
    }];
    stage.create(&last).await;
    stage
        .create(&stage.sync().named("first").with_path("./first"))
        .await;
    let commit = stage
        .push(&[
            ("first/one.yaml", &map("one", "a")),
            ("last/two.yaml", &map("two", "b")),
        ])
        .await;
    let syncs = stage.syncs();
    reconcile::applied(&syncs, "first", &commit).await.unwrap();
    let waits = |sync: &flux_crds::Sync| message(sync).contains("does not fulfil dep.metadata");
    wait::until(&syncs, "last", "waits for the expression", waits)
        .await
        .unwrap();
    let label = kube::api::Patch::Merge(serde_json::json!({"metadata": {"labels": {"go": "yes"}}}));
    let by_hand = kube::api::PatchParams::default();
    syncs.patch("first", &by_hand, &label).await.unwrap();
    reconcile::applied(&syncs, "last", &commit).await.unwrap();
}
