//! What is measured: Syncs with many objects of three kinds.

use std::ops::Range;

use anyhow::{Context, Result};
use flux_crds::{
    GitRepository, GitRepositorySpec, Sync, SyncSpec, names::CONTROLLER_NAMESPACE,
    sync::SourceReference,
};
use flux_e2e::{
    ControlPlane, Controller, GitRepo, GitServer, Options, controller, reconcile, wait,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use super::Arguments;

/// The name of repository, GitRepository and namespace.
pub(super) const NAME: &str = "bench";

/// Everything that runs while it is measured.
pub(super) struct Stage {
    // Dropped in this order: the controller before the cluster that it talks to.
    pub(super) controller: Controller,
    _server: GitServer,
    repo: GitRepo,
    pub(super) control_plane: ControlPlane,
    pub(super) client: Client,
}

impl Stage {
    /// Starts everything and waits until each Sync has applied one object.
    pub(super) async fn build(arguments: &Arguments) -> Result<Self> {
        let control_plane = ControlPlane::start(Options::default()).await?;
        let server = GitServer::start()?;
        let repo = server.create_repository(NAME)?;
        let first = write(&repo, arguments, 0..arguments.syncs)?;
        let controller = Controller::start(&control_plane, controller::Options::default()).await?;
        let client = control_plane.client().await?;
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(NAME.to_owned()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let created = Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await;
        created.context("create the namespace")?;
        let source = GitRepositorySpec {
            url: server.http_url(NAME),
            ..GitRepositorySpec::default()
        };
        let repositories: Api<GitRepository> =
            Api::namespaced(client.clone(), CONTROLLER_NAMESPACE);
        let source = GitRepository::new(NAME, source);
        let created = repositories.create(&PostParams::default(), &source).await;
        created.context("create the GitRepository")?;
        wait::until(&repositories, NAME, "is Ready", wait::is_ready).await?;
        let stage = Self {
            controller,
            _server: server,
            repo,
            control_plane,
            client,
        };
        stage.create_syncs(arguments).await?;
        stage.applied(arguments, &first).await?;
        Ok(stage)
    }

    /// Applies all objects.
    pub(super) async fn fill(&self, arguments: &Arguments) -> Result<()> {
        let all = write(&self.repo, arguments, 0..arguments.objects)?;
        let repositories: Api<GitRepository> =
            Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE);
        reconcile::now(&repositories, NAME).await?;
        self.applied(arguments, &all).await
    }

    async fn create_syncs(&self, arguments: &Arguments) -> Result<()> {
        let syncs = self.syncs();
        for number in 0..arguments.syncs {
            let spec = SyncSpec {
                source_ref: SourceReference {
                    name: NAME.to_owned(),
                    ..SourceReference::default()
                },
                path: Some(format!("./{number}")),
                ..SyncSpec::default()
            };
            let sync = Sync::new(&format!("sync-{number}"), spec);
            let created = syncs.create(&PostParams::default(), &sync).await;
            created.context("create a Sync")?;
        }
        Ok(())
    }

    async fn applied(&self, arguments: &Arguments, commit: &str) -> Result<()> {
        for number in 0..arguments.syncs {
            reconcile::applied(&self.syncs(), &format!("sync-{number}"), commit).await?;
        }
        Ok(())
    }

    fn syncs(&self) -> Api<Sync> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }
}

/// Pushes objects, and returns the commit.
fn write(repo: &GitRepo, arguments: &Arguments, numbers: Range<usize>) -> Result<String> {
    for number in numbers {
        let path = format!("{}/{}.yaml", number % arguments.syncs, name(number));
        repo.write(&path, manifest(number))?;
    }
    repo.commit_and_push("objects")
}

/// Every fifth object has a status.
pub(super) fn has_status(number: usize) -> bool {
    number.is_multiple_of(5)
}

/// The name of an object.
pub(super) fn name(number: usize) -> String {
    format!("object-{number:05}")
}

fn manifest(number: usize) -> String {
    let name = name(number);
    if has_status(number) {
        return format!(
            "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {NAME}, labels: {{app: {name}}}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: main
          image: registry.example.org/app:1.2.3
          env: [{{name: MODE, value: production}}]
          resources: {{requests: {{cpu: 10m, memory: 16Mi}}}}
"
        );
    }
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: {NAME}, labels: {{app: {name}}}}}
data:
  value: first
  log.level: info
  endpoint: https://{name}.example.org/api
"
    )
}
