//! A namespace with a repository that is written to and images of its own.

use std::sync::{Arc, OnceLock};

use flux_crds::git_repository::Write;
use flux_crds::image_policy::{Policy, RepositoryReference, SemverPolicy, Update, UpdateStrategy};
use flux_crds::{GitRepository, ImagePolicy};
use flux_e2e::registry::{Image, Registry};
use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, TestNamespace, controller, reconcile, wait,
};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The name of the GitRepository in every test.
pub(crate) const FLEET: &str = "fleet";
/// The name of the policy in most tests.
pub(crate) const APP: &str = "app";

/// A namespace with a repository that is written to and images of its own.
pub(crate) struct Stage {
    pub(crate) namespace: TestNamespace,
    pub(crate) repo: GitRepo,
}

impl Stage {
    /// A namespace with an empty repository.
    pub(crate) async fn set() -> Self {
        let control_plane = ControlPlane::shared_with_workloads().await;
        shared_controller(control_plane).await;
        Self::on(control_plane).await
    }

    /// The same on any control plane.
    pub(crate) async fn on(control_plane: &Arc<ControlPlane>) -> Self {
        let namespace = TestNamespace::create(control_plane).await.unwrap();
        let repo = server().create_repository(namespace.name()).unwrap();
        repo.push_files(&[("README.md", "nothing yet")], "begin")
            .unwrap();
        let stage = Self { namespace, repo };
        stage.create(&stage.repository(FLEET)).await;
        stage
    }

    /// A GitRepository of this name that follows and is written to the branch main.
    pub(crate) fn repository(&self, name: &str) -> GitRepository {
        let mut repository = GitRepository::test()
            .named(name)
            .in_namespace(self.namespace.name())
            .with_url(&server().http_url(self.namespace.name()))
            .with_branch("main");
        // Tests ask for a fetch; no test passes by luck of an interval.
        repository.spec.interval = Some("1h".into());
        repository.spec.write = Some(Write {
            branch: "main".into(),
            author: None,
            message: None,
            signing_key: None,
        });
        repository
    }

    /// The name of an image of this stage, such as `127.0.0.1:5000/test-1/app`.
    pub(crate) fn image(&self, name: &str) -> String {
        registry().name(&self.path(name))
    }

    /// The part of it behind the registry.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace.name())
    }

    /// Pushes an image under each of these tags, and returns its digest.
    pub(crate) async fn release(&self, name: &str, tags: &[&str]) -> String {
        let image = Image::new().labelled(&tags.join(" "));
        registry()
            .push_tags(&self.path(name), tags, &image)
            .await
            .unwrap()
    }

    /// A policy for the highest version, written to the repository where a marker stands.
    pub(crate) fn policy(&self, name: &str) -> ImagePolicy {
        let mut policy = ImagePolicy::test()
            .named(name)
            .in_namespace(self.namespace.name());
        policy.spec.image = self.image(name);
        policy.spec.interval = Some("1h".into());
        policy.spec.insecure = Some(true);
        policy.spec.policy = Policy {
            semver: Some(SemverPolicy {
                range: ">=1.0.0".into(),
            }),
            ..Policy::default()
        };
        policy.spec.update = vec![update(UpdateStrategy::Markers)];
        policy
    }

    /// A Deployment whose image is marked for the policy of the same name.
    pub(crate) fn marked(&self, name: &str, tag: &str) -> String {
        format!(
            "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name} # the front
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: main
          image: {}:{tag} # {{\"$imagepolicy\": \"{}:{name}\"}}
",
            self.image(name),
            self.namespace.name()
        )
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
        self.api()
            .create(&PostParams::default(), object)
            .await
            .unwrap()
    }

    pub(crate) fn policies(&self) -> Api<ImagePolicy> {
        self.api()
    }

    /// Changes a policy as its user would.
    pub(crate) async fn edit(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.policies()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// Lets the controller look at the registry, and waits for the end of it.
    pub(crate) async fn scan(&self, name: &str) -> ImagePolicy {
        reconcile::now(&self.policies(), name).await.unwrap()
    }

    /// Lets the controller fetch the repository, and waits for the end of it.
    pub(crate) async fn fetch(&self) -> GitRepository {
        reconcile::now(&self.api::<GitRepository>(), FLEET)
            .await
            .unwrap()
    }

    /// Waits until a policy is Ready with this tag and has nothing left to write.
    pub(crate) async fn settled(&self, name: &str, tag: &str) -> ImagePolicy {
        let what = format!("has written {tag}");
        wait::until(&self.policies(), name, &what, |policy| {
            let latest = policy
                .status
                .as_ref()
                .and_then(|status| status.latest.as_ref());
            latest.is_some_and(|latest| latest.tag == tag)
                && pending(policy).is_none()
                && wait::is_ready(policy)
        })
        .await
        .unwrap()
    }

    /// Waits until a policy is not Ready for this reason, and returns why.
    pub(crate) async fn refused(&self, name: &str, reason: &str) -> String {
        let (policies, what) = (self.policies(), format!("is {reason}"));
        let refused = wait::until(&policies, name, &what, |policy| {
            wait::has_failed(policy, reason)
        });
        message(&refused.await.unwrap())
    }

    /// What the remote holds in a file of the branch main, without the end of its last line.
    pub(crate) fn file(&self, path: &str) -> String {
        self.repo
            .git_bare(&["show", &format!("main:{path}")])
            .unwrap()
    }

    /// How many commits the branch main has.
    pub(crate) fn commits(&self) -> usize {
        let count = self
            .repo
            .git_bare(&["rev-list", "--count", "main"])
            .unwrap();
        count.trim().parse().unwrap()
    }

    /// The message of the newest commit of the branch main.
    pub(crate) fn words(&self) -> String {
        self.repo
            .git_bare(&["log", "-1", "--format=%an <%ae>%n%B", "main"])
            .unwrap()
    }
}

/// The whole of the repository, by a strategy.
pub(crate) fn update(strategy: UpdateStrategy) -> Update {
    Update {
        repository: RepositoryReference { name: FLEET.into() },
        path: None,
        strategy: Some(strategy),
    }
}

/// The message of a policy's Ready condition.
pub(crate) fn message(policy: &ImagePolicy) -> String {
    wait::condition(policy, "Ready")
        .map(|ready| ready.message)
        .unwrap_or_default()
}

/// The tag that a policy has chosen.
pub(crate) fn latest(policy: &ImagePolicy) -> Option<&str> {
    let latest = policy.status.as_ref()?.latest.as_ref()?;
    Some(&latest.tag)
}

/// The tag that waits.
pub(crate) fn pending(policy: &ImagePolicy) -> Option<&str> {
    let pending = policy.status.as_ref()?.pending.as_ref()?;
    Some(&pending.tag)
}

pub(crate) fn server() -> &'static GitServer {
    static SERVER: OnceLock<GitServer> = OnceLock::new();
    SERVER.get_or_init(|| GitServer::start().unwrap())
}

pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::start().unwrap())
}

pub(crate) async fn shared_controller(control_plane: &ControlPlane) -> &'static Controller {
    static CONTROLLER: OnceCell<Controller> = OnceCell::const_new();
    let start = || async {
        Controller::start(control_plane, controller::Options::default())
            .await
            .unwrap()
    };
    CONTROLLER.get_or_init(start).await
}
