//! What is written to git, and how it reaches a cluster.

use flux_crds::git_repository::Author;
use flux_crds::image_policy::{DigestMode, UpdateStrategy};
use flux_crds::{GitRepository, Sync};
use flux_e2e::{reconcile, wait};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::stage::{APP, FLEET, Stage, latest, message, pending, update};

#[tokio::test]
async fn a_new_tag_becomes_a_commit_that_changes_one_value() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    let before = stage.marked(APP, "1.0.0").replace('\n', "\r\n");
    stage
        .repo
        .push_files(&[("apps/app.yaml", &before)], "app")
        .unwrap();
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    let commits = stage.commits();
    stage.release(APP, &["1.1.0"]).await;
    stage.scan(APP).await;
    let policy = stage.settled(APP, "1.1.0").await;
    assert_eq!(
        stage.file("apps/app.yaml"),
        before.replace(":1.0.0 #", ":1.1.0 #").trim_end()
    );
    assert_eq!(stage.commits(), commits + 1);
    let words = stage.words();
    assert!(words.contains("1.1.0"), "{words}");
    assert!(
        words.contains(&format!("Image-Policy: {}/{APP}", stage.namespace.name())),
        "{words}"
    );
    assert!(words.contains("apps/app.yaml"), "{words}");
    let status = policy.status.unwrap();
    let head = stage.repo.remote_id("refs/heads/main").unwrap();
    let update = status.last_update.unwrap();
    assert_eq!(update.commit, head);
    assert_eq!(update.revision, format!("main@sha1:{head}"));
    let repositories = stage.api::<GitRepository>();
    let fleet = wait::until(&repositories, FLEET, "serves it", |fleet| {
        let status = fleet.status.as_ref();
        status.and_then(|status| status.revision.as_ref()) == Some(&update.revision)
    });
    let fleet = fleet.await.unwrap();
    assert_eq!(fleet.status.unwrap().last_write.unwrap().commit, head);
    // Nothing is left to do, so nothing is done.
    stage.scan(APP).await;
    stage.fetch().await;
    assert_eq!(stage.commits(), commits + 1);
}

#[tokio::test]
async fn policies_that_are_due_at_once_make_one_commit() {
    let stage = Stage::set().await;
    let names = ["one", "two", "three"];
    for name in names {
        stage.release(name, &["1.0.0", "1.1.0"]).await;
    }
    let files = names.map(|name| (format!("{name}.yaml"), stage.marked(name, "1.0.0")));
    let files = files
        .each_ref()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    stage.repo.push_files(&files, "apps").unwrap();
    let commits = stage.commits();
    for name in names {
        stage.create(&stage.policy(name)).await;
    }
    for name in names {
        stage.settled(name, "1.1.0").await;
    }
    // They were created one after the other, so that the first may have been alone.
    assert!(stage.commits() <= commits + 2, "{}", stage.words());
    let commits = stage.commits();
    for name in names {
        stage.release(name, &["1.2.0"]).await;
    }
    let api = stage.policies();
    let mut tokens = Vec::new();
    for name in names {
        tokens.push((name, reconcile::poke(&api, name).await.unwrap()));
    }
    for (name, token) in tokens {
        reconcile::handled(&api, name, &token).await.unwrap();
        stage.settled(name, "1.2.0").await;
    }
    assert_eq!(stage.commits(), commits + 1, "{}", stage.words());
}

#[tokio::test]
async fn the_images_of_a_kustomization_are_written() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0", "1.1.0"]).await;
    let image = stage.image(APP);
    let before = format!(
        "resources: [app.yaml]\nimages:\n  # the front\n  - name: {image}\n    newTag: \"1.0.0\"\n  - name: other\n    newTag: \"1.0.0\"\n"
    );
    let files = [
        ("prod/kustomization.yaml", before.as_str()),
        ("prod/app.yaml", "a: b\n"),
    ];
    stage.repo.push_files(&files, "app").unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.update = vec![update(UpdateStrategy::Images)];
    policy.spec.update[0].path = Some("./prod".into());
    stage.create(&policy).await;
    stage.settled(APP, "1.1.0").await;
    let after = before.replacen("newTag: \"1.0.0\"", "newTag: \"1.1.0\"", 1);
    assert_eq!(stage.file("prod/kustomization.yaml"), after.trim_end());
}

#[tokio::test]
async fn an_automated_workload_gets_the_best_tag_that_its_annotation_allows() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0", "1.1.0", "2.0.0"]).await;
    let workload = |name: &str, annotations: &str| {
        stage
            .marked(APP, "1.0.0")
            .replace(
                "  name: app # the front",
                &format!("  name: {name}\n  annotations: {annotations}"),
            )
            .lines()
            .map(|line| line.split(" # {").next().unwrap_or_default().to_owned() + "\n")
            .collect::<String>()
    };
    let any = workload("any", "{fluxcd.io/automated: \"true\"}");
    let held = workload(
        "held",
        "{flux.weave.works/automated: \"true\", flux.weave.works/tag.main: semver:~1}",
    );
    let manual = workload("manual", "{fluxcd.io/automated: \"false\"}");
    let files = [
        ("any.yaml", any.as_str()),
        ("held.yaml", held.as_str()),
        ("manual.yaml", manual.as_str()),
    ];
    stage.repo.push_files(&files, "apps").unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.update = vec![update(UpdateStrategy::Annotations)];
    stage.create(&policy).await;
    stage.settled(APP, "2.0.0").await;
    assert!(
        stage.file("any.yaml").ends_with(":2.0.0"),
        "{}",
        stage.file("any.yaml")
    );
    assert!(
        stage.file("held.yaml").ends_with(":1.1.0"),
        "{}",
        stage.file("held.yaml")
    );
    assert_eq!(stage.file("manual.yaml"), manual.trim_end());
}

#[tokio::test]
async fn the_digest_is_written_behind_the_tag() {
    let stage = Stage::set().await;
    let digest = stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.digest = Some(DigestMode::Always);
    stage.create(&policy).await;
    let policy = stage.settled(APP, "1.0.0").await;
    assert_eq!(
        policy.status.unwrap().latest.unwrap().digest.as_ref(),
        Some(&digest)
    );
    let file = stage.file("app.yaml");
    assert!(file.contains(&format!(":1.0.0@{digest} #")), "{file}");
    // The same tag with another image is another digest.
    let moved = stage.release(APP, &["1.0.0", "same"]).await;
    assert_ne!(moved, digest);
    stage.scan(APP).await;
    let file = stage.file("app.yaml");
    assert!(file.contains(&format!(":1.0.0@{moved} #")), "{file}");
}

#[tokio::test]
async fn the_repository_says_who_commits_and_with_which_words() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    let author = Author {
        name: "Fleet Bot".into(),
        email: "bot@example.com".into(),
    };
    let write = json!({"spec": {"write": {
        "branch": "main", "author": author, "message": "[ci skip] {{ subject }}",
    }}});
    patch(&stage, &write).await;
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    let words = stage.words();
    assert!(
        words.starts_with("Fleet Bot <bot@example.com>\n[ci skip] "),
        "{words}"
    );
}

#[tokio::test]
async fn a_push_branch_of_its_own_leaves_the_source_alone() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    let source = stage.repo.remote_id("refs/heads/main").unwrap();
    patch(&stage, &json!({"spec": {"write": {"branch": "updates"}}})).await;
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    assert_eq!(stage.repo.remote_id("refs/heads/main").unwrap(), source);
    let pushed = stage.repo.git_bare(&["show", "updates:app.yaml"]).unwrap();
    assert!(pushed.contains(":1.0.0 #"), "{pushed}");
}

#[tokio::test]
async fn a_repository_that_is_read_only_is_said_to_be() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    patch(&stage, &json!({"spec": {"write": null}})).await;
    stage.create(&stage.policy(APP)).await;
    let said = stage.refused(APP, "UpdateFailed").await;
    assert!(said.contains("no spec.write"), "{said}");
    let policy = stage.policies().get(APP).await.unwrap();
    assert_eq!(
        (latest(&policy), pending(&policy)),
        (Some("1.0.0"), Some("1.0.0"))
    );
    patch(&stage, &json!({"spec": {"write": {"branch": "main"}}})).await;
    stage.settled(APP, "1.0.0").await;
    assert!(stage.file("app.yaml").contains(":1.0.0 #"));
}

#[tokio::test]
async fn a_policy_without_a_place_to_write_to_is_told_what_to_mark() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage.create(&stage.policy(APP)).await;
    let said = stage.refused(APP, "UpdateFailed").await;
    let marker = format!(
        "# {{\"$imagepolicy\": \"{}:{APP}\"}}",
        stage.namespace.name()
    );
    assert!(said.contains(&marker), "{said}");
    // A marker that comes later is found without a new tag.
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "0.9.0"))], "app")
        .unwrap();
    stage.fetch().await;
    let policy = stage.settled(APP, "1.0.0").await;
    assert!(
        message(&policy).contains("1 places of fleet"),
        "{}",
        message(&policy)
    );
    assert!(stage.file("app.yaml").contains(":1.0.0 #"));
}

#[tokio::test]
async fn a_sync_follows_the_commit_without_waiting_for_an_interval() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "1.0.0"))], "app")
        .unwrap();
    allow(&stage).await;
    let mut sync = Sync::test()
        .named("apps")
        .in_namespace(stage.namespace.name())
        .with_source(FLEET);
    sync.spec.target_namespace = Some(stage.namespace.name().into());
    sync.spec.interval = Some("1h".into());
    stage.create(&sync).await;
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    stage.release(APP, &["1.1.0"]).await;
    stage.scan(APP).await;
    wait::until(&stage.api::<Deployment>(), APP, "runs 1.1.0", |app| {
        let pod = app.spec.template.spec.as_ref();
        let image = pod.and_then(|pod| pod.containers.first()?.image.as_deref());
        image.is_some_and(|image| image.ends_with(":1.1.0"))
    })
    .await
    .unwrap();
}

async fn patch(stage: &Stage, patch: &serde_json::Value) {
    stage
        .api::<GitRepository>()
        .patch(
            FLEET,
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(patch),
        )
        .await
        .unwrap();
}

async fn allow(stage: &Stage) {
    let name = stage.namespace.name();
    let binding = json!({
        "metadata": {"name": format!("{name}-admin")},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": name}],
    });
    let binding: ClusterRoleBinding = serde_json::from_value(binding).unwrap();
    let client = flux_e2e::ControlPlane::shared_with_workloads()
        .await
        .client();
    Api::all(client.await.unwrap())
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
}
