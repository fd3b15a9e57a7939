//! `kubectl flux diff` and `build` say what an apply would do, by the API server's own word.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use flux_e2e::{ControlPlane, Plugin, TestNamespace, install, plugin::Said};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Scene {
    namespace: TestNamespace,
    plugin: Plugin,
    directory: TempDir,
}

impl Scene {
    async fn set(files: &[(&str, &str)]) -> Self {
        let control_plane = ControlPlane::shared().await;
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let plugin = Plugin::in_namespace(control_plane, &namespace)
            .await
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let scene = Self {
            namespace,
            plugin,
            directory,
        };
        for (path, content) in files {
            scene.write(path, content);
        }
        scene
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, path: &str, content: &str) {
        std::fs::write(self.path().join(path), content).unwrap();
    }

    /// Applies anything as a person does.
    async fn apply_by_hand(&self, object: Value) {
        let object = serde_json::from_value(object).unwrap();
        install::apply(&self.namespace.client(), &object)
            .await
            .unwrap();
    }

    async fn diff(&self) -> Said {
        let path = self.path().display().to_string();
        self.plugin.run(&["diff", &path]).await.unwrap()
    }

    /// Applies what the directory builds, as the controller does.
    async fn apply(&self) {
        let path = self.path().display().to_string();
        let built = self.plugin.data(&["build", &path, "-o", "json"]).await;
        let built: Value = serde_json::from_str(&built.unwrap()).unwrap();
        let force = PatchParams::apply("flux").force();
        for object in built["items"].as_array().unwrap() {
            let name = object["metadata"]["name"].as_str().unwrap();
            let change = Patch::Apply(object);
            if object["kind"] == "Secret" {
                let api = self.namespace.api::<Secret>();
                api.patch(name, &force, &change).await.unwrap();
            } else {
                let api = self.namespace.api::<ConfigMap>();
                api.patch(name, &force, &change).await.unwrap();
            }
        }
    }
}

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red, size: big}\n";
const TOKEN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {password: first-s3cret}\n";

#[tokio::test]
async fn new_objects_differ_and_applied_ones_do_not() {
    let scene = Scene::set(&[("settings.yaml", SETTINGS)]).await;
    let before = scene.diff().await;
    let name = scene.namespace.name();
    assert_eq!(before.code, 1, "{before}");
    assert_eq!(
        before.stdout,
        format!("+ ConfigMap/{name}/settings created\n")
    );
    scene.apply().await;
    let after = scene.diff().await;
    assert_eq!((after.code, after.stdout.as_str()), (0, ""), "{after}");
}

#[tokio::test]
async fn fields_are_shown_and_secrets_are_masked() {
    let files = [("settings.yaml", SETTINGS), ("token.yaml", TOKEN)];
    let scene = Scene::set(&files).await;
    scene.apply().await;
    scene.write("settings.yaml", &SETTINGS.replace("red", "blue"));
    scene.write("token.yaml", &TOKEN.replace("first", "second"));
    let said = scene.diff().await;
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stdout.contains("data.color"), "{said}");
    assert!(said.stdout.contains("- red"), "{said}");
    assert!(said.stdout.contains("+ blue"), "{said}");
    assert!(said.stdout.contains("data.password"), "{said}");
    assert!(!said.to_string().contains("s3cret"), "{said}");
}

#[tokio::test]
async fn every_rejection_is_listed_and_the_status_is_two() {
    let bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n";
    let worse = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\ndata: {password: '%%%'}\n";
    let scene = Scene::set(&[("bad.yaml", bad), ("worse.yaml", worse)]).await;
    let said = scene.diff().await;
    assert_eq!(said.code, 2, "{said}");
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("bad.yaml:1"), "{said}");
    assert!(said.stderr.contains("worse.yaml:1"), "{said}");
}

#[tokio::test]
async fn what_does_not_build_is_told_with_its_place() {
    let scene = Scene::set(&[("kustomization.yaml", "resources: [missing.yaml]\n")]).await;
    let diff = scene.diff().await;
    assert_eq!(diff.code, 2, "{diff}");
    assert!(diff.stderr.contains("missing.yaml"), "{diff}");
    let path = scene.path().display().to_string();
    let build = scene.plugin.run(&["build", &path]).await.unwrap();
    assert_eq!((build.code, build.stdout.as_str()), (1, ""), "{build}");
    assert!(build.stderr.contains("kustomization.yaml"), "{build}");
}

#[tokio::test]
async fn a_sync_compares_with_its_own_fields_on_top() {
    let scene = Scene::set(&[("settings.yaml", SETTINGS)]).await;
    let name = scene.namespace.name().to_owned();
    let create = [
        "create",
        "sync",
        "apps",
        "--source",
        "fleet",
        "--target-namespace",
        &name,
    ];
    scene.plugin.data(&create).await.unwrap();
    let path = scene.path().display().to_string();
    let said = scene
        .plugin
        .run(&["diff", "sync", "apps", "--path", &path])
        .await
        .unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert_eq!(
        said.stdout,
        format!("+ ConfigMap/{name}/settings created\n")
    );
    let usage = scene.plugin.run(&["diff", "sync", "apps"]).await.unwrap();
    assert_eq!(usage.code, 2, "{usage}");
}

#[tokio::test]
async fn a_sync_compares_with_its_variables_and_keys_and_shows_no_secret() {
    let settings = SETTINGS.replace("red", "'${color} and ${password}'");
    let encrypted = include_str!("../../controller/core/fixtures/sops/secret.yaml");
    let files = [
        ("settings.yaml", settings.as_str()),
        ("login.yaml", encrypted),
    ];
    let scene = Scene::set(&files).await;
    let name = scene.namespace.name().to_owned();
    let sync = json!({
        "apiVersion": "flux.rs/v1alpha1", "kind": "Sync",
        "metadata": {"name": "apps", "namespace": name},
        "spec": {
            "sourceRef": {"name": "fleet"},
            "targetNamespace": name,
            "substitute": {"vars": {"color": "green"}, "from": [{"kind": "Secret", "name": "values"}]},
            "decryption": {"provider": "sops", "secretRef": {"name": "values"}},
        },
    });
    let key = include_str!("../../controller/core/fixtures/sops/keys/one.agekey");
    let values = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": name},
        "stringData": {"password": "s3cret-too", "one.agekey": key},
    });
    scene.apply_by_hand(sync).await;
    let diff = [
        "diff",
        "sync",
        "apps",
        "--path",
        &scene.path().display().to_string(),
    ];
    let missing = scene.plugin.run(&diff).await.unwrap();
    assert_eq!(missing.code, 2, "{missing}");
    assert!(
        missing
            .stderr
            .contains(&format!("Secret {name}/values does not exist")),
        "{missing}"
    );
    scene.apply_by_hand(values).await;
    scene.apply_by_hand(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": name},
        "data": {"color": "red", "size": "big"},
    }))
    .await;
    let said = scene.plugin.run(&diff).await.unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stdout.contains("+ green and ***"), "{said}");
    assert!(said.stdout.contains("/login created"), "{said}");
    assert!(!said.to_string().contains("s3cret"), "{said}");
    assert!(!said.to_string().contains("battery"), "{said}");
}
