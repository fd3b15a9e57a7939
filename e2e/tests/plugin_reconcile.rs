//! `kubectl flux reconcile`, `resume`, `wait`, `tree`, `events` and `delete`, with a controller and a git server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_crds::Sync;
use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, Plugin, TestNamespace, controller::Options,
    plugin::Said, wait,
};
use k8s_openapi::api::{
    core::v1::ConfigMap,
    rbac::v1::{RoleBinding, RoleRef, Subject},
};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

/// A repository that a controller applies to the namespace of a test.
struct Scene {
    namespace: TestNamespace,
    plugin: Plugin,
    repository: GitRepo,
    // Dropped last: the others talk to them.
    _controller: Controller,
    _git: GitServer,
}

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";
const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";

impl Scene {
    async fn set() -> Self {
        let control_plane = ControlPlane::shared().await;
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let plugin = Plugin::in_namespace(control_plane, &namespace)
            .await
            .unwrap();
        let git = GitServer::start().unwrap();
        let url = git.http_url("fleet");
        let repository = git.create_repository("fleet").unwrap();
        repository
            .push_files(&[("deploy/settings.yaml", SETTINGS)], "first")
            .unwrap();
        let options = Options::for_namespace(namespace.name());
        let controller = Controller::start(control_plane, options).await.unwrap();
        let scene = Self {
            namespace,
            plugin,
            repository,
            _controller: controller,
            _git: git,
        };
        scene.allow().await;
        scene.create(&url).await;
        scene
    }

    /// Lets the default account of the namespace do what a Sync does.
    async fn allow(&self) {
        let binding = RoleBinding {
            metadata: ObjectMeta {
                name: Some("deploy".into()),
                ..ObjectMeta::default()
            },
            role_ref: RoleRef {
                api_group: Some("rbac.authorization.k8s.io".into()),
                kind: "ClusterRole".into(),
                name: "cluster-admin".into(),
            },
            subjects: Some(vec![Subject {
                kind: "ServiceAccount".into(),
                name: "default".into(),
                namespace: Some(self.namespace.name().into()),
                ..Subject::default()
            }]),
        };
        let bindings = self.namespace.api::<RoleBinding>();
        bindings
            .create(&PostParams::default(), &binding)
            .await
            .unwrap();
    }

    async fn create(&self, url: &str) {
        let git = ["create", "git", "fleet", "--url", url, "--branch", "main"];
        self.plugin.data(&git).await.unwrap();
        let name = self.namespace.name();
        let sync = [
            "create",
            "sync",
            "apps",
            "--source",
            "fleet",
            "--path",
            "./deploy",
            "--target-namespace",
            name,
        ];
        self.plugin.data(&sync).await.unwrap();
        let wait = ["wait", "sync", "apps", "--timeout", "30s"];
        self.plugin.data(&wait).await.unwrap();
    }

    async fn reconcile(&self) -> Said {
        let words = [
            "reconcile",
            "sync",
            "apps",
            "--with-source",
            "--timeout",
            "30s",
        ];
        self.plugin.run(&words).await.unwrap()
    }
}

#[tokio::test]
async fn a_reconcile_shows_every_object_that_it_changed() {
    let scene = Scene::set().await;
    let files = [
        ("deploy/settings.yaml", &*SETTINGS.replace("red", "blue")),
        ("deploy/other.yaml", OTHER),
    ];
    scene.repository.push_files(&files, "second").unwrap();
    let said = scene.reconcile().await;
    assert_eq!(said.code, 0, "{said}");
    let name = scene.namespace.name();
    for line in [
        format!("ConfigMap/{name}/other created\n"),
        format!("ConfigMap/{name}/settings configured\n"),
        "sync.flux.rs/apps reconciled: ".to_owned(),
    ] {
        assert!(said.stdout.contains(&line), "{line}{said}");
    }

    scene.repository.remove("deploy/other.yaml").unwrap();
    scene.repository.commit_and_push("third").unwrap();
    let said = scene.reconcile().await;
    assert!(
        said.stdout
            .contains(&format!("ConfigMap/{name}/other deleted\n")),
        "{said}"
    );
    let said = scene.reconcile().await;
    assert_eq!(said.code, 0, "{said}");
    assert!(!said.stdout.contains("ConfigMap/"), "{said}");
}

#[tokio::test]
async fn a_failed_reconcile_names_every_error_with_its_place() {
    let scene = Scene::set().await;
    let bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n";
    let worse = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\ndata: {a: '%'}\n";
    let files = [("deploy/bad.yaml", bad), ("deploy/worse.yaml", worse)];
    scene.repository.push_files(&files, "broken").unwrap();
    let said = scene.reconcile().await;
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stderr.contains("deploy/bad.yaml:1"), "{said}");
    assert!(said.stderr.contains("deploy/worse.yaml:1"), "{said}");
    assert!(
        !said.stdout.contains("sync.flux.rs/apps reconciled"),
        "{said}"
    );
    let config_maps = scene.namespace.api::<ConfigMap>();
    let settings = config_maps.get("settings").await.unwrap();
    assert_eq!(settings.data.unwrap()["color"], "red");
}

#[tokio::test]
async fn a_suspended_sync_catches_up_when_it_is_resumed() {
    let scene = Scene::set().await;
    scene
        .plugin
        .data(&["suspend", "sync", "apps"])
        .await
        .unwrap();
    let blue = SETTINGS.replace("red", "blue");
    let files = [("deploy/settings.yaml", blue.as_str())];
    scene.repository.push_files(&files, "second").unwrap();
    let git = ["reconcile", "git", "fleet", "--timeout", "30s"];
    scene.plugin.data(&git).await.unwrap();
    let config_maps = scene.namespace.api::<ConfigMap>();
    let held = config_maps.get("settings").await.unwrap();
    assert_eq!(held.data.unwrap()["color"], "red");

    let resume = ["resume", "sync", "apps", "--timeout", "30s"];
    scene.plugin.data(&resume).await.unwrap();
    let settings = config_maps.get("settings").await.unwrap();
    assert_eq!(settings.data.unwrap()["color"], "blue");
}

#[tokio::test]
async fn a_sync_goes_back_to_an_earlier_revision_until_it_is_resumed() {
    let scene = Scene::set().await;
    let blue = SETTINGS.replace("red", "blue");
    let files = [("deploy/settings.yaml", blue.as_str())];
    scene.repository.push_files(&files, "second").unwrap();
    assert_eq!(scene.reconcile().await.code, 0);
    let history = ["history", "sync", "apps"];
    let table = scene.plugin.data(&history).await.unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("REVISION"), "{table}");
    assert!(
        lines[1].starts_with("main@sha1:") && lines[1].contains("Applied"),
        "{table}"
    );
    assert!(
        lines[1].ends_with('*') && !lines[2].ends_with('*'),
        "{table}"
    );

    let back = ["rollback", "sync", "apps", "--timeout", "30s"];
    let said = scene.plugin.run(&back).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    assert!(said.stdout.contains("/settings configured"), "{said}");
    let config_maps = scene.namespace.api::<ConfigMap>();
    let held = config_maps.get("settings").await.unwrap();
    assert_eq!(held.data.unwrap()["color"], "red");

    let resume = ["resume", "sync", "apps", "--timeout", "30s"];
    scene.plugin.data(&resume).await.unwrap();
    let settings = config_maps.get("settings").await.unwrap();
    assert_eq!(settings.data.unwrap()["color"], "blue");

    let nowhere = ["rollback", "sync", "apps", "--to", "0000000"];
    let said = scene.plugin.run(&nowhere).await.unwrap();
    assert_eq!(said.code, 2, "{said}");
    assert!(
        said.stderr
            .contains("hint: see kubectl flux history sync apps"),
        "{said}"
    );
}

#[tokio::test]
async fn the_tree_tells_what_was_applied_and_how_it_fares() {
    let scene = Scene::set().await;
    let name = scene.namespace.name();
    let tree = scene.plugin.data(&["tree", "sync", "apps"]).await.unwrap();
    let mut lines = tree.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with(&format!("Sync/{name}/apps")),
        "{tree}"
    );
    let settings = lines.next().unwrap();
    assert!(
        settings.starts_with(&format!("└── ConfigMap/{name}/settings")),
        "{tree}"
    );
    assert!(settings.contains("Current"), "{tree}");
    let names = scene
        .plugin
        .data(&["tree", "apps", "-o", "name"])
        .await
        .unwrap();
    assert_eq!(
        names,
        format!("Sync/{name}/apps\nConfigMap/{name}/settings\n")
    );
}

#[tokio::test]
async fn the_events_of_a_sync_are_shown_and_no_others() {
    let scene = Scene::set().await;
    let files = [("deploy/other.yaml", OTHER)];
    scene.repository.push_files(&files, "second").unwrap();
    assert_eq!(scene.reconcile().await.code, 0);
    let words = ["events", "sync", "apps", "-o", "wide"];
    let events = scene.plugin.data(&words).await.unwrap();
    let mut lines = events.lines();
    assert!(
        lines.next().unwrap().starts_with("LAST SEEN   TYPE"),
        "{events}"
    );
    assert!(lines.all(|line| line.contains("sync/apps")), "{events}");
    assert!(events.contains("Applied"), "{events}");
}

#[tokio::test]
async fn deleting_a_sync_deletes_its_objects_and_says_so_before() {
    let scene = Scene::set().await;
    let words = ["delete", "sync", "apps", "--timeout", "30s"];
    let said = scene.plugin.run(&words).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    assert_eq!(
        said.stderr,
        "its one object will be deleted with the sync\n"
    );
    let config_maps = scene.namespace.api::<ConfigMap>();
    let settings = config_maps.get_opt("settings").await.unwrap();
    assert_eq!(settings, None);
}

#[tokio::test]
async fn a_diff_of_a_sync_shows_what_a_push_would_change_and_delete() {
    let scene = Scene::set().await;
    let name = scene.namespace.name();
    let deploy = scene.repository.work().join("deploy").display().to_string();
    let diff = ["diff", "sync", "apps", "--path", &deploy];
    let same = scene.plugin.run(&diff).await.unwrap();
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{same}");

    scene.repository.write("deploy/other.yaml", OTHER).unwrap();
    scene.repository.remove("deploy/settings.yaml").unwrap();
    let said = scene.plugin.run(&diff).await.unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert_eq!(
        said.stdout,
        format!("+ ConfigMap/{name}/other created\n- ConfigMap/{name}/settings deleted\n")
    );
}

#[tokio::test]
async fn what_others_changed_is_listed_shown_in_a_diff_and_put_back_when_asked() {
    let scene = Scene::set().await;
    let merge = PatchParams::default();
    let warn = json!({"spec": {"drift": {"mode": "Warn"}}});
    let syncs = scene.namespace.api::<Sync>();
    let patched = syncs.patch("apps", &merge, &Patch::Merge(&warn)).await;
    let generation = patched.unwrap().metadata.generation;
    let is_seen = |sync: &Sync| {
        let status = sync.status.as_ref();
        status.is_some_and(|status| status.observed_generation == generation)
    };
    wait::until(&syncs, "apps", "has seen its spec", is_seen)
        .await
        .unwrap();
    let green = json!({"data": {"color": "green"}});
    let by_hand = PatchParams {
        field_manager: Some("kubectl-edit".into()),
        ..merge
    };
    let maps = scene.namespace.api::<ConfigMap>();
    maps.patch("settings", &by_hand, &Patch::Merge(&green))
        .await
        .unwrap();
    let has_drift = |sync: &Sync| {
        let status = sync.status.as_ref();
        status.is_some_and(|status| !status.drift.is_empty())
    };
    wait::until(&syncs, "apps", "sees the change", has_drift)
        .await
        .unwrap();

    let said = scene.plugin.run(&["drift"]).await.unwrap();
    for word in ["settings", "kubectl-edit", "data.color"] {
        assert!(said.stdout.contains(word), "{word}: {said}");
    }
    let directory = scene.repository.work().join("deploy");
    let directory = directory.display().to_string();
    let diff = ["diff", "sync", "apps", "--path", &directory];
    let said = scene.plugin.run(&diff).await.unwrap();
    assert_eq!(said.code, 1, "{said}");
    let note = "drift: ConfigMap/";
    assert!(
        said.stderr.contains(note) && said.stderr.contains("data.color"),
        "{said}"
    );
    assert!(
        said.stdout.contains("- green") && said.stdout.contains("+ red"),
        "{said}"
    );

    let color = async || {
        let map = maps.get("settings").await.unwrap();
        map.data.and_then(|mut data| data.remove("color"))
    };
    let said = scene.plugin.run(&["reconcile", "sync", "apps"]).await;
    assert_eq!(said.unwrap().code, 0);
    assert_eq!(color().await.as_deref(), Some("green"), "it is only told");
    let full = ["reconcile", "sync", "apps", "--full"];
    let said = scene.plugin.run(&full).await.unwrap();
    assert!(said.code == 0 && said.stdout.contains("settings"), "{said}");
    assert_eq!(color().await.as_deref(), Some("red"));
}
