//! A controller whose API server and git server fail it, and which is killed on the way.
//!
//! ```text
//!  ControlPlane ◄── Door (resets, delays, truncates, refuses) ◄── Controller (SIGKILL) ──► GitServer (fails, cuts, is slow)
//!       ▲                                                                                       ▲
//!       └── losses: what is gone that was never ours, what is ours and in no inventory          │
//!  Run: a seed ──► revisions, faults, kills; after each round the cluster must equal git ───────┘
//! ```
//!
//! End-to-end tests put a controller to it, and `flux-e2e bench faults` does with any seed.

mod chance;
mod losses;
mod run;
mod stage;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use flux_crds::{GitRepository, Sync};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _, api::ListParams};

use crate::{
    ControlPlane, Controller, GitRepo, GitServer, Options, TestNamespace, control_plane::Door,
    controller, install, reconcile,
};

pub use losses::{Losses, inventory};
pub use run::{Report, Run};

/// The name of the Sync that is watched.
pub const SYNC: &str = "apps";
/// The name of its GitRepository.
pub const SOURCE: &str = "fleet";
/// ConfigMaps that look like ours and are in no inventory.
const STRANGERS: [&str; 2] = ["stranger", FORGED];
/// The one of them that has our labels.
const FORGED: &str = "forged";

/// A control plane behind a door, a controller and a git server; one Sync applies all of one repository.
pub struct Ordeal {
    // Dropped in this order: the controller before what it talks to.
    /// The controller, which comes in by the door.
    pub controller: Controller,
    /// What its requests have to pass.
    pub door: Door,
    /// What it fetches from.
    pub server: GitServer,
    /// Where all objects are.
    pub namespace: Arc<TestNamespace>,
    /// What is pushed.
    pub repo: GitRepo,
    /// The API server and all behind it, for who does not come in by the door.
    pub control_plane: Arc<ControlPlane>,
}

impl Ordeal {
    /// Starts everything; the repository is empty, and all is well so far.
    pub async fn begin() -> Result<Self> {
        let control_plane = Arc::new(ControlPlane::start(Options::default()).await?);
        install::prerequisites(&control_plane.client().await?).await?;
        let door = control_plane
            .door(install::CONTROLLER_USER, Some("system:serviceaccounts"))
            .await?;
        let server = GitServer::start()?;
        // A killed leader would hold its lease for a while.
        let options = controller::Options::default().with_flag("--no-leader-election");
        let controller = Controller::start_with(door.kubeconfig(), options).await?;
        let namespace = Arc::new(TestNamespace::create(&control_plane).await?);
        let repo = server.create_repository(namespace.name())?;
        repo.push_files(&[("README.md", "nothing yet")], "begin")?;
        stage::set(&namespace, &server.http_url(namespace.name())).await?;
        Ok(Self {
            controller,
            door,
            server,
            namespace,
            repo,
            control_plane,
        })
    }

    /// The Syncs of the namespace.
    pub fn syncs(&self) -> Api<Sync> {
        self.namespace.api()
    }

    /// Lets the controller see what was pushed, whenever it can.
    pub async fn announce(&self) -> Result<()> {
        let sources: Api<GitRepository> = self.namespace.api();
        reconcile::poke(&sources, SOURCE).await.map(drop)
    }

    /// Returns the `ConfigMaps` that were applied, and their values.
    pub async fn live(&self) -> Result<BTreeMap<String, String>> {
        let labelled = ListParams::default().labels(&format!("flux.rs/sync={SYNC}"));
        let maps: Api<ConfigMap> = self.namespace.api();
        let maps = maps.list(&labelled).await.context("list the ConfigMaps")?;
        let value = |map: &ConfigMap| map.data.as_ref()?.get("key").cloned();
        let live = maps
            .iter()
            .filter(|map| map.name_any() != FORGED)
            .map(|map| (map.name_any(), value(map).unwrap_or_default()));
        Ok(live.collect())
    }
}

/// Returns the manifest of a `ConfigMap` with one value.
pub fn map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: {value}\n")
}
