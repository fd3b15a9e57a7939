//! A cluster to work on: our own, or the one that the user's kubeconfig points at.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail};
use kube::Client;

use crate::{ControlPlane, Options};

/// A cluster with its administrator's kubeconfig.
#[derive(Debug, Clone)]
pub enum Cluster {
    /// A control plane that we have started and will stop.
    Own(Arc<ControlPlane>),
    /// A cluster that was there before and stays.
    Current(PathBuf),
}

impl Cluster {
    /// Starts a control plane.
    pub async fn start(options: Options) -> Result<Self> {
        Ok(Self::Own(Arc::new(ControlPlane::start(options).await?)))
    }

    /// Uses the cluster of `KUBECONFIG`, or of `~/.kube/config` (`--use-current-cluster`).
    pub fn current() -> Result<Self> {
        let given = std::env::var_os("KUBECONFIG")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
        let Some(path) = given.or(home) else {
            bail!("neither KUBECONFIG nor HOME is set: there is no current cluster")
        };
        if !path.is_file() {
            bail!(
                "there is no current cluster: {} is not a file (KUBECONFIG must name one)",
                path.display()
            );
        }
        Ok(Self::Current(path))
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        match self {
            Self::Own(control_plane) => control_plane.kubeconfig(),
            Self::Current(path) => path.clone(),
        }
    }

    /// Returns a new client as administrator, bound to the current runtime.
    pub async fn client(&self) -> Result<Client> {
        crate::control_plane::client(&self.kubeconfig())
            .await
            .context("connect to the cluster")
    }

    /// The control plane, if it is ours.
    pub fn control_plane(&self) -> Option<&ControlPlane> {
        match self {
            Self::Own(control_plane) => Some(control_plane),
            Self::Current(_) => None,
        }
    }
}
