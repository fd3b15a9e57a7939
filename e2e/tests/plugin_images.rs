//! `kubectl flux workloads`, `images`, `release`, `policy` and its like, with a registry, a git server and a controller.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, Plugin, Registry, TestNamespace,
    controller::Options, install, plugin::Said, registry::Image,
};
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroupList;
use kube::api::{DynamicObject, ObjectMeta, PostParams};

const ADA: &str = "Ada Lovelace <ada@example.com>";

/// A shop that a controller applies from git, and a registry with its images.
struct Scene {
    namespace: TestNamespace,
    plugin: Plugin,
    repository: GitRepo,
    registry: Registry,
    // Dropped last: the others talk to them.
    _controller: Controller,
    git: GitServer,
}

/// A Deployment whose image has a comment that must stay.
fn deployment(name: &str, image: &str) -> String {
    format!(
        "# {name} of the shop\n\
         apiVersion: apps/v1\n\
         kind: Deployment\n\
         metadata:\n\
         \x20 name: {name}\n\
         spec:\n\
         \x20 selector: {{matchLabels: {{app: {name}}}}}\n\
         \x20 template:\n\
         \x20   metadata: {{labels: {{app: {name}}}}}\n\
         \x20   spec:\n\
         \x20     containers:\n\
         \x20     - name: app\n\
         \x20       image: \"{image}\" # by hand\n"
    )
}

impl Scene {
    /// Web runs 1.0.0 of what there is up to 1.1.0 and 2.0.0, api runs the only image there is.
    async fn set() -> Self {
        let control_plane = ControlPlane::shared_with_workloads().await;
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let plugin = Plugin::in_namespace(control_plane, &namespace)
            .await
            .unwrap();
        let registry = Registry::start().unwrap();
        let git = GitServer::start().unwrap();
        let repository = git.create_repository("shop").unwrap();
        for (tag, day) in [("1.0.0", 1), ("2.0.0", 2), ("1.1.0", 3)] {
            let image = Image::new().created(&format!("2026-01-0{day}T10:00:00Z"));
            registry.push("shop/web", tag, &image).await.unwrap();
        }
        registry.push("shop/api", "7", &Image::new()).await.unwrap();
        let options = Options::for_namespace(namespace.name());
        let controller = Controller::start(control_plane, options).await.unwrap();
        let scene = Self {
            namespace,
            plugin,
            repository,
            registry,
            _controller: controller,
            git,
        };
        let files = [
            (
                "deploy/web.yaml",
                &*deployment("web", &scene.image("web", "1.0.0")),
            ),
            (
                "deploy/api.yaml",
                &*deployment("api", &scene.image("api", "7")),
            ),
        ];
        scene.repository.push_files(&files, "first").unwrap();
        scene.allow().await;
        scene.create(&scene.git.http_url("shop")).await;
        scene
    }

    fn image(&self, name: &str, tag: &str) -> String {
        format!("{}:{tag}", self.registry.name(&format!("shop/{name}")))
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
        self.data(&format!(
            "create git shop --url {url} --branch main --write-branch main"
        ))
        .await;
        let name = self.namespace.name();
        self.data(&format!(
            "create sync shop --source shop --path ./deploy --target-namespace {name}"
        ))
        .await;
        self.data("wait sync shop --timeout 60s").await;
    }

    async fn data(&self, line: &str) -> String {
        let words: Vec<_> = line.split_whitespace().collect();
        self.plugin.data(&words).await.unwrap()
    }

    /// Runs a verb that commits, as Ada.
    async fn commit(&self, line: &str) -> Said {
        let mut words: Vec<_> = line.split_whitespace().collect();
        words.extend(["--user", ADA]);
        self.plugin.run(&words).await.unwrap()
    }

    /// Returns a file as the server has it.
    fn file(&self, path: &str) -> String {
        let object = format!("main:{path}");
        self.repository.git_bare(&["show", &object]).unwrap()
    }

    fn log(&self, format: &str) -> String {
        let format = format!("--format={format}");
        self.repository.git_bare(&["log", &format, "main"]).unwrap()
    }

    fn workload(&self, name: &str) -> String {
        format!("{}:deployment/{name}", self.namespace.name())
    }
}

#[tokio::test]
async fn a_release_is_a_commit_by_the_person_and_runs() {
    let scene = Scene::set().await;
    let image = scene.image("web", "1.1.0");

    let said = scene
        .commit(&format!(
            "release -w deployment/web --update-image {image} --watch --watch-timeout 60s"
        ))
        .await;

    assert_eq!(said.code, 0, "{said}");
    let web = scene.workload("web");
    let row = format!(
        "{web}   success   app: {} -> 1.1.0\n",
        scene.image("web", "1.0.0")
    );
    assert!(said.stdout.contains(&row), "{row}{said}");
    let id = scene.repository.remote_id("refs/heads/main").unwrap();
    let pushed = format!("Commit pushed: {} to main\n", &id[..7]);
    assert!(said.stdout.contains(&pushed), "{pushed}{said}");
    assert!(said.stdout.ends_with("All workloads ready.\n"), "{said}");
    assert_eq!(
        scene.file("deploy/web.yaml").trim(),
        deployment("web", &image).trim()
    );
    let expected = format!("{ADA} Release {image} to {web}\n");
    assert!(
        scene.log("%an <%ae> %s").starts_with(&expected),
        "{}",
        scene.log("%an <%ae> %s")
    );
    let running = scene.data("workloads -o json").await;
    assert!(running.contains(&image), "{running}");

    let again = scene
        .commit(&format!("release -w deployment/web -i {image}"))
        .await;
    assert_eq!(again.code, 0, "{again}");
    assert!(again.stderr.contains("Nothing to do"), "{again}");
    assert!(again.stderr.contains("up to date"), "{again}");
}

#[tokio::test]
async fn all_latest_images_are_released_but_those_left_out_or_locked() {
    let scene = Scene::set().await;
    let said = scene
        .commit("policy -w deployment/web --tag app=semver:~1")
        .await;
    assert_eq!(said.code, 0, "{said}");
    assert!(
        scene
            .file("deploy/web.yaml")
            .contains("fluxcd.io/tag.app: semver:~1"),
        "{said}"
    );
    scene
        .data("reconcile sync shop --with-source --timeout 60s")
        .await;
    let before = scene.log("%H");

    let said = scene
        .commit("release --all --update-all-images --dry-run --verbose")
        .await;
    assert_eq!(said.code, 0, "{said}");
    let line = format!("app: {} -> 1.1.0\n", scene.image("web", "1.0.0"));
    assert!(said.stdout.contains(&line), "{line}{said}");
    assert!(
        said.stdout.contains("skipped   image(s) up to date"),
        "{said}"
    );
    assert_eq!(scene.log("%H"), before, "a dry run commits nothing");

    let said = scene
        .commit("release --all --update-all-images --exclude deployment/web --verbose")
        .await;
    assert!(said.stdout.contains("ignored   excluded"), "{said}");
    assert_eq!(scene.log("%H"), before, "{said}");

    let said = scene.commit("lock -w deployment/web -m wait").await;
    assert_eq!(said.code, 0, "{said}");
    let locked = scene.file("deploy/web.yaml");
    assert!(locked.contains("fluxcd.io/locked: \"true\"\n"), "{locked}");
    assert!(locked.contains("fluxcd.io/locked_msg: wait\n"), "{locked}");
    let said = scene
        .commit("release --all --update-all-images --verbose")
        .await;
    assert!(said.stdout.contains("skipped   locked"), "{said}");

    let said = scene.commit("unlock -w deployment/web").await;
    assert_eq!(said.code, 0, "{said}");
    assert!(!scene.file("deploy/web.yaml").contains("locked"), "{said}");
    let said = scene.commit("release --all --update-all-images").await;
    assert_eq!(said.code, 0, "{said}");
    assert!(
        scene
            .file("deploy/web.yaml")
            .contains("web:1.1.0\" # by hand"),
        "{said}"
    );
    assert_eq!(scene.log("%s").lines().count(), 5, "{}", scene.log("%s"));
}

#[tokio::test]
async fn what_cannot_be_released_fails_and_commits_nothing() {
    let scene = Scene::set().await;
    let before = scene.log("%H");
    let missing = scene.image("web", "9.9.9");

    let said = scene
        .commit(&format!("release -w deployment/web -i {missing}"))
        .await;
    assert_eq!(said.code, 1, "{said}");
    assert!(
        said.stdout
            .contains(&format!("failed   app: cannot find {missing}")),
        "{said}"
    );

    let said = scene
        .commit("release -w deployment/gone --update-all-images")
        .await;
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stderr.contains("there is no workload"), "{said}");

    let words = ["automate", "-w", "deployment/web"];
    let said = scene.plugin.run(&words).await.unwrap();
    assert_eq!(said.code, 2, "nobody is named: {said}");
    assert!(
        said.stderr.contains("hint: name yourself with --user"),
        "{said}"
    );

    let url = scene.git.http_url("shop");
    scene
        .data(&format!("create git shop --url {url} --branch main"))
        .await;
    let said = scene.commit("automate -w deployment/web").await;
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stdout.contains("is read-only"), "{said}");
    assert_eq!(scene.log("%H"), before);
}

#[tokio::test]
async fn workloads_and_their_images_are_shown_as_flux_v1_showed_them() {
    let scene = Scene::set().await;
    let said = scene.commit("automate -w deployment/web").await;
    assert_eq!(said.code, 0, "{said}");
    scene
        .data("reconcile sync shop --with-source --timeout 60s")
        .await;
    let host = scene.registry.host();
    let name = scene.namespace.name();
    let plain = |text: String| text.replace(&host, "REGISTRY").replace(name, "NAMESPACE");

    let table = plain(scene.data("workloads -o name").await);
    assert_eq!(
        table,
        "NAMESPACE:deployment/api\nNAMESPACE:deployment/web\n"
    );
    let table = plain(scene.data("workloads").await);
    let web = table
        .lines()
        .find(|line| line.contains("deployment/web"))
        .unwrap();
    let cells: Vec<_> = web.split_whitespace().collect();
    assert_eq!(cells[1..3], ["app", "REGISTRY/shop/web:1.0.0"], "{table}");
    assert_eq!(cells[4], "automated", "{table}");

    let table = plain(scene.data("images -w deployment/web").await);
    let tags = table.lines().skip(2).map(|line| {
        let (tag, _created) = line.split_once("2026-01-0").unwrap();
        tag.trim()
    });
    assert_eq!(
        tags.collect::<Vec<_>>(),
        ["|   1.1.0", "|   2.0.0", "'-> 1.0.0"],
        "newest first: {table}"
    );
    assert!(table.contains("2026-01-03 10:00:00 UTC"), "{table}");
    let table = scene.data("images -w deployment/web --limit 1").await;
    assert!(
        table.contains(":   (1 image omitted)") && table.contains("'-> 1.0.0"),
        "{table}"
    );
}

#[tokio::test]
async fn an_image_policy_is_created_shown_held_and_deleted() {
    let scene = Scene::set().await;
    let image = scene.registry.name("shop/web");
    scene
        .data(&format!(
            "create image web --image {image} --semver ^1 --insecure --repository shop --interval 1h"
        ))
        .await;

    assert!(
        scene
            .data("get image web -o yaml")
            .await
            .contains("range: ^1")
    );
    let table = scene.data("workloads").await;
    assert!(table.contains("image/web"), "{table}");
    let said = scene.commit("lock --image-policy web -m wait").await;
    assert_eq!(said.stdout, "imagepolicy.flux.rs/web locked\n", "{said}");
    let exported = scene.data("export image web").await;
    assert!(
        exported.contains(&format!("by: {ADA}\n")) && exported.contains("reason: wait\n"),
        "{exported}"
    );
    let said = scene
        .commit("release -w deployment/web --update-all-images")
        .await;
    assert!(said.stderr.contains("locked"), "{said}");
    scene.data("unlock --image-policy web").await;
    let said = scene
        .commit("release -w deployment/web --update-all-images")
        .await;
    assert!(
        said.stdout.contains("-> 1.1.0"),
        "by the policy, and not 2.0.0: {said}"
    );
    scene.data("suspend image web").await;
    scene.data("delete image web").await;
    assert_eq!(scene.data("get image").await, "");
}

/// A definition as helm-controller brings it, as far as it matters here.
const HELM_RELEASES: &str = r#"{
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "helmreleases.helm.toolkit.fluxcd.io"},
    "spec": {
        "group": "helm.toolkit.fluxcd.io", "scope": "Namespaced",
        "names": {"kind": "HelmRelease", "plural": "helmreleases", "singular": "helmrelease"},
        "versions": [{
            "name": "v2", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
        }]
    }
}"#;

/// Defines Helm releases, and waits until the API server tells of them.
async fn define_helm_releases() {
    let control_plane = ControlPlane::shared_with_workloads().await;
    let client = control_plane.client().await.unwrap();
    let definition: DynamicObject = serde_json::from_str(HELM_RELEASES).unwrap();
    install::apply(&client, &definition).await.unwrap();
    let is_told = |groups: APIGroupList| {
        let mut groups = groups.groups.iter();
        groups.any(|group| group.name == "helm.toolkit.fluxcd.io")
    };
    while !is_told(client.list_api_groups().await.unwrap()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_helm_release_is_a_workload_and_its_values_are_released() {
    // Before the controller asks which kinds there are.
    define_helm_releases().await;
    let scene = Scene::set().await;
    let name = scene.registry.name("shop/web");
    let release = |tag: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: front}}\nspec:\n  values:\n    \
             image:\n      repository: {name}\n      tag: {tag} # by hand\n    replicas: 2\n"
        )
    };
    scene
        .repository
        .push_files(&[("deploy/front.yaml", &*release("1.0.0"))], "a chart")
        .unwrap();
    scene
        .data("reconcile sync shop --with-source --timeout 60s")
        .await;

    let table = scene.data("workloads").await;
    let row = table.lines().find(|line| line.contains(":helmrelease/"));
    let cells: Vec<_> = row.unwrap().split_whitespace().collect();
    assert!(cells[0].ends_with(":helmrelease/front"), "{table}");
    assert_eq!(
        cells[1..3],
        ["chart-image", &format!("{name}:1.0.0")],
        "{table}"
    );

    let said = scene
        .commit(&format!("release -w helmrelease/front -i {name}:1.1.0"))
        .await;
    assert_eq!(said.code, 0, "{said}");
    assert_eq!(
        scene.file("deploy/front.yaml").trim(),
        release("1.1.0").trim()
    );
}
