//! Who is told of a newer image, and what.

use flux_crds::notification::{NotificationEvent, NotificationKind};
use flux_crds::{GitRepository, ImagePolicy, Notification};
use flux_e2e::Receiver;
use flux_e2e::receiver::Received;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::stage::{APP, FLEET, Stage};

/// Who writes the commits.
const AUTHOR: &str = "Ada <ada@example.com>";

fn receiver(kind: NotificationKind, url: &str, on: &[NotificationEvent]) -> Notification {
    Notification {
        kind,
        url: Some(url.to_owned()),
        secret_ref: None,
        on: on.to_vec(),
        template: None,
    }
}

impl Stage {
    /// Lets the repository tell these.
    async fn telling(&self, notify: &[Notification]) {
        let write =
            json!({"branch": "main", "author": {"name": "Ada", "email": "ada@example.com"}});
        let patch = Patch::Merge(json!({"spec": {"notify": notify, "write": write}}));
        let repositories = self.api::<GitRepository>();
        let parameters = PatchParams::default();
        let patched = repositories.patch(FLEET, &parameters, &patch).await;
        patched.unwrap();
        self.fetch().await;
    }

    /// A policy that tells these, of an image that runs in version 1.0.0 and of which there is 1.1.0.
    async fn newer(&self, notify: Vec<Notification>) -> ImagePolicy {
        self.release(APP, &["1.0.0", "1.1.0"]).await;
        let manifest = self.marked(APP, "1.0.0");
        let pushed = self.repo.push_files(&[("app.yaml", &manifest)], "app");
        pushed.unwrap();
        let mut policy = self.policy(APP);
        policy.spec.notify = notify;
        let policy = self.create(&policy).await;
        self.settled(APP, "1.1.0").await;
        policy
    }
}

/// What a notice says of its object and its commit.
fn metadata(requests: &[Received], kind: &str, name: &str) -> Value {
    assert_eq!(requests.len(), 1, "one commit, one notice: {requests:?}");
    let notice = requests[0].json();
    assert_eq!(notice["involvedObject"]["kind"], kind, "{notice}");
    assert_eq!(notice["involvedObject"]["name"], name, "{notice}");
    assert_eq!(notice["severity"], "info");
    assert_eq!(notice["reason"], "ImageUpdated");
    assert_eq!(notice["metadata"]["event"], "ImageUpdate");
    notice["metadata"].clone()
}

#[tokio::test]
async fn a_newer_image_is_told_once_by_its_policy_and_by_the_repository() {
    let stage = Stage::set().await;
    let told = Receiver::start().unwrap();
    let webhook = |path: &str| receiver(NotificationKind::Webhook, &told.url(path), &[]);
    stage.telling(&[webhook("/repository")]).await;
    let policy = stage.newer(vec![webhook("/policy")]).await;
    let head = stage.repo.remote_id("refs/heads/main").unwrap();
    let revision = json!(format!("main@sha1:{head}"));

    let of_policy = told.wait_for("/policy", 1).await.unwrap();
    let said = metadata(&of_policy, "ImagePolicy", APP);
    assert_eq!(said["revision"], revision);
    let image = format!("{}:1.1.0", stage.image(APP));
    assert_eq!(of_policy[0].json()["message"], image);
    let uid = &of_policy[0].json()["involvedObject"]["uid"];
    assert_eq!(*uid, policy.uid().unwrap());

    let of_repository = told.wait_for("/repository", 1).await.unwrap();
    let said = metadata(&of_repository, "GitRepository", FLEET);
    assert_eq!(said["revision"], revision);
    assert_eq!(said["author"], AUTHOR);
    let subject = stage.repo.git_bare(&["log", "-1", "--format=%s", "main"]);
    assert_eq!(said["subject"], subject.unwrap().trim());
    let images = said["images"].as_str().unwrap();
    let line = format!("{0}:1.0.0 → {0}:1.1.0", stage.image(APP));
    assert!(
        images.starts_with("app.yaml:") && images.ends_with(&line),
        "{images}"
    );

    stage.scan(APP).await;
    stage.fetch().await;
    stage.release(APP, &["1.2.0"]).await;
    stage.scan(APP).await;
    stage.settled(APP, "1.2.0").await;
    // One receiver hears one thing after the other, so that a repetition would stand before the next commit.
    for path in ["/policy", "/repository"] {
        let both = told.wait_for(path, 2).await.unwrap();
        let next = &both[1].json()["metadata"]["revision"];
        assert_ne!(*next, revision, "{path} was told twice");
    }
}

#[tokio::test]
async fn a_newer_image_is_told_to_those_who_ask_for_it_and_as_flux_v1_told_it() {
    let stage = Stage::set().await;
    let told = Receiver::start().unwrap();
    let webhook = |path: &str, on| receiver(NotificationKind::Webhook, &told.url(path), &[on]);
    let fluxcloud = |path: &str| receiver(NotificationKind::FluxV1, &told.url(path), &[]);
    stage.telling(&[fluxcloud("/fluxcloud")]).await;
    let notify = vec![
        webhook("/failures", NotificationEvent::Failed),
        webhook("/images", NotificationEvent::ImageUpdate),
    ];
    stage.newer(notify).await;
    told.wait_for("/images", 1).await.unwrap();
    assert!(told.received("/failures").is_empty());
    let requests = told.wait_for("/fluxcloud/v6/events", 1).await.unwrap();
    let event = requests[0].json();
    assert_eq!(event["type"], "autorelease", "{event}");
    let text = event.to_string();
    assert!(
        text.contains(&format!("{}:1.1.0", stage.image(APP))),
        "{text}"
    );
}
