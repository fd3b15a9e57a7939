//! What runs while images are measured: control plane, registry, git server, controller.

use std::time::Duration;

use anyhow::{Context, Result};
use flux_crds::{
    GitRepository, GitRepositorySpec, ImagePolicy, ImagePolicySpec,
    git_repository::{GitReference, Write},
    image_policy::{DigestMode, Policy, RepositoryReference, SemverPolicy, Update},
    names::CONTROLLER_NAMESPACE,
};
use flux_e2e::{
    ControlPlane, Controller, GitServer, Options, Registry, controller, registry, wait,
};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

/// Everything that runs while it is measured.
pub(super) struct Stage {
    // Dropped in this order: the controller before what it talks to.
    pub(super) controller: Controller,
    pub(super) registry: Registry,
    pub(super) server: GitServer,
    _control_plane: ControlPlane,
    client: Client,
}

impl Stage {
    /// Starts everything; the registry wants a token for each repository, as the public ones do.
    pub(super) async fn build() -> Result<Self> {
        let control_plane = ControlPlane::start(Options::default()).await?;
        let options = registry::Options {
            auth: registry::Auth::Token,
            ..registry::Options::default()
        };
        Ok(Self {
            registry: Registry::start_with(&options)?,
            server: GitServer::start()?,
            controller: Controller::start(&control_plane, controller::Options::default()).await?,
            client: control_plane.client().await?,
            _control_plane: control_plane,
        })
    }

    pub(super) fn policies(&self) -> Api<ImagePolicy> {
        Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE)
    }

    /// Creates a policy.
    pub(super) async fn create(&self, policy: &ImagePolicy) -> Result<()> {
        let created = self.policies().create(&PostParams::default(), policy).await;
        created.map(drop).context("create a policy")
    }

    /// Makes sure that there is a Secret for webhooks, and returns its name.
    pub(super) async fn webhook_secret(&self, token: &str) -> Result<String> {
        const NAME: &str = "webhook";
        let secret: Secret = serde_json::from_value(json!({
            "metadata": {"name": NAME}, "stringData": {"token": token},
        }))?;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE);
        let manager = PatchParams::apply("flux-e2e");
        let applied = secrets.patch(NAME, &manager, &Patch::Apply(&secret)).await;
        applied.context("apply the Secret of webhooks")?;
        Ok(NAME.to_owned())
    }

    /// Creates a GitRepository of the same name as that on the server, and waits until it is served.
    pub(super) async fn follow(&self, name: &str) -> Result<()> {
        let spec = GitRepositorySpec {
            url: self.server.http_url(name),
            reference: Some(GitReference {
                branch: Some("main".into()),
                ..GitReference::default()
            }),
            interval: Some("1h".into()),
            write: Some(Write {
                branch: "main".into(),
                author: None,
                message: None,
                signing_key: None,
            }),
            ..GitRepositorySpec::default()
        };
        let repositories: Api<GitRepository> =
            Api::namespaced(self.client.clone(), CONTROLLER_NAMESPACE);
        repositories
            .create(&PostParams::default(), &GitRepository::new(name, spec))
            .await
            .context("create the GitRepository")?;
        wait::until(&repositories, name, "is Ready", wait::is_ready).await?;
        Ok(())
    }

    /// CPU time of the controller so far, in seconds.
    pub(super) fn cpu(&self) -> Result<Duration> {
        Ok(self.controller.usage()?.cpu)
    }

    /// Resident memory of the controller, in megabytes.
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    pub(super) fn megabytes(&self) -> Result<f64> {
        Ok(self.controller.usage()?.resident as f64 / 1e6)
    }

    /// A policy that is written nowhere, for the highest version in a range.
    pub(super) fn policy(&self, name: &str, image: &str, range: &str) -> ImagePolicy {
        let spec = ImagePolicySpec {
            image: self.registry.name(image),
            interval: Some("1h".into()),
            insecure: Some(true),
            policy: Policy {
                semver: Some(SemverPolicy {
                    range: range.into(),
                }),
                ..Policy::default()
            },
            digest: Some(DigestMode::Never),
            ..ImagePolicySpec::default()
        };
        ImagePolicy::new(name, spec)
    }
}

/// Writes to a repository where a marker stands.
pub(super) fn update(repository: &str) -> Update {
    Update {
        repository: RepositoryReference {
            name: repository.into(),
        },
        path: None,
        strategy: None,
    }
}
