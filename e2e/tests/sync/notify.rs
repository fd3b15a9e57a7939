//! What receivers of notifications get, and what they can do to a Sync, which is nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_crds::notification::{NotificationEvent, NotificationKind};
use flux_crds::sync::Rollback;
use flux_crds::{Notification, SecretReference, Sync};
use flux_e2e::receiver::{Conduct, QUIET, Received};
use flux_e2e::{ControlPlane, Controller, GitServer, Options, Receiver, controller};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::stage::{APPS, Stage, deployment, log, map};

const TOKEN: &str = "t0ken-that-nobody-may-see";

/// The kinds, and a name for the receiver of each.
const KINDS: [(NotificationKind, &str); 10] = [
    (NotificationKind::Slack, "slack"),
    (NotificationKind::MsTeams, "teams"),
    (NotificationKind::Discord, "discord"),
    (NotificationKind::Matrix, "matrix"),
    (NotificationKind::Webhook, "webhook"),
    (NotificationKind::GitHubStatus, "github"),
    (NotificationKind::GitLabStatus, "gitlab"),
    (NotificationKind::GiteaStatus, "gitea"),
    (NotificationKind::Alertmanager, "alerts"),
    (NotificationKind::FluxV1, "fluxcloud"),
];

impl Stage {
    /// Creates a Secret with what a receiver needs.
    async fn receiver(&self, name: &str, data: Value) {
        let secret: Secret = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": self.name()}, "stringData": data,
        }))
        .unwrap();
        self.create(&secret).await;
    }

    /// A Sync that tells these.
    fn telling(&self, notify: Vec<Notification>) -> Sync {
        let mut sync = self.sync();
        sync.spec.notify = notify;
        sync
    }

    /// The events of a reason about the Sync.
    async fn events(&self, reason: &str) -> Vec<Event> {
        let events = self.api::<Event>().list(&ListParams::default()).await;
        let is_it = |event: &Event| event.reason.as_deref() == Some(reason);
        events.unwrap().items.into_iter().filter(is_it).collect()
    }
}

fn by_secret(kind: NotificationKind, name: &str) -> Notification {
    Notification {
        kind,
        url: None,
        secret_ref: Some(SecretReference::new(name)),
        on: Vec::new(),
        template: None,
    }
}

fn by_url(kind: NotificationKind, url: &str) -> Notification {
    Notification {
        url: Some(url.to_owned()),
        secret_ref: None,
        ..by_secret(kind, "")
    }
}

/// What a generic webhook was told.
fn told(requests: &[Received]) -> Vec<String> {
    let event = |one: &Received| one.json()["metadata"]["event"].clone();
    requests
        .iter()
        .map(|one| event(one).as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A manifest that no build takes.
const BROKEN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n";

#[tokio::test]
async fn each_kind_is_told_of_a_revision_in_its_own_way() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().unwrap();
    let mut notify = Vec::new();
    for (kind, name) in KINDS {
        let data = json!({"url": receiver.url(&format!("/{name}")), "token": TOKEN, "channel": "!ops:example.com"});
        stage.receiver(name, data).await;
        notify.push(by_secret(kind, name));
    }
    // An Alertmanager hears of good news only if somebody asks for it.
    notify[8].on = vec![NotificationEvent::Applied];
    stage.create(&stage.telling(notify)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let first = async |path: &str| {
        let requests = receiver.wait_for(path, 1).await.unwrap();
        let told = requests.into_iter().find(|one| {
            String::from_utf8_lossy(&one.body).contains("one") || one.path.contains(&commit)
        });
        told.unwrap()
    };
    let title = first("/slack").await.json()["attachments"][0]["title"].clone();
    let name = format!("Sync {}/{APPS}: applied main@sha1:", stage.name());
    assert!(title.as_str().unwrap().starts_with(&name), "{title}");
    assert_eq!(first("/teams").await.json()["type"], "message");
    assert!(first("/discord").await.json()["embeds"][0]["title"].is_string());
    let matrix = first("/matrix").await;
    assert_eq!(
        (matrix.method.as_str(), matrix.header("authorization")),
        ("PUT", format!("Bearer {TOKEN}").as_str())
    );
    assert!(
        matrix.path.starts_with(
            "/matrix/_matrix/client/v3/rooms/%21ops%3Aexample.com/send/m.room.message/"
        ),
        "{}",
        matrix.path
    );
    let webhook = first("/webhook").await;
    assert!(
        webhook.is_signed("x-signature", TOKEN),
        "the HMAC is over the body"
    );
    let event = webhook.json();
    assert_eq!(event["involvedObject"]["name"], APPS);
    assert_eq!(event["metadata"]["subject"], "a change");
    assert_eq!(event["metadata"]["revision"], format!("main@sha1:{commit}"));
    statuses(&stage, &receiver, &commit).await;
    let alerts = first("/alerts/api/v2/alerts").await.json();
    assert_eq!(alerts[0]["labels"]["alertname"], "FluxSyncApplied");
    let flux = first("/fluxcloud/v6/events").await;
    assert_eq!(
        flux.header("authorization"),
        format!("Scope-Probe token={TOKEN}")
    );
    let event = flux.json();
    assert_eq!(event["type"], "sync");
    assert_eq!(
        event["serviceIDs"],
        json!([format!("{}:configmap/one", stage.name())])
    );
    assert_eq!(
        event["metadata"]["commits"],
        json!([{"revision": commit, "message": "a change"}])
    );
}

async fn statuses(stage: &Stage, receiver: &Receiver, commit: &str) {
    let name = stage.name();
    let (github, gitlab, gitea) = (
        format!("/github/repos/{name}/statuses/{commit}"),
        format!("/gitlab/projects/{name}/statuses/{commit}"),
        format!("/gitea/repos/{name}/statuses/{commit}"),
    );
    let both = receiver.wait_for(&github, 2).await.unwrap();
    assert_eq!(states(&both), ["pending", "success"]);
    assert_eq!(both[0].json()["context"], both[1].json()["context"]);
    let github = &both[1];
    assert_eq!(github.header("authorization"), format!("Bearer {TOKEN}"));
    let status = github.json();
    let context = format!("flux/{name}/{APPS} (");
    assert!(
        status["context"].as_str().unwrap().starts_with(&context),
        "{status}"
    );
    let gitlab = receiver.wait_for(&gitlab, 2).await.unwrap();
    assert_eq!(gitlab[0].header("private-token"), TOKEN);
    assert_eq!(states(&gitlab), ["running", "success"]);
    let gitea = receiver.wait_for(&gitea, 2).await.unwrap();
    assert_eq!(states(&gitea), ["pending", "success"]);
    assert_eq!(gitea[0].header("authorization"), format!("token {TOKEN}"));
}

/// What a commit was said to be, one after the other.
fn states(requests: &[Received]) -> Vec<String> {
    let state = |one: &Received| one.json()["state"].as_str().unwrap_or_default().to_owned();
    requests.iter().map(state).collect()
}

#[tokio::test]
async fn a_commit_is_pending_until_it_is_healthy_and_its_failure_takes_the_place() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().unwrap();
    let data = json!({"url": receiver.url(""), "token": TOKEN});
    stage.receiver("forge", data).await;
    let mut sync = stage.telling(vec![by_secret(NotificationKind::GiteaStatus, "forge")]);
    sync.spec.wait = Some(true);
    sync.spec.rollback = Some(Rollback::Never);
    sync.spec.timeout = Some("3s".into());
    stage.create(&sync).await;
    let path = |commit: &str| format!("/repos/{}/statuses/{commit}", stage.name());
    let stuck = deployment("web", "nginx").replace(
        "    spec:\n",
        "    spec:\n      nodeSelector: {nowhere: \"true\"}\n",
    );
    let bad = stage.push(&[("web.yaml", &stuck)]).await;
    let first = receiver.wait_for(&path(&bad), 1).await.unwrap();
    assert_eq!(states(&first), ["pending"], "it is not healthy yet");
    stage.failed(&bad, "HealthCheckFailed").await;
    let both = receiver.wait_for(&path(&bad), 2).await.unwrap();
    assert_eq!(states(&both), ["pending", "failure"]);
    stage.reconcile().await;
    let good = stage
        .push(&[("web.yaml", &deployment("web", "nginx"))])
        .await;
    stage.applied(&good).await;
    let both = receiver.wait_for(&path(&good), 2).await.unwrap();
    assert_eq!(states(&both), ["pending", "success"]);
    let said = states(&receiver.received(&path(&bad)));
    assert_eq!(said, ["pending", "failure"], "a retry says nothing new");
}

#[tokio::test]
async fn a_failure_and_its_end_are_told_once_also_after_a_restart() {
    let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
    let server = GitServer::start().unwrap();
    let mut controller = Controller::start(&control_plane, controller::Options::default())
        .await
        .unwrap();
    let stage = Stage::on(&control_plane, &server).await;
    stage.grant("admin", "default").await;
    let receiver = Receiver::start().unwrap();
    let notify = vec![by_url(NotificationKind::Webhook, &receiver.url("/in"))];
    stage.create(&stage.telling(notify)).await;
    let good = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&good).await;
    let bad = stage.push(&[("two.yaml", BROKEN)]).await;
    stage.failed(&bad, "BuildFailed").await;
    receiver.wait_for("/in", 2).await.unwrap();
    for _ in 0..3 {
        stage.reconcile().await;
    }
    controller.restart().await.unwrap();
    stage.fetch().await;
    stage.reconcile().await;
    let better = stage.push(&[("two.yaml", &map("two", "b"))]).await;
    stage.applied(&better).await;
    receiver.wait_for("/in", 3).await.unwrap();
    stage.reconcile().await;
    controller.restart().await.unwrap();
    stage.reconcile().await;
    // The end of the process waits for what is to be told, so that all of it came.
    controller.stop();
    let requests = receiver.received("/in");
    assert_eq!(told(&requests), ["Applied", "Failed", "Recovered"]);
    let revision = |at: usize| requests[at].json()["metadata"]["revision"].clone();
    assert_eq!(revision(1), format!("main@sha1:{bad}"));
    assert_eq!(revision(2), format!("main@sha1:{better}"));
    let events = stage.events("BuildFailed").await;
    assert_eq!(
        events.len(),
        1,
        "Kubernetes events too are for news: {events:?}"
    );
}

#[tokio::test]
async fn a_receiver_that_is_dead_holds_nothing_up() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().unwrap();
    receiver.set_conduct("/hanging", Conduct::Hanging);
    receiver.set_conduct("/closing", Conduct::Closing);
    receiver.set_conduct("/failing", Conduct::Failing(500));
    let paths = ["/hanging", "/closing", "/failing", "/good"];
    let notify = paths.map(|path| by_url(NotificationKind::Webhook, &receiver.url(path)));
    stage.create(&stage.telling(notify.to_vec())).await;
    for number in 0..5 {
        let began = Instant::now();
        let commit = stage
            .push(&[("one.yaml", &map("one", &format!("v{number}")))])
            .await;
        stage.applied(&commit).await;
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(5),
            "commit {number} took {took:?}"
        );
    }
    let good = receiver.wait_for("/good", 5).await.unwrap();
    assert_eq!(told(&good), ["Applied"; 5]);
    let said = stage.event("NotificationFailed", APPS).await;
    assert!(said.contains("Webhook"), "{said}");
    receiver.set_conduct("/failing", Conduct::Good);
    let came = wait_until(&receiver, "/failing", |requests| {
        let keys: std::collections::BTreeSet<String> = requests
            .iter()
            .map(|one| one.json()["metadata"]["revision"].to_string())
            .collect();
        keys.len() == 5
    });
    came.await;
}

/// Waits until what came to a path is enough.
async fn wait_until(receiver: &Receiver, path: &str, enough: impl Fn(&[Received]) -> bool) {
    let mut count = 1;
    loop {
        let requests = receiver.wait_for(path, count).await.unwrap();
        if enough(&requests) {
            return;
        }
        count = requests.len() + 1;
    }
}

#[tokio::test]
async fn a_busy_receiver_gets_the_time_that_it_asks_for() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().unwrap();
    receiver.set_conduct("/busy", Conduct::BusyOnce(3));
    let notify = vec![by_url(NotificationKind::Webhook, &receiver.url("/busy"))];
    stage.create(&stage.telling(notify)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let requests = receiver.wait_for("/busy", 2).await.unwrap();
    let pause = requests[1].at.duration_since(requests[0].at);
    assert!(
        pause >= Duration::from_secs(3),
        "asked again after {pause:?}"
    );
    assert_eq!(requests[0].body, requests[1].body, "it is the same notice");
}

#[tokio::test]
async fn a_secret_goes_to_its_receiver_alone_and_is_told_nowhere() {
    let stage = Stage::set().await;
    let (receiver, elsewhere) = (Receiver::start().unwrap(), Receiver::start().unwrap());
    let secret_path = format!("/hooks/{TOKEN}");
    let redirect = Conduct::Redirecting(elsewhere.url("/stolen"));
    receiver.set_conduct("/hooks", redirect);
    let data = json!({"url": receiver.url(&secret_path), "token": TOKEN});
    stage.receiver("hook", data).await;
    stage.receiver("empty", json!({"url": TOKEN})).await;
    let notify = vec![
        by_secret(NotificationKind::Webhook, "hook"),
        by_secret(NotificationKind::Slack, "empty"),
    ];
    stage.create(&stage.telling(notify)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    receiver.wait_for(&secret_path, 1).await.unwrap();
    stage.event("NotificationFailed", APPS).await;
    let commit = stage.push(&[("one.yaml", &map("one", "b"))]).await;
    let sync = stage.applied(&commit).await;
    receiver.wait_for(&secret_path, 2).await.unwrap();
    let events = stage.events("NotificationFailed").await;
    assert!(
        events.len() <= 2,
        "each receiver's trouble is told once: {events:?}"
    );
    let seen = [
        serde_json::to_string(&events).unwrap(),
        serde_json::to_string(&sync).unwrap(),
        log().await,
    ];
    for text in seen {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(
        elsewhere.received("").is_empty(),
        "redirects are not followed"
    );
}

#[tokio::test]
async fn drift_is_told_and_only_to_those_who_ask_for_it() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().unwrap();
    let on = |path: &str, on| Notification {
        on: vec![on],
        ..by_url(NotificationKind::Webhook, &receiver.url(path))
    };
    let notify = vec![
        on("/drift", NotificationEvent::Drift),
        on("/failed", NotificationEvent::Failed),
    ];
    stage.create(&stage.telling(notify)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.applied(&commit).await;
    stage
        .by_hand("one", json!({"data": {"key": "other"}}))
        .await;
    let requests = receiver.wait_for("/drift", 1).await.unwrap();
    let event = requests[0].json();
    assert_eq!(event["metadata"]["event"], "Drift");
    assert_eq!(event["involvedObject"]["uid"], sync.uid().unwrap());
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("ConfigMap") && message.contains("kubectl-edit"),
        "{message}"
    );
    assert!(
        !message.contains("other"),
        "values are in no message: {message}"
    );
    tokio::time::timeout(QUIET, receiver.wait_for("/failed", 1))
        .await
        .expect_err("nothing failed");
}

#[tokio::test]
async fn a_template_that_cannot_be_used_is_told_and_holds_nothing_up() {
    let stage = Stage::set().await;
    let mut bad = by_url(NotificationKind::Webhook, "http://127.0.0.1:9/never");
    bad.template = Some("{{ nmae }}".to_owned());
    stage.create(&stage.telling(vec![bad])).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let event = stage.event("NotificationFailed", APPS).await;
    assert!(event.contains("spec.notify[0].template"), "{event}");
    assert!(event.contains("known are event, kind"), "{event}");
}
