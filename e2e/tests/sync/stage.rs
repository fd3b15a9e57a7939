//! A namespace that follows a repository, and what a test does to both.

use std::sync::{Arc, OnceLock};

use flux_crds::{GitRepository, Sync, sync::Failure};
pub(crate) use flux_e2e::ordeal::map;
use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, TestNamespace, controller, install, reconcile,
    wait,
};
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The name of the GitRepository in every test.
pub(crate) const SOURCE: &str = "fleet";
/// The name of the Sync in most tests.
pub(crate) const APPS: &str = "apps";

/// One namespace with one GitRepository.
pub(crate) struct Stage {
    pub(crate) namespace: Arc<TestNamespace>,
    pub(crate) control_plane: Arc<ControlPlane>,
    pub(crate) repo: GitRepo,
}

impl Stage {
    /// A namespace on the shared control plane whose default account may do anything.
    pub(crate) async fn set() -> Self {
        let stage = Self::without_rights().await;
        let name = format!("{}-admin", stage.name());
        stage.grant(&name, "default").await;
        stage
    }

    /// A namespace on the shared control plane whose accounts may do nothing.
    pub(crate) async fn without_rights() -> Self {
        let control_plane = ControlPlane::shared_with_workloads().await;
        shared_controller(control_plane).await;
        Self::on(control_plane, shared_server()).await
    }

    /// A namespace on any control plane, which follows a repository of any server.
    pub(crate) async fn on(control_plane: &Arc<ControlPlane>, server: &GitServer) -> Self {
        let namespace = Arc::new(TestNamespace::create(control_plane).await.unwrap());
        let repo = server.create_repository(namespace.name()).unwrap();
        repo.push_files(&[("README.md", "nothing yet")], "begin")
            .unwrap();
        let stage = Self {
            namespace,
            control_plane: Arc::clone(control_plane),
            repo,
        };
        let mut source = GitRepository::test()
            .named(SOURCE)
            .in_namespace(stage.name())
            .with_url(&server.http_url(stage.name()))
            .with_branch("main");
        // Tests ask for a fetch; no test passes by luck of an interval.
        source.spec.interval = Some("1h".into());
        stage.create(&source).await;
        stage
    }

    pub(crate) fn name(&self) -> &str {
        self.namespace.name()
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        self.namespace.api()
    }

    pub(crate) async fn create<K>(&self, object: &K) -> K
    where
        K: Resource<Scope = kube::core::NamespaceResourceScope>
            + Serialize
            + DeserializeOwned
            + Clone
            + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let created = self.api().create(&PostParams::default(), object).await;
        created.unwrap()
    }

    /// Lets an account of this namespace do anything anywhere.
    pub(crate) async fn grant(&self, binding: &str, account: &str) {
        self.apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": binding},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.name()}],
        }))
        .await;
    }

    /// Applies anything as administrator.
    pub(crate) async fn apply(&self, object: Value) {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        install::apply(&self.namespace.client(), &object)
            .await
            .unwrap();
    }

    /// A Sync of the whole repository into this namespace.
    pub(crate) fn sync(&self) -> Sync {
        let mut sync = Sync::test()
            .named(APPS)
            .in_namespace(self.name())
            .with_source(SOURCE);
        sync.spec.target_namespace = Some(self.name().to_owned());
        sync.spec.interval = Some("1h".into());
        sync
    }

    pub(crate) fn syncs(&self) -> Api<Sync> {
        self.api()
    }

    pub(crate) fn maps(&self) -> Api<ConfigMap> {
        self.api()
    }

    /// Commits files, pushes and lets the controller fetch them; returns the commit's id.
    pub(crate) async fn push(&self, files: &[(&str, &str)]) -> String {
        let commit = self.repo.push_files(files, "a change").unwrap();
        self.fetch().await;
        commit
    }

    /// As [`Self::push`], for files that go.
    pub(crate) async fn remove(&self, paths: &[&str]) -> String {
        for path in paths {
            self.repo.remove(path).unwrap();
        }
        let commit = self.repo.commit_and_push("a removal").unwrap();
        self.fetch().await;
        commit
    }

    pub(crate) async fn fetch(&self) -> GitRepository {
        reconcile::now(&self.api::<GitRepository>(), SOURCE)
            .await
            .unwrap()
    }

    /// Waits until the Sync is Ready with this commit.
    pub(crate) async fn applied(&self, commit: &str) -> Sync {
        reconcile::applied(&self.syncs(), APPS, commit)
            .await
            .unwrap()
    }

    /// Waits until the Sync has failed at this commit, for this reason.
    pub(crate) async fn failed(&self, commit: &str, reason: &str) -> Sync {
        let sync = reconcile::failed(&self.syncs(), APPS, commit)
            .await
            .unwrap();
        let ready = wait::condition(&sync, "Ready").unwrap();
        assert_eq!(ready.reason, reason, "{}", ready.message);
        sync
    }

    /// Waits until the Sync is not Ready for this reason.
    pub(crate) async fn refused(&self, name: &str, reason: &str) -> Sync {
        wait::until(&self.syncs(), name, &format!("is {reason}"), |sync| {
            wait::has_failed(sync, reason)
        })
        .await
        .unwrap()
    }

    /// Asks for a reconcile and waits for its end.
    pub(crate) async fn reconcile(&self) -> Sync {
        reconcile::now(&self.syncs(), APPS).await.unwrap()
    }

    /// Changes a Sync as its user would.
    pub(crate) async fn edit(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        let edited = self
            .syncs()
            .patch(name, &PatchParams::default(), &patch)
            .await;
        edited.unwrap();
    }

    /// The data of a ConfigMap, `None` when there is no such ConfigMap.
    pub(crate) async fn data(&self, name: &str) -> Option<Value> {
        let map = self.maps().get_opt(name).await.unwrap()?;
        Some(json!(map.data))
    }

    /// The version of a ConfigMap: it stays as long as nobody writes.
    pub(crate) async fn version(&self, name: &str) -> String {
        let map = self.maps().get(name).await.unwrap();
        map.resource_version().unwrap()
    }

    /// Patches a ConfigMap as a person with kubectl does.
    pub(crate) async fn by_hand(&self, name: &str, patch: Value) {
        let by_hand = PatchParams {
            field_manager: Some("kubectl-edit".into()),
            ..PatchParams::default()
        };
        let patched = self
            .maps()
            .patch(name, &by_hand, &Patch::Merge(patch))
            .await;
        patched.unwrap();
    }

    /// Waits for an event about a Sync and returns its message.
    pub(crate) async fn event(&self, reason: &str, about: &str) -> String {
        let events = watcher(self.api::<Event>(), watcher::Config::default())
            .default_backoff()
            .applied_objects();
        let mut events = std::pin::pin!(events);
        let found = tokio::time::timeout(wait::PATIENCE, async {
            while let Some(event) = events.try_next().await.unwrap() {
                let same = event.reason.as_deref() == Some(reason)
                    && event.involved_object.name.as_deref() == Some(about);
                if same {
                    return event.message;
                }
            }
            None
        });
        let found = found.await;
        assert!(found.is_ok(), "no event {reason} about {about}");
        found.unwrap().unwrap_or_default()
    }

    /// An object of any kind in this namespace.
    pub(crate) fn any(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = kube::api::GroupVersionKind::gvk(group, version, kind);
        let kind = ApiResource::from_gvk_with_plural(&kind, plural);
        Api::namespaced_with(self.namespace.client(), self.name(), &kind)
    }
}

/// What the shared controller has logged so far.
pub(crate) async fn log() -> String {
    let control_plane = ControlPlane::shared_with_workloads().await;
    shared_controller(control_plane).await.log().unwrap()
}

async fn shared_controller(control_plane: &ControlPlane) -> &'static Controller {
    static CONTROLLER: OnceCell<Controller> = OnceCell::const_new();
    let start = || async {
        Controller::start(control_plane, controller::Options::default())
            .await
            .unwrap()
    };
    CONTROLLER.get_or_init(start).await
}

fn shared_server() -> &'static GitServer {
    static SERVER: OnceLock<GitServer> = OnceLock::new();
    SERVER.get_or_init(|| GitServer::start().unwrap())
}

/// A Deployment of one pod.
pub(crate) fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: main
          image: {image}
"
    )
}

/// The ids of a Sync's inventory.
pub(crate) fn inventory(sync: &Sync) -> Vec<String> {
    let inventory = sync.status.as_ref().unwrap().inventory.as_ref();
    let entries = inventory.map(|inventory| inventory.entries.iter());
    entries
        .into_iter()
        .flatten()
        .map(|entry| entry.id.clone())
        .collect()
}

/// What a Sync's status says about single objects.
pub(crate) fn failures(sync: &Sync) -> &[Failure] {
    &sync.status.as_ref().unwrap().failures
}

/// The message of a Sync's Ready condition.
pub(crate) fn message(sync: &Sync) -> String {
    wait::condition(sync, "Ready").unwrap().message
}
