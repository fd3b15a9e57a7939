//! What a Sync does around its objects in another cluster, and what stands there that is no cluster.

use flux_crds::Sync;
use flux_crds::sync::{HookPhase, HookResult};
use flux_e2e::control_plane::Fault;
use flux_e2e::{Plugin, wait};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use serde_json::json;

use crate::clusters::{Other, elsewhere, remove_secret, secret};
use crate::hooks::{job, results};
use crate::stage::{APPS, Stage, deployment, log, map, message};
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
    let other = Other::shared(&stage).await;
    let door = other
        .control_plane
        .door("admin", Some("system:masters"))
        .await
        .unwrap();
    let (_, first) = ANSWERS[0];
    door.set(move |_| first);
    let kubeconfig = std::fs::read_to_string(door.kubeconfig()).unwrap();
    secret(&stage, "value", &kubeconfig).await;
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

#[tokio::test]
async fn the_plugin_shows_the_workloads_of_the_other_cluster_or_says_why_not() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let image = "registry.invalid/shop/web:1.2.3";
    let files = [
        ("web.yaml", deployment("web", image)),
        ("one.yaml", map("one", "a")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    stage.applied(&commit).await;
    other.run("web").await;
    let plugin = Plugin::in_namespace(&stage.control_plane, &stage.namespace)
        .await
        .unwrap();
    let workload = format!("{}:deployment/web", stage.name());
    let sync = format!("{}/{APPS}", stage.name());

    let said = plugin.run(&["workloads", "-o", "wide"]).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    let line = said.stdout.lines().find(|line| line.contains(&workload));
    let line = line.unwrap_or_default();
    assert!(line.contains(image) && line.contains("ready"), "{said}");
    assert!(line.ends_with(&sync), "{said}");
    let note = format!("note: the workloads of Sync {sync} run in another cluster");
    assert!(said.stderr.contains(&note), "{said}");

    for words in [vec!["images"], vec!["images", "-w", "deployment/web"]] {
        let said = plugin.run(&words).await.unwrap();
        assert!(said.stdout.contains(&workload), "{said}");
        assert!(said.stdout.contains("registry.invalid/shop/web"), "{said}");
    }

    remove_secret(&stage).await;
    let said = plugin.run(&["workloads"]).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    assert!(!said.stdout.contains(&workload), "{said}");
    let note =
        format!("note: the workloads of Sync {sync} run in another cluster and are not shown");
    assert!(said.stderr.contains(&note), "{said}");
    assert!(said.stderr.contains("staging"), "names the Secret: {said}");
}
