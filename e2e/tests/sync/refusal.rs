//! A commit that cannot be applied changes nothing and says why.

use serde_json::json;

use crate::stage::{APPS, Stage, deployment, failures, map, message};

#[tokio::test]
async fn a_broken_commit_changes_nothing_and_names_every_error() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;

    let invalid =
        deployment("web", "nginx").replace("app: web}\n  template", "app: other}\n  template");
    let unknown = format!("{}colour: red\n", map("two", "b"));
    let commit = stage
        .push(&[
            ("apps/web.yaml", &invalid),
            ("one.yaml", &map("one", "b")),
            ("two.yaml", &unknown),
        ])
        .await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));
    assert_eq!(stage.data("two").await, None);
    let mut sources: Vec<_> = failures(&sync)
        .iter()
        .filter_map(|failure| failure.source.as_deref())
        .collect();
    sources.sort_unstable();
    assert_eq!(
        sources,
        ["apps/web.yaml:1", "two.yaml:1"],
        "{}",
        message(&sync)
    );
    assert!(message(&sync).contains("colour"), "{}", message(&sync));
    let status = sync.status.unwrap();
    assert!(!status.last_applied_revision.unwrap().contains(&commit));
    assert!(stage.event("Rejected", APPS).await.contains("two.yaml:1"));
}

#[tokio::test]
async fn a_repaired_commit_is_applied_at_once() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let unknown = format!("{}colour: red\n", map("one", "a"));
    let commit = stage.push(&[("one.yaml", &unknown)]).await;
    stage.failed(&commit, "Rejected").await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.applied(&commit).await;
    assert!(failures(&sync).is_empty(), "{:?}", failures(&sync));
}

#[tokio::test]
async fn an_error_of_syntax_is_told_with_file_and_line() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one\n";
    let commit = stage.push(&[("apps/one.yaml", text)]).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    let source = failures(&sync)[0].source.clone().unwrap();
    assert!(source.starts_with("apps/one.yaml:"), "{source}");
}

#[tokio::test]
async fn a_path_out_of_the_repository_is_refused() {
    let stage = Stage::set().await;
    stage.create(&stage.sync().with_path("./../..")).await;
    let sync = stage.refused(APPS, "InvalidSpec").await;
    assert!(message(&sync).contains("leaves the repository"));
}

#[tokio::test]
async fn a_link_out_of_the_repository_is_refused() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    stage.repo.symlink("one.yaml", "/etc/passwd").unwrap();
    stage.repo.symlink("two.yaml", "../../secret.yaml").unwrap();
    let kustomization = "resources: [one.yaml, two.yaml]\n";
    let commit = stage.push(&[("kustomization.yaml", kustomization)]).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    assert!(
        message(&sync).contains("leaves the repository"),
        "{}",
        message(&sync)
    );
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_named() {
    let stage = Stage::set().await;
    stage.create(&stage.sync().with_path("./nowhere")).await;
    let sync = stage.refused(APPS, "PathNotFound").await;
    assert!(message(&sync).contains("nowhere"), "{}", message(&sync));
}

#[tokio::test]
async fn an_immutable_field_is_changed_only_where_force_allows_it() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let text = deployment("web", "nginx:1");
    stage
        .applied(&stage.push(&[("web.yaml", &text)]).await)
        .await;
    let deployments = stage.api::<k8s_openapi::api::apps::v1::Deployment>();
    let before = deployments.get("web").await.unwrap().metadata.uid;

    let moved = text.replace("app: web", "app: moved");
    let commit = stage.push(&[("web.yaml", &moved)]).await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert!(
        message(&sync).contains("flux.rs/force"),
        "{}",
        message(&sync)
    );
    assert_eq!(deployments.get("web").await.unwrap().metadata.uid, before);

    let forced = moved.replacen(
        "  name: web",
        "  name: web\n  annotations: {flux.rs/force: enabled}",
        1,
    );
    let commit = stage.push(&[("web.yaml", &forced)]).await;
    stage.applied(&commit).await;
    assert_ne!(deployments.get("web").await.unwrap().metadata.uid, before);
}

#[tokio::test]
async fn a_suspended_sync_applies_nothing_until_it_is_resumed() {
    let stage = Stage::set().await;
    stage.create(&stage.sync().suspended()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.reconcile().await;
    assert_eq!(stage.data("one").await, None);
    stage.edit(APPS, json!({"suspend": false})).await;
    stage.applied(&commit).await;
    assert!(stage.data("one").await.is_some());
}
