//! Syncs that write to another cluster: a second control plane.

use std::sync::Arc;

use flux_crds::Sync;
use flux_crds::reference::KeyReference;
use flux_crds::sync::{Drift, DriftMode, KubeConfig};
use flux_e2e::{ControlPlane, Options, Plugin, install, reconcile, wait};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use serde_json::{Value, json};

use crate::hooks::job;
use crate::stage::{APPS, Stage, deployment, inventory, map, message};

/// The Secret with the kubeconfig.
const SECRET: &str = "staging";

/// The other cluster, with a namespace of the same name as the stage's.
pub(crate) struct Other {
    pub(crate) control_plane: Arc<ControlPlane>,
    namespace: String,
    client: Client,
}

impl Other {
    async fn of(stage: &Stage, control_plane: &Arc<ControlPlane>) -> Self {
        let client = control_plane.client().await.unwrap();
        let other = Self {
            control_plane: Arc::clone(control_plane),
            namespace: stage.name().to_owned(),
            client,
        };
        other
            .apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stage.name()}}))
            .await;
        other
    }

    /// One that all tests share; none of them may stop it.
    pub(crate) async fn shared(stage: &Stage) -> Self {
        Self::of(stage, ControlPlane::shared().await).await
    }

    pub(crate) async fn own(stage: &Stage) -> Self {
        let control_plane = ControlPlane::start(Options::default()).await.unwrap();
        Self::of(stage, &Arc::new(control_plane)).await
    }

    async fn apply(&self, object: Value) {
        let object = serde_json::from_value(object).unwrap();
        install::apply(&self.client, &object).await.unwrap();
    }

    fn maps(&self) -> Api<ConfigMap> {
        self.api()
    }

    pub(crate) async fn data(&self, name: &str) -> Option<Value> {
        let map = self.maps().get_opt(name).await.unwrap()?;
        Some(json!(map.data))
    }

    /// Ends a Job as its controller would; nobody else runs any there.
    pub(crate) async fn succeed(&self, name: &str) {
        let now = jiff::Timestamp::now().to_string();
        let status = json!({"succeeded": 1, "startTime": now, "completionTime": now});
        self.end(name, status, ["SuccessCriteriaMet", "Complete"])
            .await;
    }

    /// As [`Self::succeed`], for one that fails.
    pub(crate) async fn fail(&self, name: &str) {
        let now = jiff::Timestamp::now().to_string();
        let status = json!({"failed": 1, "startTime": now});
        self.end(name, status, ["FailureTarget", "Failed"]).await;
    }

    async fn end(&self, name: &str, mut status: Value, conditions: [&str; 2]) {
        let jobs = self.api::<Job>();
        wait::until(&jobs, name, "exists", |_| true).await.unwrap();
        let condition = |name: &str| json!({"type": name, "status": "True"});
        status["conditions"] = conditions.map(condition).to_vec().into();
        let (params, status) = (
            PatchParams::default(),
            Patch::Merge(json!({"status": status})),
        );
        jobs.patch_status(name, &params, &status).await.unwrap();
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Lets a Deployment run as its controller would; nobody runs pods there.
    pub(crate) async fn run(&self, name: &str) {
        let deployments = self.api::<Deployment>();
        let deployment = wait::until(&deployments, name, "exists", |_| true);
        let generation = deployment.await.unwrap().metadata.generation;
        let status = json!({"status": {
            "observedGeneration": generation, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
            "conditions": [
                {"type": "Available", "status": "True"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ],
        }});
        let (params, status) = (PatchParams::default(), Patch::Merge(status));
        let running = deployments.patch_status(name, &params, &status).await;
        running.unwrap();
    }

    pub(crate) fn admin(&self) -> String {
        std::fs::read_to_string(self.control_plane.kubeconfig()).unwrap()
    }

    fn kubeconfig_of(&self, user: &str) -> String {
        let path = self.control_plane.kubeconfig_as(user, None).unwrap();
        std::fs::read_to_string(path).unwrap()
    }
}

/// Puts a kubeconfig into the Secret.
pub(crate) async fn secret(stage: &Stage, key: &str, kubeconfig: &str) {
    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {key: kubeconfig},
            "metadata": {"name": SECRET, "namespace": stage.name()},
        }))
        .await;
}

pub(crate) async fn remove_secret(stage: &Stage) {
    let secrets = stage.api::<Secret>();
    let removed = secrets.delete(SECRET, &DeleteParams::default()).await;
    removed.unwrap();
}

/// The Sync of the stage, into the cluster that the Secret names.
pub(crate) fn elsewhere(stage: &Stage) -> Sync {
    let mut sync = stage.sync();
    sync.spec.kube_config = Some(KubeConfig {
        secret_ref: KeyReference {
            name: SECRET.into(),
            key: None,
        },
    });
    sync.spec.retry_interval = Some("1s".into());
    sync
}

#[tokio::test]
async fn a_sync_applies_prunes_and_ends_in_the_other_cluster_and_not_here() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value.yaml", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let files = [("one.yaml", map("one", "a")), ("two.yaml", map("two", "b"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    stage.applied(&commit).await;
    assert_eq!(other.data("one").await, Some(json!({"key": "a"})));
    assert_eq!(stage.data("one").await, None, "nothing is written here");

    let patch = Patch::Merge(json!({"data": {"key": "by hand"}}));
    let maps = other.maps();
    let by_hand = maps.patch("one", &PatchParams::default(), &patch).await;
    by_hand.unwrap();
    wait::until(&maps, "one", "is put back", |map| {
        json!(map.data) == json!({"key": "a"})
    })
    .await
    .unwrap();

    let commit = stage.remove(&["two.yaml"]).await;
    stage.applied(&commit).await;
    assert_eq!(other.data("two").await, None, "what left git goes there");

    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    wait::until_gone(&syncs, APPS).await.unwrap();
    assert_eq!(other.data("one").await, None, "and all of it at the end");
}

#[tokio::test]
async fn two_syncs_may_have_the_same_object_in_two_clusters() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    stage.create(&stage.sync().named("here")).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let here = reconcile::applied(&stage.syncs(), "here", &commit).await;
    here.unwrap();
    assert!(other.data("one").await.is_some() && stage.data("one").await.is_some());
}

#[tokio::test]
async fn a_sync_that_is_pointed_at_another_cluster_begins_anew_there() {
    let stage = Stage::set().await;
    let (first, second) = (Other::own(&stage).await, Other::shared(&stage).await);
    secret(&stage, "value", &first.admin()).await;
    let mut sync = elsewhere(&stage);
    sync.spec.drift = Some(Drift {
        mode: Some(DriftMode::Ignore),
        ..Drift::default()
    });
    stage.create(&sync).await;
    let (hook, data) = (job("before", "flux.rs/hook: pre-sync"), json!({"key": "a"}));
    let commit = stage
        .push(&[("one.yaml", &map("one", "a")), ("before.yaml", &hook)])
        .await;
    first.succeed("before").await;
    stage.applied(&commit).await;
    assert_eq!(first.data("one").await, Some(data.clone()));

    secret(&stage, "value", &second.admin()).await;
    second.succeed("before").await;
    let maps = second.maps();
    wait::until(&maps, "one", "is there", |_| true)
        .await
        .unwrap();
    let told = stage.event("ClusterChanged", APPS).await;
    assert!(told.contains("ConfigMap") && told.contains("one"), "{told}");
    stage.applied(&commit).await;
    assert_eq!(second.data("one").await, Some(data.clone()));
    assert_eq!(first.data("one").await, Some(data), "it stays there");

    stage.edit(APPS, json!({"kubeConfig": null})).await;
    let maps = stage.api::<ConfigMap>();
    wait::until(&maps, "one", "is here", |_| true)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_sync_acts_as_the_kubeconfigs_own_identity_or_as_the_account_that_it_names() {
    let stage = Stage::set().await;
    stage
        .grant(&format!("{}-deployer", stage.name()), "deployer")
        .await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.kubeconfig_of("robot")).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert!(message(&sync).contains("\"robot\""), "{}", message(&sync));

    secret(&stage, "value", &other.admin()).await;
    stage.applied(&commit).await;

    stage
        .edit(APPS, json!({"serviceAccountName": "deployer"}))
        .await;
    let commit = stage.push(&[("one.yaml", &map("one", "b"))]).await;
    let sync = stage.failed(&commit, "Rejected").await;
    let account = format!("system:serviceaccount:{}:deployer", stage.name());
    assert!(message(&sync).contains(&account), "{}", message(&sync));
    assert_eq!(other.data("one").await, Some(json!({"key": "a"})));
}

#[tokio::test]
async fn the_plugin_looks_at_the_other_cluster() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let plugin = Plugin::in_namespace(&stage.control_plane, &stage.namespace)
        .await
        .unwrap();

    let tree = plugin.data(&["tree", "sync", APPS]).await.unwrap();
    assert!(
        tree.contains("Current") && !tree.contains("Missing"),
        "{tree}"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display().to_string();
    std::fs::write(directory.path().join("one.yaml"), map("one", "b")).unwrap();
    let said = plugin
        .run(&["diff", "sync", APPS, "--path", &path])
        .await
        .unwrap();
    assert_eq!(said.code, 1, "{said}");
    assert!(said.stdout.contains("- a\n"), "it is there: {said}");

    remove_secret(&stage).await;
    let tree = plugin.data(&["tree", "sync", APPS]).await.unwrap();
    assert!(tree.contains("Unknown") && tree.contains(SECRET), "{tree}");
}

#[tokio::test]
async fn health_is_that_of_the_other_cluster() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    let mut sync = elsewhere(&stage);
    sync.spec.wait = Some(true);
    stage.create(&sync).await;
    let commit = stage
        .push(&[("web.yaml", &deployment("web", "nginx"))])
        .await;
    other.run("web").await;
    stage.applied(&commit).await;
}

#[tokio::test]
async fn a_cluster_that_goes_away_and_comes_back_loses_nothing() {
    let stage = Stage::set().await;
    let other = Other::own(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;

    other.control_plane.stop_api_server();
    let commit = stage.push(&[("one.yaml", &map("one", "b"))]).await;
    let sync = stage.refused(APPS, "ClusterUnreachable").await;
    let secret = format!("Secret {}/{SECRET}", stage.name());
    assert!(message(&sync).contains(&secret), "{}", message(&sync));
    assert_eq!(inventory(&sync).len(), 1, "nothing is forgotten");

    other.control_plane.start_api_server().await.unwrap();
    stage.applied(&commit).await;
    assert_eq!(other.data("one").await, Some(json!({"key": "b"})));
}

#[tokio::test]
async fn a_sync_whose_secret_is_gone_ends_and_names_what_it_leaves() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;

    remove_secret(&stage).await;
    let sync = stage.refused(APPS, "SecretNotFound").await;
    assert_eq!(inventory(&sync).len(), 1, "nothing is forgotten");
    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    wait::until_gone(&syncs, APPS).await.unwrap();
    let told = stage.event("FinalizeFailed", APPS).await;
    assert!(told.contains(SECRET) && told.contains("one"), "{told}");
    assert!(other.data("one").await.is_some(), "nobody could reach it");
}

#[tokio::test]
async fn a_sync_waits_at_its_end_for_a_cluster_that_is_away_until_it_is_let_go() {
    let stage = Stage::set().await;
    let other = Other::own(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;

    other.control_plane.stop_api_server();
    let syncs = stage.syncs();
    syncs.delete(APPS, &DeleteParams::default()).await.unwrap();
    let waiting = wait::until(&syncs, APPS, "cannot end", |sync| {
        wait::condition(sync, "Ready").is_some_and(|ready| ready.reason == "FinalizeFailed")
    });
    let told = message(&waiting.await.unwrap());
    assert!(told.contains("spec.deletion"), "says how to let go: {told}");
    assert_eq!(inventory(&syncs.get(APPS).await.unwrap()).len(), 1);
    remove_secret(&stage).await;
    wait::until_gone(&syncs, APPS).await.unwrap();
}

#[tokio::test]
async fn a_kubeconfig_that_runs_a_program_is_refused_until_it_is_mended() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    let mark = std::env::temp_dir().join(format!("{}-ran", stage.name()));
    let program = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: touch, args: [{:?}]}}",
        mark.display()
    );
    let harmful = other
        .admin()
        .replace("  user:\n", &format!("  user:\n    {program}\n"));
    assert!(harmful.contains("touch"));
    secret(&stage, "value", &harmful).await;
    stage.create(&elsewhere(&stage)).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let told = message(&stage.refused(APPS, "SecretInvalid").await);
    assert!(
        told.contains("user.exec") && !told.contains("touch"),
        "{told}"
    );
    assert!(!mark.exists());

    // The interval is an hour: only the watch can tell.
    stage.edit(APPS, json!({"retryInterval": "1h"})).await;
    stage.refused(APPS, "SecretInvalid").await;
    secret(&stage, "value", &other.admin()).await;
    stage.applied(&commit).await;
}

#[tokio::test]
async fn a_kubeconfig_is_read_by_an_account_that_may_read_it() {
    let stage = Stage::without_rights().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let told = message(&stage.refused(APPS, "AccessDenied").await);
    assert!(told.contains(SECRET), "{told}");
    assert_eq!(other.data("one").await, None);
}

#[tokio::test]
async fn credentials_that_the_other_cluster_does_not_know_are_said_to_be_wrong() {
    let stage = Stage::set().await;
    let (other, foreign) = (Other::shared(&stage).await, &stage.control_plane);
    let foreign = std::fs::read_to_string(foreign.kubeconfig()).unwrap();
    // The address and authority of one, the certificate of the other.
    let user = foreign.split_once("users:").unwrap().1;
    let head = other.admin();
    let head = head.split_once("users:").unwrap().0;
    secret(&stage, "value", &format!("{head}users:{user}")).await;
    stage.create(&elsewhere(&stage)).await;
    stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let told = message(&stage.refused(APPS, "SecretInvalid").await);
    assert!(told.contains("credentials"), "{told}");
}
