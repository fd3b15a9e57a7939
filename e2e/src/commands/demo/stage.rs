//! Everything that the story is played on: cluster, git server, controller.

use std::path::PathBuf;

use anyhow::{Context, Result};
use flux_crds::{
    GitRepository, GitRepositorySpec, Sync, SyncSpec, git_repository::GitReference,
    names::CONTROLLER_NAMESPACE, sync::SourceReference,
};
use flux_e2e::{Cluster, Controller, GitRepo, GitServer, Options, controller};
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
        let server = GitServer::start()?;
        let repo = server.create_repository(NAME)?;
        repo.push_files(FILES, "the shop opens")?;
        let controller = Controller::start_on(&cluster, controller::Options::default());
        let controller = timed("flux is installed, and its controller runs", controller).await?;
        let client = cluster.client().await?;
        Ok(Self {
            _controller: controller,
            server,
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
