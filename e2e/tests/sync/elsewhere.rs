//! What a Sync does around its objects in another cluster, and what stands there that is no cluster.

use std::time::{Duration, Instant};

use flux_crds::Sync;
use flux_crds::sync::{HookPhase, HookResult};
use flux_e2e::control_plane::{Door, Fault};
use flux_e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::clusters::{Other, elsewhere, secret};
use crate::hooks::{job, results};
use crate::rollback::{definition, rolled_back, wrong};
use crate::stage::{APPS, Stage, deployment, inventory, log, map, message};
use crate::waves::in_wave;

#[tokio::test]
async fn hooks_run_and_waves_wait_in_the_other_cluster() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    let mut sync = elsewhere(&stage);
    sync.spec.timeout = Some("5m".into());
    stage.create(&sync).await;
    let commit = stage
        .push(&[
            ("before.yaml", &job("before", "flux.rs/hook: pre-sync")),
            ("web.yaml", &in_wave(&deployment("web", "nginx"), -1)),
            ("one.yaml", &map("one", "a")),
            ("after.yaml", &job("after", "flux.rs/hook: post-sync")),
        ])
        .await;
    let jobs = other.api::<Job>();
    wait::until(&jobs, "before", "exists", |_| true)
        .await
        .unwrap();
    let web = other.api::<Deployment>().get_opt("web").await.unwrap();
    assert!(web.is_none(), "nothing is applied before the hook is done");
    other.succeed("before").await;
    let waits = |sync: &Sync| message(sync).contains("waiting for 1 objects");
    wait::until(&stage.syncs(), APPS, "waits for the wave", waits)
        .await
        .unwrap();
    assert!(
        other.data("one").await.is_none(),
        "the wave before does not run yet"
    );
    other.run("web").await;
    other.succeed("after").await;
    let sync = stage.applied(&commit).await;
    assert_eq!(other.data("one").await, Some(json!({"key": "a"})));
    let both = [
        (HookPhase::PreSync, HookResult::Succeeded),
        (HookPhase::PostSync, HookResult::Succeeded),
    ];
    assert_eq!(results(&sync), both);
    let here = stage.api::<Job>().list(&ListParams::default()).await;
    assert!(here.unwrap().items.is_empty(), "nothing runs here");
}

#[tokio::test]
async fn a_hook_that_fails_in_the_other_cluster_keeps_the_revision_out_of_it() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let commit = stage
        .push(&[
            ("one.yaml", &map("one", "b")),
            ("two.yaml", &map("two", "b")),
            ("before.yaml", &job("before", "flux.rs/hook: pre-sync")),
            ("rescue.yaml", &job("rescue", "flux.rs/hook: on-failure")),
        ])
        .await;
    other.fail("before").await;
    let text = message(&stage.failed(&commit, "HookFailed").await);
    let named = format!("Job/{}/before (before.yaml:1)", stage.name());
    assert!(text.contains(&named), "{text}");
    assert_eq!(other.data("one").await, Some(json!({"key": "a"})));
    assert_eq!(other.data("two").await, None);
    let rescue = other.api::<Job>().get_opt("rescue").await.unwrap();
    assert!(rescue.is_some(), "the hook for failures was started there");
    nothing_is_here(&stage).await;

    let mended = job("before", "flux.rs/hook: pre-sync").replace("busybox", "busybox:2");
    let before = other.api::<Job>().get("before").await.unwrap().uid();
    let commit = stage.push(&[("before.yaml", &mended)]).await;
    let is_another = |job: &Job| job.uid() != before;
    let jobs = other.api::<Job>();
    wait::until(&jobs, "before", "is another run", is_another)
        .await
        .unwrap();
    other.succeed("before").await;
    stage.applied(&commit).await;
    assert_eq!(other.data("two").await, Some(json!({"key": "b"})));
}

/// Looks that neither a Job nor an object of the revision is in the home cluster.
async fn nothing_is_here(stage: &Stage) {
    let jobs = stage.api::<Job>().list(&ListParams::default()).await;
    assert!(jobs.unwrap().items.is_empty(), "no Job runs here");
    for name in ["one", "two"] {
        assert_eq!(stage.data(name).await, None, "{name} is not for here");
    }
}

/// What is the same however a wave fails: `one` is as before it, `two` never came, and all of it there.
async fn is_taken_back_there(stage: &Stage, other: &Other) -> String {
    let sync = wait::until(&stage.syncs(), APPS, "is rolled back", rolled_back)
        .await
        .unwrap();
    assert_eq!(inventory(&sync).len(), 1, "{:?}", inventory(&sync));
    assert_eq!(
        other.data("two").await,
        None,
        "later waves were not applied"
    );
    assert_eq!(
        other.data("one").await,
        Some(json!({"key": "a"})),
        "earlier waves were taken back"
    );
    nothing_is_here(stage).await;
    message(&sync)
}

#[tokio::test]
async fn a_wave_that_is_not_healthy_in_the_other_cluster_is_taken_back_there() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    let mut sync = elsewhere(&stage);
    sync.spec.timeout = Some("3s".into());
    stage.create(&sync).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    // Nobody runs pods there.
    stage
        .push(&[
            ("one.yaml", &in_wave(&map("one", "b"), -2)),
            ("web.yaml", &in_wave(&deployment("web", "nginx"), -1)),
            ("two.yaml", &map("two", "b")),
        ])
        .await;
    let text = is_taken_back_there(&stage, &other).await;
    let names_it = text.contains("wave -1 is not healthy")
        && text.contains("Deployment/")
        && text.contains("/web");
    assert!(names_it, "{text}");
    let web = other.api::<Deployment>().get_opt("web").await.unwrap();
    assert!(web.is_none_or(|web| web.metadata.deletion_timestamp.is_some()));
    let here = stage.api::<Deployment>().get_opt("web").await.unwrap();
    assert!(here.is_none(), "nothing of it was here");
}

#[tokio::test]
async fn a_wave_that_the_other_cluster_rejects_is_taken_back_there() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    stage
        .push(&[
            ("one.yaml", &in_wave(&map("one", "b"), -1)),
            ("wrong.yaml", &wrong(&stage)),
            ("two.yaml", &in_wave(&map("two", "b"), 1)),
        ])
        .await;
    let text = is_taken_back_there(&stage, &other).await;
    let names_it = text.contains("Size") && text.contains("wrong");
    assert!(names_it, "{text}");
    assert!(is_defined_nowhere(&stage, &other).await);
}

/// A door before the other cluster, which is the way there that the Secret tells.
async fn door(stage: &Stage) -> Door {
    let other = Other::shared(stage).await;
    let door = other.control_plane.door("admin", Some("system:masters"));
    let door = door.await.unwrap();
    let kubeconfig = std::fs::read_to_string(door.kubeconfig()).unwrap();
    secret(stage, "value", &kubeconfig).await;
    door
}

/// More than may work in the shared controller at once.
const MANY: usize = 12;

#[tokio::test]
async fn a_cluster_that_takes_requests_and_never_answers_holds_up_no_other() {
    let stage = Stage::set().await;
    let door = door(&stage).await;
    let (asked, mut hangs) = tokio::sync::watch::channel(0);
    door.set(move |request| {
        if request.path == "/version" {
            return Fault::None;
        }
        asked.send_modify(|asked| *asked += 1);
        Fault::Hang
    });
    for number in 0..MANY {
        let mut sync = elsewhere(&stage);
        sync.metadata.name = Some(format!("away-{number}"));
        stage.create(&sync).await;
    }
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    hangs.wait_for(|asked| *asked >= 4).await.unwrap();
    let since = Instant::now();
    stage.create(&stage.sync()).await;
    stage.applied(&commit).await;
    let took = since.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
}

/// Tells whether the definition of the rejected object is or will be gone there, and never was here.
async fn is_defined_nowhere(stage: &Stage, other: &Other) -> bool {
    let name = definition(stage);
    let there = Api::<CustomResourceDefinition>::all(other.control_plane.client().await.unwrap());
    wait::until_gone(&there, &name).await.unwrap();
    let here = Api::<CustomResourceDefinition>::all(stage.control_plane.client().await.unwrap());
    here.get_opt(&name).await.unwrap().is_none()
}

/// What only a server beside the controller says, and nobody else may read.
const INTERN: &str = "swordfish";

/// How servers answer that are none of Kubernetes.
const ANSWERS: [(&str, Fault); 6] = [
    ("a page", Fault::Answer(200, "<p>swordfish</p>")),
    ("JSON", Fault::Answer(200, r#"{"major": "swordfish"}"#)),
    ("a text", Fault::Answer(200, r#""swordfish""#)),
    (
        "no rights",
        Fault::Answer(403, r#"{"message": "swordfish"}"#),
    ),
    ("no page", Fault::Answer(404, "swordfish is not here")),
    (
        "trouble",
        Fault::Answer(500, r#"{"message": "swordfish", "reason": "swordfish"}"#),
    ),
];

#[tokio::test]
async fn what_a_server_says_that_is_no_api_server_is_told_nowhere() {
    let stage = Stage::set().await;
    let door = door(&stage).await;
    let (_, first) = ANSWERS[0];
    door.set(move |_| first);
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    for (what, answer) in ANSWERS {
        door.set(move |_| answer);
        refuses(&stage, what).await;
        // The same from one that says of itself that it is an API server, or is it at this one address.
        door.set(move |asked| match asked.path.as_str() {
            "/version" => Fault::Answer(200, r#"{"major": "1", "gitVersion": "v1.99.0"}"#),
            _ => answer,
        });
        refuses(&stage, what).await;
    }
    let events = stage.api::<Event>().list(&ListParams::default()).await;
    let events = serde_json::to_string(&events.unwrap().items).unwrap();
    assert!(events.contains("ClusterUnreachable"), "{events}");
    assert!(!events.contains(INTERN), "{events}");
    let log = log().await;
    assert!(!log.contains(INTERN), "{log}");

    door.open();
    stage.applied(&commit).await;
    let (_, trouble) = ANSWERS[5];
    door.set(move |asked| match asked.path.as_str() {
        "/version" => Fault::None,
        _ => trouble,
    });
    refuses(&stage, "trouble after all went well").await;
    door.open();
    stage.applied(&commit).await;
}

/// Reconciles, which fails, and looks for what must not be told.
async fn refuses(stage: &Stage, what: &str) {
    let sync = stage.reconcile().await;
    let text = serde_json::to_string(&sync.status).unwrap();
    assert!(!text.contains(INTERN), "{what}: {text}");
    assert!(!wait::is_ready(&sync), "{what}: {text}");
}
