//! Everything that the story is played on: cluster, git server, controller.

use std::path::PathBuf;

use anyhow::{Context, Result};
use flux_crds::{
    GitRepository, GitRepositorySpec, ImagePolicy, ImagePolicySpec, Sync, SyncSpec,
    git_repository::{GitReference, Write},
    image_policy::{Policy, RepositoryReference, SemverPolicy, Update},
    names::CONTROLLER_NAMESPACE,
    sync::SourceReference,
};
use flux_e2e::{Cluster, Controller, GitRepo, GitServer, Options, Registry, controller};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};

use crate::talk::{say, timed};

/// The name of repository, GitRepository and Sync.
pub(super) const NAME: &str = "demo";

/// The sample configuration, as it is first pushed.
const FILES: &[(&str, &str)] = &[
    (
        "base/kustomization.yaml",
        include_str!("../../../demo/base/kustomization.yaml"),
    ),
    (
        "base/deployment.yaml",
        include_str!("../../../demo/base/deployment.yaml"),
    ),
    (
        "base/service.yaml",
        include_str!("../../../demo/base/service.yaml"),
    ),
    (
        "base/autoscaler.yaml",
        include_str!("../../../demo/base/autoscaler.yaml"),
    ),
    (
        "production/kustomization.yaml",
        include_str!("../../../demo/production/kustomization.yaml"),
    ),
    (
        "production/namespace.yaml",
        include_str!("../../../demo/production/namespace.yaml"),
    ),
    (
        "production/definition.yaml",
        include_str!("../../../demo/production/definition.yaml"),
    ),
    (
        "production/opening-hours.yaml",
        include_str!("../../../demo/production/opening-hours.yaml"),
    ),
];

/// A cluster with a controller, and a repository with the sample configuration.
pub(super) struct Stage {
    // Dropped in this order: the controller before the cluster that it talks to.
    _controller: Controller,
    server: GitServer,
    pub(super) registry: Registry,
    cluster: Cluster,
    pub(super) repo: GitRepo,
    pub(super) client: Client,
    plugin: PathBuf,
}

impl Stage {
    /// Builds what is missing and starts everything.
    pub(super) async fn build(current: bool, directory: Option<PathBuf>) -> Result<Self> {
        say("Setting the stage\n")?;
        let plugin = tokio::task::spawn_blocking(|| {
            controller::executable()?;
            controller::plugin()
        });
        let plugin = timed("controller and plugin are built", async {
            plugin.await.context("build")?
        })
        .await?;
        let cluster = if current {
            Cluster::current()?
        } else {
            let options = Options {
                directory,
                ..Options::with_workloads()
            };
            timed(
                "etcd, API server, controllers, scheduler and two nodes run",
                Cluster::start(options),
            )
            .await?
        };
        let registry = tokio::task::spawn_blocking(Registry::start);
        let registry = timed("an image registry runs", async {
            registry.await.context("start the registry")?
        })
        .await?;
        let server = GitServer::start()?;
        let repo = server.create_repository(NAME)?;
        repo.push_files(FILES, "the shop opens")?;
        let controller = Controller::start_on(&cluster, controller::Options::default());
        let controller = timed("flux is installed, and its controller runs", controller).await?;
        let client = cluster.client().await?;
        Ok(Self {
            _controller: controller,
            server,
            registry,
            cluster,
            repo,
            client,
            plugin,
        })
    }

    pub(super) fn repositories(&self) -> Api<GitRepository> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    pub(super) fn syncs(&self) -> Api<Sync> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    /// Creates the two objects that make the cluster follow the repository.
    pub(super) async fn follow(&self) -> Result<()> {
        let source = GitRepositorySpec {
            url: self.server.http_url(NAME),
            reference: Some(GitReference {
                branch: Some("main".into()),
                ..GitReference::default()
            }),
            interval: Some("5s".into()),
            write: Some(Write {
                branch: "main".into(),
                author: None,
                message: None,
                signing_key: None,
            }),
            ..GitRepositorySpec::default()
        };
        let sync = SyncSpec {
            source_ref: SourceReference {
                name: NAME.into(),
                ..SourceReference::default()
            },
            path: Some("./production".into()),
            prune: Some(true),
            wait: Some(true),
            ..SyncSpec::default()
        };
        let parameters = PatchParams::apply("kubectl-flux").force();
        let repository = GitRepository::new(NAME, source);
        self.repositories()
            .patch(NAME, &parameters, &Patch::Apply(repository))
            .await
            .context("create the GitRepository")?;
        self.syncs()
            .patch(NAME, &parameters, &Patch::Apply(Sync::new(NAME, sync)))
            .await
            .context("create the Sync")?;
        Ok(())
    }

    pub(super) fn policies(&self) -> Api<ImagePolicy> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    /// Creates the object that keeps the image in git at its highest version.
    pub(super) async fn watch_image(&self, image: &str) -> Result<()> {
        let policy = ImagePolicySpec {
            image: image.to_owned(),
            insecure: Some(true),
            interval: Some("5s".into()),
            policy: Policy {
                semver: Some(SemverPolicy {
                    range: ">=1.0.0".into(),
                }),
                ..Policy::default()
            },
            update: vec![Update {
                repository: RepositoryReference { name: NAME.into() },
                path: Some("./production".into()),
                strategy: None,
            }],
            ..ImagePolicySpec::default()
        };
        let parameters = PatchParams::apply("kubectl-flux").force();
        self.policies()
            .patch(
                NAME,
                &parameters,
                &Patch::Apply(ImagePolicy::new(NAME, policy)),
            )
            .await
            .context("create the ImagePolicy")?;
        Ok(())
    }

    /// Returns what a person can do next.
    pub(super) fn how_to_explore(&self) -> String {
        format!(
            "
Everything stays up; Ctrl-C ends it all. In another terminal:

  export KUBECONFIG={kubeconfig}
  export PATH={plugin}:$PATH
  kubectl-flux get --all-namespaces
  kubectl-flux tree sync {NAME} -n {CONTROLLER_NAMESPACE}

Change something, and see the cluster follow within 5 s:

  git clone {url} && cd {NAME}
  $EDITOR base/deployment.yaml && git commit -am 'my change' && git push
",
            kubeconfig = self.cluster.kubeconfig().display(),
            plugin = self.plugin.parent().unwrap_or(&self.plugin).display(),
            url = self.server.http_url(NAME),
        )
    }
}
