//! `kubectl flux` creates, shows, exports, suspends and deletes objects of a real API server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_crds::{GitRepository, Sync};
use flux_e2e::{ControlPlane, Plugin, TestNamespace};
use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
    core::v1::Secret,
};
use kube::{Api, api::PostParams};

async fn start() -> (TestNamespace, Plugin) {
    let control_plane = ControlPlane::shared().await;
    let namespace = TestNamespace::create(control_plane).await.unwrap();
    let plugin = Plugin::in_namespace(control_plane, &namespace)
        .await
        .unwrap();
    (namespace, plugin)
}

const FLEET: &[&str] = &[
    "create",
    "git",
    "fleet",
    "--url",
    "https://git.example.com/fleet",
    "--branch",
    "main",
];

#[tokio::test]
async fn creating_twice_says_what_changed() {
    let (namespace, plugin) = start().await;
    let created = plugin.data(FLEET).await.unwrap();
    assert_eq!(created, "gitrepository.flux.rs/fleet created\n");
    let again = plugin.data(FLEET).await.unwrap();
    assert_eq!(again, "gitrepository.flux.rs/fleet unchanged\n");

    let without_branch = plugin.data(&FLEET[..5]).await.unwrap();
    assert_eq!(without_branch, "gitrepository.flux.rs/fleet configured\n");
    let fleet = namespace.api::<GitRepository>().get("fleet").await.unwrap();
    assert_eq!(
        fleet.spec.reference, None,
        "a flag that is not given again takes its field away"
    );
}

#[tokio::test]
async fn what_is_exported_can_be_created_again() {
    let (namespace, plugin) = start().await;
    let words = [
        "create",
        "sync",
        "apps",
        "--source",
        "fleet",
        "--path",
        "./deploy",
        "--interval",
        "30s",
        "--depends-on",
        "infra",
        "--wait",
        "--prune-max-percent",
        "40",
    ];
    let printed = plugin.data(&[&words[..], &["--export"]].concat()).await;
    plugin.data(&words).await.unwrap();
    let exported = plugin.data(&["export", "sync", "apps"]).await.unwrap();
    assert_eq!(exported, printed.unwrap());

    plugin.data(&["suspend", "sync", "apps"]).await.unwrap();
    plugin
        .data(&["resume", "sync", "apps", "--no-wait"])
        .await
        .unwrap();
    let after = plugin.data(&["export", "sync", "apps"]).await.unwrap();
    assert_eq!(after, exported, "suspend and resume leave nothing behind");
    drop(namespace);
}

#[tokio::test]
async fn a_dry_run_is_checked_by_the_api_server_and_writes_nothing() {
    let (namespace, plugin) = start().await;
    let checked = plugin
        .run(&[FLEET, &["--dry-run=server"]].concat())
        .await
        .unwrap();
    assert_eq!(
        checked.stdout,
        "gitrepository.flux.rs/fleet created (server dry run)\n"
    );
    let refused = plugin
        .run(&[
            "create",
            "git",
            "bad",
            "--url",
            "ext::sh",
            "--dry-run=server",
        ])
        .await
        .unwrap();
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("spec.url"), "{refused}");
    let none = namespace
        .api::<GitRepository>()
        .get_opt("fleet")
        .await
        .unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn get_shows_tables_lists_and_names() {
    let (_namespace, plugin) = start().await;
    plugin.data(FLEET).await.unwrap();
    plugin
        .data(&["create", "sync", "apps", "--source", "fleet"])
        .await
        .unwrap();

    let table = plugin.data(&["get", "sync"]).await.unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("NAME   READY     REVISION   AGE   MESSAGE")
    );
    assert!(lines.next().unwrap().starts_with("apps   Unknown   -"));
    let names = plugin.data(&["get", "all", "-o", "name"]).await.unwrap();
    assert_eq!(names, "gitrepository.flux.rs/fleet\nsync.flux.rs/apps\n");
    let list = plugin.data(&["get", "git", "-o", "json"]).await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][0]["kind"], "GitRepository");
    let one = plugin
        .data(&["get", "git/fleet", "-o", "yaml"])
        .await
        .unwrap();
    assert!(
        one.starts_with("apiVersion: flux.rs/v1alpha1\nkind: GitRepository\n"),
        "{one}"
    );
    assert!(!one.contains("managedFields"), "{one}");
}

#[tokio::test]
async fn errors_say_what_to_do_and_how_bad_it_is() {
    let (namespace, plugin) = start().await;
    let missing = plugin.run(&["get", "sync", "apps"]).await.unwrap();
    let name = namespace.name();
    assert_eq!(missing.code, 1);
    assert_eq!(missing.stdout, "");
    assert_eq!(
        missing.stderr,
        format!(
            "error: there is no sync \"apps\" in the namespace \"{name}\"\nhint: see what there is: kubectl flux get sync -A\n"
        )
    );
    for (words, code) in [
        (&["get", "deployment"][..], 2),
        (&["suspend", "sync"], 2),
        (&["frobnicate"], 2),
        (&["suspend", "sync", "apps"], 1),
        (&["get", "git", "--as", "nobody"], 1),
        (&["get", "git", "--context", "elsewhere"], 1),
    ] {
        let said = plugin.run(words).await.unwrap();
        assert_eq!(said.code, code, "{}: {said}", words.join(" "));
        assert!(said.stderr.contains("error:"), "{said}");
    }
}

#[tokio::test]
async fn suspended_objects_are_not_reconciled() {
    let (namespace, plugin) = start().await;
    plugin
        .data(&["create", "sync", "apps", "--source", "fleet"])
        .await
        .unwrap();
    plugin.data(&["suspend", "--all", "sync"]).await.unwrap();
    let apps = namespace.api::<Sync>().get("apps").await.unwrap();
    assert_eq!(apps.spec.suspend, Some(true));
    let said = plugin.run(&["reconcile", "sync", "apps"]).await.unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert!(
        said.stderr.contains("kubectl flux resume sync apps"),
        "{said}"
    );
}

#[tokio::test]
async fn without_a_controller_waiting_ends_in_time() {
    let (_namespace, plugin) = start().await;
    plugin.data(FLEET).await.unwrap();
    let said = plugin
        .run(&["reconcile", "git", "fleet", "--timeout", "1s"])
        .await
        .unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stderr.contains("took longer than 1s"), "{said}");
}

#[tokio::test]
async fn deleting_waits_until_the_object_is_gone() {
    let (namespace, plugin) = start().await;
    plugin.data(FLEET).await.unwrap();
    let kept = plugin
        .data(&["delete", "git", "fleet", "--dry-run=server"])
        .await
        .unwrap();
    assert_eq!(
        kept,
        "gitrepository.flux.rs/fleet deleted (server dry run)\n"
    );
    let gone = plugin.data(&["delete", "git", "fleet"]).await.unwrap();
    assert_eq!(gone, "gitrepository.flux.rs/fleet deleted\n");
    let fleet = namespace
        .api::<GitRepository>()
        .get_opt("fleet")
        .await
        .unwrap();
    assert_eq!(fleet, None);
}

#[tokio::test]
async fn a_secret_comes_from_stdin_without_its_newline() {
    let (namespace, plugin) = start().await;
    let words = [
        "create",
        "secret",
        "token",
        "--username",
        "git",
        "--password-file",
        "-",
    ];
    let said = plugin.run_with_input(&words, "s3cret\n").await.unwrap();
    assert_eq!(said.stdout, "secret/token created\n");
    assert!(!said.stderr.contains("s3cret"), "{said}");
    let secret = namespace.api::<Secret>().get("token").await.unwrap();
    let data = secret.data.unwrap();
    assert_eq!(data["username"].0, b"git");
    assert_eq!(data["password"].0, b"s3cret");
}

#[tokio::test]
async fn a_password_in_an_address_never_leaves_the_command_line() {
    let (_namespace, plugin) = start().await;
    let url = "https://ada:s3cret@git.example.com/fleet";
    let said = plugin
        .run(&["create", "git", "fleet", "--url", url])
        .await
        .unwrap();
    assert_eq!(said.code, 2, "{said}");
    assert!(!said.stderr.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn a_tenant_may_act_in_its_namespace_and_nowhere_else() {
    let (namespace, plugin) = start().await;
    let tenant = format!("{}-tenant", namespace.name());
    plugin.data(&["create", "tenant", &tenant]).await.unwrap();
    let reviews = Api::<SubjectAccessReview>::all(namespace.client());
    for (place, expected) in [(tenant.as_str(), true), (namespace.name(), false)] {
        let spec = SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{tenant}:{tenant}")),
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(place.to_owned()),
                verb: Some("create".to_owned()),
                group: Some("apps".to_owned()),
                resource: Some("deployments".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview {
            spec,
            ..SubjectAccessReview::default()
        };
        let created = reviews
            .create(&PostParams::default(), &review)
            .await
            .unwrap();
        // Nothing fills the aggregated role without the controllers of Kubernetes, so its rules may be missing.
        let allowed = created.status.unwrap().allowed;
        assert!(!allowed || expected, "{place}");
    }
}
