//! Bases in other git repositories: refused, unless whoever runs the build allows them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, Plugin, TestNamespace, controller::Options,
};
use k8s_openapi::api::{
    core::v1::ConfigMap,
    rbac::v1::{RoleBinding, RoleRef, Subject},
};
use kube::api::{ObjectMeta, PostParams};
use tempfile::TempDir;

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";

/// A server with a repository of bases, which has a tag and goes on behind it.
fn server() -> (GitServer, GitRepo) {
    let server = GitServer::start().unwrap();
    let bases = server.create_repository("team/bases").unwrap();
    let base = "resources: [settings.yaml]\nnamePrefix: base-\n";
    let files = [
        ("web/kustomization.yaml", base),
        ("web/settings.yaml", SETTINGS),
    ];
    bases.push_files(&files, "first").unwrap();
    bases.tag("v1").unwrap();
    let blue = SETTINGS.replace("red", "blue");
    bases
        .push_files(&[("web/settings.yaml", &blue)], "second")
        .unwrap();
    bases.git(&["push", "origin", "v1"]).unwrap();
    (server, bases)
}

fn overlay(url: &str, reference: &str) -> String {
    format!("resources: ['{url}//web?ref={reference}']\nnameSuffix: -x\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_builds_a_base_over_ssh_when_it_is_told_that_it_may() {
    let plugin = Plugin::build(ControlPlane::shared().await).await.unwrap();
    let (server, bases) = server();
    let directory = TempDir::new().unwrap();
    let write = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let url = server.ssh_url("team/bases");
    let identity = write("identity", &server.ssh_identity().unwrap());
    let known_hosts = write("known_hosts", &server.known_hosts().unwrap());
    let path = directory.path().display().to_string();
    write("kustomization.yaml", &overlay(&url, "v1"));

    let refused = plugin.run(&["build", &path]).await.unwrap();
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("is remote"), "{refused}");

    let allowed = [
        "build",
        &path,
        "--allow-remote-bases",
        "--ssh-identity",
        &identity,
        "--ssh-known-hosts",
        &known_hosts,
    ];
    let built = plugin.data(&allowed).await.unwrap();
    assert!(
        built.contains("color: red") && built.contains("name: base-settings-x"),
        "the tag is older than the branch: {built}"
    );
    for (reference, color) in [("main", "blue"), (&*bases.head().unwrap(), "blue")] {
        write("kustomization.yaml", &overlay(&url, reference));
        let built = plugin.data(&allowed).await.unwrap();
        assert!(built.contains(color), "{reference}: {built}");
    }
    write("kustomization.yaml", &overlay(&url, "v9"));
    let missing = plugin.run(&allowed).await.unwrap();
    assert!(
        missing.code == 1 && missing.stderr.contains("cannot be fetched"),
        "{missing}"
    );
}

/// A namespace whose controller follows a repository with an overlay of the remote base.
struct Scene {
    namespace: TestNamespace,
    plugin: Plugin,
    _controller: Controller,
}

impl Scene {
    async fn set(server: &GitServer, options: impl Fn(Options) -> Options) -> Self {
        let control_plane = ControlPlane::shared().await;
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let plugin = Plugin::in_namespace(control_plane, &namespace)
            .await
            .unwrap();
        let name = namespace.name().to_owned();
        let fleet = server.create_repository(&name).unwrap();
        let overlay = overlay(&server.http_url("team/bases"), "main");
        fleet
            .push_files(&[("deploy/kustomization.yaml", &overlay)], "first")
            .unwrap();
        let options = options(Options::for_namespace(&name));
        let scene = Self {
            _controller: Controller::start(control_plane, options).await.unwrap(),
            namespace,
            plugin,
        };
        scene.allow().await;
        let url = server.http_url(&name);
        let git = ["create", "git", "fleet", "--url", &url, "--branch", "main"];
        scene.plugin.data(&git).await.unwrap();
        let sync = ["create", "sync", "apps", "--source", "fleet"];
        let place = ["--path", "./deploy", "--target-namespace", &name];
        scene
            .plugin
            .data(&[&sync[..], &place].concat())
            .await
            .unwrap();
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
        let created = bindings.create(&PostParams::default(), &binding).await;
        created.unwrap();
    }

    async fn color(&self) -> Option<String> {
        let maps = self.namespace.api::<ConfigMap>();
        let map = maps.get_opt("base-settings-x").await.unwrap()?;
        map.data?.remove("color")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_applies_a_remote_base_and_follows_its_branch() {
    let (server, bases) = server();
    let scene = Scene::set(&server, |options| options.with_flag("--allow-remote-bases")).await;
    let wait = ["wait", "sync", "apps", "--timeout", "30s"];
    scene.plugin.data(&wait).await.unwrap();
    assert_eq!(scene.color().await.as_deref(), Some("blue"));

    let green = SETTINGS.replace("red", "green");
    bases
        .push_files(&[("web/settings.yaml", &green)], "third")
        .unwrap();
    let reconcile = ["reconcile", "sync", "apps", "--timeout", "30s"];
    scene.plugin.data(&reconcile).await.unwrap();
    assert_eq!(
        scene.color().await.as_deref(),
        Some("green"),
        "a base whose ref moved is built again, though our own repository did not change"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_is_not_told_to_refuses_remote_bases() {
    let (server, _bases) = server();
    let scene = Scene::set(&server, |options| options).await;
    let wait = ["wait", "sync", "apps", "--timeout", "30s"];
    let said = scene.plugin.run(&wait).await.unwrap();
    assert_ne!(said.code, 0, "{said}");
    assert!(
        said.stderr.contains("is remote") || said.stdout.contains("is remote"),
        "{said}"
    );
    assert_eq!(scene.color().await, None);
}
