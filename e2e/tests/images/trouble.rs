//! What goes wrong with registries and git servers, and changes nothing.

use flux_e2e::registry::{Conduct, Registry};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::stage::{APP, Stage, latest, message, registry};

/// A policy that has written 1.0.0.
async fn calm() -> Stage {
    let stage = Stage::set().await;
    stage.release(APP, &["0.9.0", "1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.timeout = Some("2s".into());
    policy.spec.retry_interval = Some("1h".into());
    stage.create(&policy).await;
    stage.settled(APP, "1.0.0").await;
    stage
}

#[tokio::test]
async fn a_registry_in_trouble_changes_nothing() {
    let stage = calm().await;
    let commits = stage.commits();
    let list = format!("{}/tags/list", stage.path(APP));
    let troubles = [
        (Conduct::Failing(401), "AuthenticationFailed"),
        (Conduct::Failing(403), "AccessDenied"),
        (Conduct::Failing(404), "ScanFailed"),
        (Conduct::Failing(500), "ScanFailed"),
        (Conduct::Halving, "ScanFailed"),
        (Conduct::Garbage, "ScanFailed"),
        (Conduct::Hanging, "TimedOut"),
    ];
    for (conduct, reason) in troubles {
        registry().set_conduct_of(&list, conduct.clone());
        stage.scan(APP).await;
        let said = stage.refused(APP, reason).await;
        assert!(said.contains("1.0.0 stays"), "{conduct:?}: {said}");
    }
    registry().set_conduct_of(&list, Conduct::Good);
    let policy = stage.scan(APP).await;
    assert_eq!(latest(&policy), Some("1.0.0"));
    assert_eq!(stage.commits(), commits);
}

#[tokio::test]
async fn a_list_that_became_empty_changes_nothing() {
    let stage = calm().await;
    let commits = stage.commits();
    let list = format!("{}/tags/list", stage.path(APP));
    let empty = json!({"name": stage.path(APP), "tags": []}).to_string();
    registry().set_conduct_of(&list, Conduct::Saying(empty));
    for _ in 0..3 {
        let policy = stage.scan(APP).await;
        assert_eq!(latest(&policy), Some("1.0.0"), "{}", message(&policy));
    }
    assert_eq!(stage.commits(), commits);
    assert!(stage.file("app.yaml").contains(":1.0.0 #"));
}

#[tokio::test]
async fn a_list_that_lost_the_running_tag_is_no_downgrade() {
    let stage = calm().await;
    stage.release(APP, &["1.1.0"]).await;
    stage.scan(APP).await;
    stage.settled(APP, "1.1.0").await;
    registry().remove_tags(&stage.path(APP), ["1.1.0"]).unwrap();
    for _ in 0..3 {
        let policy = stage.scan(APP).await;
        assert_eq!(latest(&policy), Some("1.1.0"), "{}", message(&policy));
    }
    stage.edit(APP, json!({"allowDowngrade": true})).await;
    // The same answer twice is believed where downgrades are allowed.
    stage.scan(APP).await;
    stage.scan(APP).await;
    stage.settled(APP, "1.0.0").await;
    assert!(stage.file("app.yaml").contains(":1.0.0 #"));
}

#[tokio::test]
async fn a_registry_that_asks_for_patience_is_left_alone() {
    let busy = Registry::start().unwrap();
    let stage = Stage::set().await;
    busy.push("app", "1.0.0", &flux_e2e::registry::Image::new())
        .await
        .unwrap();
    busy.set_conduct(Conduct::Busy("3600".into()));
    let mut policy = stage.policy(APP);
    policy.spec.image = busy.name("app");
    policy.spec.update.clear();
    policy.spec.retry_interval = Some("1s".into());
    stage.create(&policy).await;
    let said = stage.refused(APP, "ScanFailed").await;
    assert!(said.contains("asks to wait"), "{said}");
    let asked = busy.requests().len();
    for _ in 0..3 {
        stage.scan(APP).await;
    }
    assert_eq!(busy.requests().len(), asked, "asked again before the time");
}

#[tokio::test]
async fn credentials_come_from_the_secret_that_the_policy_names() {
    use flux_e2e::registry::{Auth, Options};
    let closed = Registry::start_with(&Options {
        auth: Auth::Token,
        ..Options::default()
    })
    .unwrap();
    let stage = Stage::set().await;
    closed
        .push("app", "1.0.0", &flux_e2e::registry::Image::new())
        .await
        .unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.image = closed.name("app");
    policy.spec.update.clear();
    policy.spec.secret_ref = Some(flux_crds::SecretReference::new("registry"));
    policy.spec.retry_interval = Some("1s".into());
    stage.create(&policy).await;
    let said = stage.refused(APP, "SecretNotFound").await;
    assert!(said.contains("/registry does not exist"), "{said}");
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": "registry"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": closed.docker_config()},
    }))
    .unwrap();
    stage.create(&secret).await;
    stage.settled(APP, "1.0.0").await;
}
