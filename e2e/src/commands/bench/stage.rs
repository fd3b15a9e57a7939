//! What is measured: a control plane without workloads, a repository of 3,000 small files, the controller.

use anyhow::{Context, Result};
use flux_crds::{
    GitRepository, GitRepositorySpec, Sync, SyncSpec, names::CONTROLLER_NAMESPACE,
    sync::SourceReference,
};
use flux_e2e::{ControlPlane, Controller, GitRepo, GitServer, Options, controller, wait};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

/// The name of repository and GitRepository, and of the namespace of what is applied.
pub(super) const NAME: &str = "bench";
/// The Sync with many objects.
pub(super) const ONE: &str = "one";
/// Objects of the one Sync.
pub(super) const OBJECTS: usize = 1000;
/// Small Syncs.
pub(super) const SYNCS: usize = 200;
/// Objects of each small Sync.
const OBJECTS_EACH: usize = 10;

/// Everything that runs while it is measured.
pub(super) struct Stage {
    // Dropped in this order: the controller before the cluster that it talks to.
    pub(super) controller: Controller,
    server: GitServer,
    pub(super) control_plane: ControlPlane,
    pub(super) repo: GitRepo,
    client: Client,
}

impl Stage {
    /// Starts everything, fills the repository, and waits until the controller serves it.
    pub(super) async fn build() -> Result<Self> {
        let control_plane = ControlPlane::start(Options::default()).await?;
        let server = GitServer::start()?;
        let repo = server.create_repository(NAME)?;
        fill(&repo)?;
        let controller = Controller::start(&control_plane, controller::Options::default()).await?;
        let client = control_plane.client().await?;
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(NAME.to_owned()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .context("create the namespace")?;
        let stage = Self {
            controller,
            server,
            control_plane,
            repo,
            client,
        };
        let source = GitRepositorySpec {
            url: stage.server.http_url(NAME),
            ..GitRepositorySpec::default()
        };
        stage
            .repositories()
            .create(&PostParams::default(), &GitRepository::new(NAME, source))
            .await
            .context("create the GitRepository")?;
        wait::until(&stage.repositories(), NAME, "is Ready", wait::is_ready).await?;
        Ok(stage)
    }

    pub(super) fn repositories(&self) -> Api<GitRepository> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    pub(super) fn syncs(&self) -> Api<Sync> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    pub(super) fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), NAME)
    }

    /// Changes one file, commits and pushes it; returns the commit.
    pub(super) fn change(&self, path: &str, name: &str, value: &str) -> Result<String> {
        self.repo.push_files(
            &[(&format!("{path}/{name}.yaml"), &config_map(name, value))],
            "change one",
        )
    }
}

/// Returns a Sync of a directory of the repository.
pub(super) fn sync(name: &str, path: &str) -> Sync {
    let spec = SyncSpec {
        source_ref: SourceReference {
            name: NAME.to_owned(),
            ..SourceReference::default()
        },
        path: Some(format!("./{path}")),
        ..SyncSpec::default()
    };
    Sync::new(name, spec)
}

/// The name of a small Sync.
pub(super) fn small(number: usize) -> String {
    format!("small-{number:03}")
}

/// The directory of a small Sync.
pub(super) fn small_path(number: usize) -> String {
    format!("many/{}", small(number))
}

/// The name of an object of a small Sync.
pub(super) fn small_object(sync: usize, number: usize) -> String {
    format!("small-{sync:03}-{number}")
}

/// The name of an object of the large Sync.
pub(super) fn object(number: usize) -> String {
    format!("one-{number:04}")
}

fn fill(repo: &GitRepo) -> Result<()> {
    let write = |path: &str, name: &str| {
        repo.write(&format!("{path}/{name}.yaml"), config_map(name, "first"))
    };
    for number in 0..OBJECTS {
        write(ONE, &object(number))?;
    }
    for sync in 0..SYNCS {
        for number in 0..OBJECTS_EACH {
            write(&small_path(sync), &small_object(sync, number))?;
        }
    }
    repo.commit_and_push("3,000 files").map(drop)
}

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {NAME}
  labels:
    app.kubernetes.io/name: {name}
data:
  value: {value}
  log.level: info
  endpoint: https://{name}.example.org/api
"
    )
}
