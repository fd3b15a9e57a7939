//! `kubectl flux install` and `uninstall` on clusters of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_crds::{Sync, names::FINALIZER};
use flux_e2e::{ControlPlane, Options, Plugin, plugin::Said};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace},
    rbac::v1::ClusterRole,
};
use kube::{
    Api,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

async fn start() -> (ControlPlane, Plugin) {
    let control_plane = ControlPlane::start(Options::with_workloads())
        .await
        .unwrap();
    let plugin = Plugin::build(&control_plane).await.unwrap();
    (control_plane, plugin)
}

fn assert_ok(said: &Said) {
    assert_eq!(said.code, 0, "{said}");
}

#[tokio::test]
async fn an_installation_becomes_ready_and_checks_say_so() {
    let (control_plane, plugin) = start().await;
    let before = plugin.run(&["check"]).await.unwrap();
    assert_eq!(before.code, 1, "{before}");
    assert!(before.stderr.contains("kubectl flux install"), "{before}");
    assert_ok(&plugin.run(&["check", "--pre"]).await.unwrap());

    let installed = plugin.run(&["install"]).await.unwrap();
    assert_ok(&installed);
    assert!(
        installed
            .stdout
            .contains("deployment.apps/flux-controller created\n"),
        "{installed}"
    );
    assert_ok(&plugin.run(&["check"]).await.unwrap());
    let again = plugin.data(&["install"]).await.unwrap();
    assert!(
        again.lines().all(|line| line.ends_with(" unchanged")),
        "{again}"
    );

    let image = "registry.internal/flux-controller:v9";
    plugin
        .data(&["install", "--no-wait", "--image", image])
        .await
        .unwrap();
    let deployments =
        Api::<Deployment>::namespaced(control_plane.client().await.unwrap(), "flux-system");
    let deployment = deployments.get("flux-controller").await.unwrap();
    let containers = deployment.spec.template.spec.unwrap().containers;
    assert_eq!(containers[0].image.as_deref(), Some(image));
    let version = plugin.data(&["version"]).await.unwrap();
    assert!(version.contains("controller: v9"), "{version}");
}

/// A Sync that would prune if a controller saw it go.
async fn applied_sync(control_plane: &ControlPlane) {
    let client = control_plane.client().await.unwrap();
    let mut sync = Sync::test();
    sync.metadata.finalizers = Some(vec![FINALIZER.into()]);
    let syncs = Api::<Sync>::default_namespaced(client.clone());
    syncs.create(&PostParams::default(), &sync).await.unwrap();
    let inventory = json!({"entries": [{"id": "default_settings__ConfigMap", "v": "v1"}]});
    let status = json!({"status": {"inventory": inventory}});
    syncs
        .patch_status("apps", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
    let settings = ConfigMap {
        metadata: ObjectMeta {
            name: Some("settings".into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    let config_maps = Api::<ConfigMap>::default_namespaced(client);
    config_maps
        .create(&PostParams::default(), &settings)
        .await
        .unwrap();
}

#[tokio::test]
async fn uninstalling_leaves_the_workloads_and_nothing_of_ours() {
    let (control_plane, plugin) = start().await;
    assert_ok(&plugin.run(&["install"]).await.unwrap());
    applied_sync(&control_plane).await;

    let unasked = plugin.run(&["uninstall"]).await.unwrap();
    assert_eq!(unasked.code, 2, "{unasked}");
    assert!(unasked.stderr.contains("--yes"), "{unasked}");
    assert_ok(&plugin.run(&["uninstall", "--dry-run"]).await.unwrap());
    assert_ok(&plugin.run(&["check"]).await.unwrap());

    let said = plugin.run(&["uninstall", "--yes"]).await.unwrap();
    assert_ok(&said);
    assert!(
        said.stdout.contains("sync.flux.rs/apps deleted\n"),
        "{said}"
    );
    let client = control_plane.client().await.unwrap();
    let settings = Api::<ConfigMap>::default_namespaced(client.clone());
    settings.get("settings").await.unwrap();
    let namespaces = Api::<Namespace>::all(client.clone());
    assert!(namespaces.get_opt("flux-system").await.unwrap().is_none());
    let roles = Api::<ClusterRole>::all(client);
    assert!(roles.get_opt("flux-controller").await.unwrap().is_none());
    let again = plugin.run(&["uninstall", "--yes"]).await.unwrap();
    assert_ok(&again);
    assert_eq!(again.stdout, "");
}

#[tokio::test]
async fn what_is_exported_needs_no_cluster() {
    let control_plane = ControlPlane::shared().await;
    let plugin = Plugin::build(control_plane).await.unwrap();
    let exported = plugin
        .data(&["install", "--export", "--kubeconfig", "/nonexistent"])
        .await
        .unwrap();
    assert_eq!(
        exported
            .matches("\nkind: CustomResourceDefinition\n")
            .count(),
        3
    );
    assert!(exported.starts_with("---\napiVersion: v1\nkind: Namespace\n"));
}
