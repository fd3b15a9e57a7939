//! What breaks in the middle of the work comes back, and nothing is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_crds::{GitRepository, Sync};
use flux_e2e::git_server::Conduct;
use flux_e2e::{
    ControlPlane, Controller, GitServer, Options, controller, install, reconcile, wait,
};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::stage::{APPS, SOURCE, Stage, inventory, map, message};

/// Time between two looks at what no watch tells.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Enough objects to be in the middle of them.
const MANY: usize = 1000;

fn many() -> String {
    let maps: Vec<String> = (0..MANY)
        .map(|number| map(&format!("map-{number}"), "a"))
        .collect();
    maps.join("---\n")
}

/// A control plane, a controller and a git server of one test, which breaks them.
pub(crate) struct Fragile {
    // Dropped in this order: the controller before what it talks to.
    pub(crate) stage: Stage,
    pub(crate) controller: Controller,
    server: GitServer,
    control_plane: Arc<ControlPlane>,
}

impl Fragile {
    pub(crate) async fn set() -> Self {
        Self::set_on(Options::default()).await
    }

    pub(crate) async fn set_on(options: Options) -> Self {
        let control_plane = Arc::new(ControlPlane::start(options).await.unwrap());
        let server = GitServer::start().unwrap();
        let controller = Controller::start(&control_plane, controller::Options::default())
            .await
            .unwrap();
        let stage = Stage::on(&control_plane, &server).await;
        stage.grant("admin", "default").await;
        Self {
            stage,
            controller,
            server,
            control_plane,
        }
    }

    /// Waits until some of many objects exist.
    async fn begins(&self) {
        let maps = self.stage.maps();
        wait::until(&maps, "map-7", "exists", |_| true)
            .await
            .unwrap();
    }

    async fn applied(&self) -> usize {
        let labelled = ListParams::default().labels("flux.rs/sync=apps");
        self.stage.maps().list(&labelled).await.unwrap().items.len()
    }
}

#[tokio::test]
async fn a_killed_controller_goes_on_where_it_was_and_orphans_nothing() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    stage.push(&[("many.yaml", &many())]).await;
    stage.create(&stage.sync()).await;
    fragile.begins().await;
    fragile.controller.kill();
    let interrupted = stage.syncs().get(APPS).await.unwrap();
    assert!(!wait::is_ready(&interrupted), "it was killed in the middle");
    assert_eq!(
        inventory(&interrupted).len(),
        MANY,
        "everything is in the inventory before the first write"
    );
    // What was applied and leaves git in the meantime must not stay behind.
    stage.repo.remove("many.yaml").unwrap();
    let left = stage
        .repo
        .push_files(&[("one.yaml", &map("one", "a"))], "fewer");
    let left = left.unwrap();
    fragile.controller.restart().await.unwrap();
    let sync = fragile.stage.applied(&left).await;
    assert_eq!(inventory(&sync).len(), 1);
    assert_eq!(fragile.applied().await, 1, "nothing is orphaned");
}

#[tokio::test]
async fn a_lost_hash_key_costs_a_look_at_each_object_and_no_write() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let first = record(&stage.applied(&commit).await);
    let version = stage.version("one").await;

    fragile.controller.restart().await.unwrap();
    let sync = fragile.stage.reconcile().await;
    assert_eq!(record(&sync), first, "the key outlives the process");

    let keys: Api<Secret> = Api::namespaced(
        fragile.control_plane.client().await.unwrap(),
        install::NAMESPACE,
    );
    keys.delete("flux-hash-key", &DeleteParams::default())
        .await
        .unwrap();
    fragile.controller.restart().await.unwrap();
    let sync = fragile.stage.reconcile().await;
    assert!(wait::is_ready(&sync));
    assert_ne!(record(&sync), first, "the hash is of another key");
    assert_eq!(fragile.stage.version("one").await, version);
}

/// Lets the API server refuse every status of this namespace that holds an inventory.
async fn refuse_inventories(stage: &Stage) {
    stage
        .apply(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": stage.name()},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [
                    {"apiGroups": ["flux.rs"], "apiVersions": ["*"], "resources": ["syncs/status"], "operations": ["UPDATE"]},
                ]},
                "validations": [{"expression": "!has(object.status.inventory) || object.status.inventory.entries.size() < 2", "message": "no room"}],
            },
        }))
        .await;
    stage
        .apply(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": stage.name()},
            "spec": {
                "policyName": stage.name(), "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stage.name()}}},
            },
        }))
        .await;
    // The API server takes note of a policy in its own time.
    let two = json!({"status": {"inventory": {"entries": [{"id": "a_b__C", "v": "v1"}, {"id": "a_c__C", "v": "v1"}]}}});
    let parameters = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    let patch = Patch::Merge(two);
    let refused = async {
        while stage
            .syncs()
            .patch_status(APPS, &parameters, &patch)
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(wait::PATIENCE, refused).await.unwrap();
}

#[tokio::test]
async fn nothing_is_applied_while_the_inventory_cannot_be_written() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    refuse_inventories(&stage).await;
    let files = [("one.yaml", map("one", "b")), ("two.yaml", map("two", "b"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    let sync = stage.refused(APPS, "ClusterUnreachable").await;
    assert!(message(&sync).contains("inventory"), "{}", message(&sync));
    assert_eq!(
        stage.data("two").await,
        None,
        "it would have been an orphan"
    );
    assert_eq!(stage.data("one").await, Some(json!({"key": "a"})));

    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(stage.namespace.client());
    let removed = bindings
        .delete(stage.name(), &DeleteParams::default())
        .await;
    removed.unwrap();
    let sync = stage.applied(&commit).await;
    assert_eq!(inventory(&sync).len(), 2);
    assert_eq!(stage.data("one").await, Some(json!({"key": "b"})));
}

fn record(sync: &Sync) -> Option<String> {
    let inventory = sync.status.as_ref()?.inventory.as_ref()?;
    inventory.entries.first()?.h.clone()
}

#[tokio::test]
async fn a_controller_killed_while_it_deletes_deletes_the_rest_and_nothing_else() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    let files = [("many.yaml", many()), ("one.yaml", map("one", "a"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let all = stage.push(&files).await;
    stage.create(&stage.sync()).await;
    stage.applied(&all).await;
    let mine = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "mine", "namespace": stage.name()},
    });
    stage.apply(mine).await;

    stage.repo.remove("many.yaml").unwrap();
    let left = stage.repo.commit_and_push("fewer").unwrap();
    stage.fetch().await;
    wait::until_gone(&stage.maps(), "map-1").await.unwrap();
    fragile.controller.kill();
    let remaining = fragile.applied().await;
    assert!(
        remaining > 1,
        "it was killed in the middle, {remaining} are left"
    );

    fragile.controller.restart().await.unwrap();
    let sync = fragile.stage.applied(&left).await;
    assert_eq!(inventory(&sync).len(), 1);
    assert_eq!(
        fragile.applied().await,
        1,
        "what left git is gone, the rest stays"
    );
    let mine = fragile.stage.maps().get_opt("mine").await.unwrap();
    assert!(mine.is_some(), "what was never ours stays");
}

#[tokio::test]
async fn an_api_server_that_breaks_down_in_the_middle_gets_everything_in_the_end() {
    let fragile = Fragile::set().await;
    let stage = &fragile.stage;
    let commit = stage.push(&[("many.yaml", &many())]).await;
    stage.create(&stage.sync()).await;
    fragile.begins().await;
    fragile.control_plane.kill_api_server();
    fragile.control_plane.start_api_server().await.unwrap();
    let sync = stage.applied(&commit).await;
    assert_eq!(inventory(&sync).len(), MANY);
    assert_eq!(fragile.applied().await, MANY);
}

#[tokio::test]
async fn a_git_server_that_is_away_leaves_the_last_revision_served() {
    let fragile = Fragile::set().await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    fragile.server.go_away().unwrap();
    let source = stage.fetch().await;
    let ready = wait::condition(&source, "Ready").unwrap();
    assert_eq!(ready.status, "False");
    assert_eq!(ready.reason, "FetchFailed");
    assert!(ready.message.contains("still serving"), "{}", ready.message);
    let sync = reconcile::now(&stage.syncs(), APPS).await.unwrap();
    assert!(wait::is_ready(&sync), "{}", message(&sync));

    fragile.server.come_back().unwrap();
    let sources = stage.api::<GitRepository>();
    wait::until(&sources, SOURCE, "recovers by itself", wait::is_ready)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_controller_that_is_stopped_in_the_middle_of_a_fetch_leaves_no_failure() {
    let mut fragile = Fragile::set().await;
    let stage = &fragile.stage;
    stage.create(&stage.sync()).await;
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    fragile.server.set_conduct(Conduct::Hanging);
    let before = fragile.server.traffic();
    let sources = stage.api::<GitRepository>();
    reconcile::poke(&sources, SOURCE).await.unwrap();
    let asked = async {
        while fragile.server.traffic().since(before).requests == 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(wait::PATIENCE, asked).await.unwrap();
    fragile.controller.stop();
    let source = sources.get(SOURCE).await.unwrap();
    assert!(wait::is_ready(&source), "{:?}", source.status);
}

#[tokio::test]
async fn a_git_server_that_never_answers_holds_up_no_other() {
    let stage = Stage::set().await;
    let silent = GitServer::start().unwrap();
    silent.set_conduct(Conduct::Hanging);
    // More than may fetch at once from one server.
    for number in 0..12 {
        let name = format!("silent-{number}");
        let source = GitRepository::test()
            .named(&name)
            .in_namespace(stage.name())
            .with_url(&silent.http_url(&name));
        stage.create(&source).await;
    }
    while silent.traffic().requests < 8 {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let since = Instant::now();
    stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let took = since.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
}
