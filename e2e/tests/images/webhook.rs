//! Servers that call when something was pushed.

use std::time::{Duration, Instant};

use flux_crds::GitRepository;
use flux_crds::git_repository::{Webhook, WebhookKind};
use flux_crds::image_policy::{ImageWebhook, ImageWebhookKind};
use flux_e2e::webhook::Call;
use flux_e2e::{ControlPlane, wait};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::stage::{APP, FLEET, Stage, shared_controller};

const TOKEN: &str = "a text that both know";
/// From a call to a served revision.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Creates the Secret that webhooks name.
async fn secret(stage: &Stage) {
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": "hook", "namespace": stage.namespace.name()},
        "stringData": {"token": TOKEN},
    }))
    .unwrap();
    stage.create(&secret).await;
}

/// Lets servers of a kind call the repository, and returns where.
async fn hook(stage: &Stage, kind: WebhookKind) -> String {
    let webhook = Webhook {
        secret_ref: flux_crds::SecretReference {
            name: "hook".into(),
        },
        kind,
    };
    let api = stage.api::<GitRepository>();
    let change = Patch::Merge(json!({"spec": {"webhook": webhook}}));
    let changed = api.patch(FLEET, &PatchParams::default(), &change).await;
    let generation = changed.unwrap().metadata.generation;
    let repository = wait::until(&api, FLEET, "has a webhook path", |repository| {
        let status = repository.status.as_ref();
        status.is_some_and(|status| {
            status.webhook_path.is_some() && status.observed_generation == generation
        })
    });
    let path = repository.await.unwrap().status.unwrap().webhook_path;
    format!("{}{}", server().await, path.unwrap())
}

async fn server() -> String {
    let control_plane = ControlPlane::shared_with_workloads().await;
    shared_controller(control_plane).await.webhook_url()
}

/// A push as a server of this kind tells it.
fn push(kind: WebhookKind, token: &str) -> Call {
    let body = json!({"ref": "refs/heads/main", "push": {"changes": [{"new": {"type": "branch", "name": "main"}}]}});
    let call = Call::new(body.to_string());
    match kind {
        WebhookKind::GitHub => {
            call.with("X-GitHub-Event", "push")
                .signed("X-Hub-Signature-256", "sha256=", token)
        }
        WebhookKind::GitLab => call
            .with("X-Gitlab-Event", "Push Hook")
            .with("X-Gitlab-Token", token),
        WebhookKind::Gitea => {
            call.with("X-Gitea-Event", "push")
                .signed("X-Gitea-Signature", "", token)
        }
        WebhookKind::Bitbucket => {
            call.with("X-Event-Key", "repo:push")
                .signed("X-Hub-Signature", "sha256=", token)
        }
        WebhookKind::Generic => call.signed("X-Signature", "sha256=", token),
    }
}

#[tokio::test]
async fn a_push_is_served_at_once_when_the_server_calls() {
    let stage = Stage::set().await;
    secret(&stage).await;
    for kind in [
        WebhookKind::GitHub,
        WebhookKind::GitLab,
        WebhookKind::Gitea,
        WebhookKind::Bitbucket,
        WebhookKind::Generic,
    ] {
        let url = hook(&stage, kind).await;
        let commit = stage
            .repo
            .push_files(&[("README.md", &format!("{kind:?}"))], "change")
            .unwrap();
        let began = Instant::now();
        assert_eq!(push(kind, TOKEN).send(&url).await.unwrap(), 202, "{kind:?}");
        let api = stage.api::<GitRepository>();
        wait::until(&api, FLEET, "serves what was pushed", |repository| {
            let status = repository.status.as_ref();
            let revision = status.and_then(|status| status.revision.as_deref());
            revision.is_some_and(|revision| revision.contains(&commit))
        })
        .await
        .unwrap();
        let took = began.elapsed();
        assert!(took < AT_ONCE, "{kind:?} took {took:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_right_moves_nothing() {
    let stage = Stage::set().await;
    secret(&stage).await;
    let url = hook(&stage, WebhookKind::GitHub).await;
    let forged = push(WebhookKind::GitHub, "another text");
    assert_eq!(forged.send(&url).await.unwrap(), 401);
    assert_eq!(Call::new("{}").send(&url).await.unwrap(), 401);
    // More than the sockets hold: who is refused while it still writes gets to read why.
    for size in [(1 << 20) + 1, 16 << 20] {
        let large = Call::new(vec![b' '; size]);
        assert_eq!(large.send(&url).await.unwrap(), 413);
    }
    let ping = Call::new("{}").with("X-GitHub-Event", "ping").signed(
        "X-Hub-Signature-256",
        "sha256=",
        TOKEN,
    );
    assert_eq!(ping.send(&url).await.unwrap(), 200);
    let garbage = Call::new("[]").with("X-GitHub-Event", "push").signed(
        "X-Hub-Signature-256",
        "sha256=",
        TOKEN,
    );
    assert_eq!(garbage.send(&url).await.unwrap(), 400);
    let unknown = format!("{}/hook/{}", server().await, "0".repeat(64));
    assert_eq!(Call::new("{}").send(&unknown).await.unwrap(), 404);
    let mut answers = Vec::new();
    for _ in 0..40 {
        let forged = push(WebhookKind::GitHub, "another text");
        answers.push(forged.send(&url).await.unwrap());
    }
    assert!(answers.contains(&429), "{answers:?}");
    assert!(answers.iter().all(|code| [401, 429].contains(code)));
    let repository = stage.api::<GitRepository>().get(FLEET).await.unwrap();
    assert!(wait::is_ready(&repository));
}

#[tokio::test]
async fn a_webhook_without_its_secret_says_so() {
    let stage = Stage::set().await;
    let mut repository = stage.repository("other");
    repository.spec.webhook = Some(Webhook {
        secret_ref: flux_crds::SecretReference {
            name: "missing".into(),
        },
        kind: WebhookKind::GitHub,
    });
    stage.create(&repository).await;
    let api = stage.api::<GitRepository>();
    let refused = wait::until(&api, "other", "misses the Secret", |repository| {
        wait::has_failed(repository, "SecretNotFound")
    });
    assert_eq!(refused.await.unwrap().status.unwrap().webhook_path, None);
}

#[tokio::test]
async fn a_new_image_is_written_at_once_when_the_registry_calls() {
    let stage = Stage::set().await;
    secret(&stage).await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "1.0.0"))], "app")
        .unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.webhook = Some(ImageWebhook {
        secret_ref: flux_crds::SecretReference {
            name: "hook".into(),
        },
        kind: ImageWebhookKind::Distribution,
    });
    stage.create(&policy).await;
    let policy = stage.settled(APP, "1.0.0").await;
    let path = policy.status.unwrap().webhook_path.unwrap();
    let url = format!("{}{path}", server().await);
    stage.release(APP, &["1.1.0"]).await;
    let body = json!({"events": [{"action": "push", "target": {"repository": stage.path(APP), "tag": "1.1.0"}}]});
    let call = Call::new(body.to_string()).with("Authorization", &format!("Bearer {TOKEN}"));
    assert_eq!(call.send(&url).await.unwrap(), 202);
    stage.settled(APP, "1.1.0").await;
    assert!(stage.file("app.yaml").contains(":1.1.0 #"));
}
