//! Waiting: for health, and for other Syncs.

use std::time::{Duration, Instant};

use flux_crds::sync::HealthCheck;
use flux_e2e::{reconcile, wait};
use k8s_openapi::api::apps::v1::Deployment;

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
    stage.push(&[("web.yaml", &stuck)]).await;
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
    stage.applied(&commit).await;
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "the timeout of 10 min did not hold it up"
    );
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
        started.elapsed() < Duration::from_secs(2),
        "it took {:?}: an event wakes it, not an interval",
        started.elapsed()
    );
}
