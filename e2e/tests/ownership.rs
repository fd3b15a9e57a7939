//! What the decision "nobody touched it" stands on, on a real API server: our entry in the managed fields.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use flux_core::hash::owned_hash;
use flux_core::live::Metadata;
use flux_core::managed_fields::{own_entry, thieves};
use flux_core::object::{Desired, ObjectId, Origin};
use flux_core::owner::Owner;
use flux_e2e::{ControlPlane, Options, TestNamespace};
use flux_engine::cluster::survey::survey;
use flux_engine::cluster::transaction::{Beside, Item, Transaction};
use flux_engine::cluster::{Actor, Cluster, Connection, live};
use serde_json::{Value, json};

/// One namespace of a control plane, seen as the controller sees it and as a person with kubectl does.
struct Stage {
    control_plane: Arc<ControlPlane>,
    namespace: TestNamespace,
    cluster: Cluster,
}

impl Stage {
    async fn set(control_plane: &Arc<ControlPlane>) -> Self {
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let cluster = Connection::new(namespace.client()).acting_as(Actor::Own);
        Self {
            control_plane: Arc::clone(control_plane),
            namespace,
            cluster,
        }
    }

    fn owner(&self) -> Owner {
        Owner {
            namespace: self.namespace.name().to_owned(),
            name: "web".to_owned(),
        }
    }

    fn desired(&self, mut manifest: Value) -> Desired {
        manifest["metadata"]["namespace"] = json!(self.namespace.name());
        self.owner().stamp(&mut manifest);
        Desired::new(manifest, Origin::default()).unwrap()
    }

    /// Applies as the controller does and returns the metadata of the answer.
    async fn apply(&self, manifest: Value) -> (ObjectId, Metadata) {
        let desired = self.desired(manifest);
        let items = vec![Item {
            desired,
            force: false,
            beside: Beside::TakenOver,
        }];
        let transaction = Transaction::check(&self.cluster, items).await.unwrap();
        let mut report = transaction.apply(std::time::Duration::from_secs(10)).await;
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        let applied = report.applied.remove(0);
        (applied.desired.id, applied.metadata.unwrap())
    }

    /// Returns the metadata as a verification lists it.
    async fn listed(&self, id: &ObjectId) -> Metadata {
        let mut survey = survey(&self.cluster, &self.owner(), [id]).await.unwrap();
        survey.live.remove(id).unwrap()
    }

    async fn object(&self, api_version: &str, id: &ObjectId) -> Value {
        let resource = self.cluster.resolve(api_version, &id.kind).await.unwrap();
        let object = live::get_object(&self.cluster, &resource, &id.namespace, &id.name).await;
        object.unwrap().unwrap()
    }

    /// Runs kubectl in the namespace as a person would.
    fn kubectl(&self, arguments: &[&str], input: &Value) {
        let mut kubectl = self.control_plane.kubectl().unwrap();
        kubectl.args(["--namespace", self.namespace.name()]);
        kubectl.args(arguments).stdin(Stdio::piped());
        let mut child = kubectl.stdout(Stdio::null()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.to_string().as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success(), "kubectl {arguments:?}");
    }
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "app", "image": "app:1", "env": [{"name": "MODE", "value": "production"}]}]}}}})
}

fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "env"}, "data": data})
}

#[tokio::test]
async fn what_others_do_beside_our_fields_leaves_our_hash_alone() {
    let stage = Stage::set(ControlPlane::shared().await).await;
    let (id, applied) = stage.apply(deployment()).await;
    let ours = owned_hash(&applied.managed_fields);
    assert!(ours.is_some());
    let same = async |what: &str| {
        let listed = stage.listed(&id).await;
        assert_eq!(owned_hash(&listed.managed_fields), ours, "{what}");
    };
    same("the LIST spells the entry as the answer of the apply does").await;

    let status = r#"--patch={"status":{"replicas":3,"readyReplicas":3,"availableReplicas":3}}"#;
    stage.kubectl(
        &["patch", "deployment/web", "--subresource=status", status],
        &Value::Null,
    );
    same("a status write").await;
    stage.kubectl(&["set", "env", "deployment/web", "EXTRA=1"], &Value::Null);
    same("a variable of somebody else").await;
    stage.kubectl(&["label", "deployment/web", "team=shop"], &Value::Null);
    same("a label of somebody else").await;
    stage.kubectl(&["rollout", "restart", "deployment/web"], &Value::Null);
    same("a rolling restart by hand").await;

    stage.apply(deployment()).await;
    let object = stage.object("apps/v1", &id).await;
    let restarted = &object["spec"]["template"]["metadata"]["annotations"];
    assert!(
        restarted["kubectl.kubernetes.io/restartedAt"].is_string(),
        "our apply does not undo the restart"
    );
}

#[tokio::test]
async fn what_others_do_to_our_fields_changes_our_hash_and_names_them() {
    let stage = Stage::set(ControlPlane::shared().await).await;
    let remove = r#"--patch=[{"op":"remove","path":"/spec/template/spec/containers/0/env"}]"#;
    for (by_hand, thief) in [
        (
            &["set", "env", "deployment/web", "MODE=test"][..],
            Some("kubectl-set"),
        ),
        (
            &["scale", "deployment/web", "--replicas=3"],
            Some("kubectl"),
        ),
        // Who removes a field owns nothing by it, so that there is nobody to name.
        (&["label", "deployment/web", "flux.rs/sync-"], None),
        (&["patch", "deployment/web", "--type=json", remove], None),
    ] {
        let (id, applied) = stage.apply(deployment()).await;
        stage.kubectl(by_hand, &Value::Null);
        let object = stage.object("apps/v1", &id).await;
        let live = Metadata::of(&object).unwrap();
        assert_ne!(
            owned_hash(&live.managed_fields),
            owned_hash(&applied.managed_fields),
            "{by_hand:?}"
        );
        let since = own_entry(&live.managed_fields).and_then(|entry| entry.time.as_deref());
        let found = thieves(&live.managed_fields, since);
        assert_eq!(found.first().map(String::as_str), thief, "{by_hand:?}");
    }
}

#[tokio::test]
async fn a_restart_of_the_api_server_leaves_our_hash_alone() {
    let control_plane = ControlPlane::start(Options::default()).await.unwrap();
    let stage = Stage::set(&Arc::new(control_plane)).await;
    let (id, applied) = stage.apply(deployment()).await;
    stage.control_plane.restart_api_server().await.unwrap();
    let listed = stage.listed(&id).await;
    assert_eq!(
        owned_hash(&listed.managed_fields),
        owned_hash(&applied.managed_fields)
    );
}

#[tokio::test]
async fn fields_of_kubectl_vanish_when_they_are_not_in_git() {
    let stage = Stage::set(ControlPlane::shared().await).await;
    stage.kubectl(
        &["apply", "--filename=-"],
        &config_map(&json!({"a": "1", "b": "1"})),
    );
    let (id, applied) = stage.apply(config_map(&json!({"a": "1"}))).await;
    let object = stage.object("v1", &id).await;
    assert_eq!(object["data"], json!({"a": "1"}));
    assert!(
        object["metadata"].get("annotations").is_none(),
        "{}",
        object["metadata"]
    );
    let managers: Vec<&str> = applied
        .managed_fields
        .iter()
        .map(|entry| entry.manager.as_str())
        .collect();
    assert_eq!(managers, ["flux"]);
}

#[tokio::test]
async fn a_field_deleted_in_git_vanishes_also_together_with_a_take_over() {
    let stage = Stage::set(ControlPlane::shared().await).await;
    let (id, _) = stage.apply(config_map(&json!({"a": "1", "b": "1"}))).await;
    let by_hand = config_map(&json!({"c": "1"}));
    stage.kubectl(&["apply", "--server-side", "--filename=-"], &by_hand);
    stage.apply(config_map(&json!({"a": "1"}))).await;
    let object = stage.object("v1", &id).await;
    assert_eq!(
        object["data"],
        json!({"a": "1"}),
        "b was ours and c was kubectl's; git has neither"
    );
}
