//! Connections to the clusters that `spec.kubeConfig` of Syncs names: one a Secret and state of it, shared by all Syncs that
//! name it, and gone with the last of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use flux_core::kubeconfig::KubeConfig;
use flux_engine::cluster::remote::{Unusable, connect};
use flux_engine::cluster::term::Term;
use flux_engine::cluster::{Actor, Cluster, Connection};
use flux_engine::inputs::Version;

use crate::key::Key;

/// Names a kubeconfig: the Secret, and the key in it if the Sync names one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    /// The Secret.
    pub(crate) secret: Key,
    /// The key of it.
    pub(crate) key: Option<String>,
}

/// Another cluster. The connection lasts as long as somebody holds this.
pub(crate) struct Remote {
    connection: Connection,
    digest: String,
    clusters: Mutex<HashMap<Actor, Cluster>>,
}

impl Remote {
    /// Returns the connection with the identity of the kubeconfig itself.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns which cluster it is, as a digest.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the cluster through the rights of `actor`.
    pub(crate) fn cluster(&self, actor: Actor) -> Cluster {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        clusters
            .entry(actor)
            .or_insert_with_key(|actor| self.connection.acting_as(actor.clone()))
            .clone()
    }
}

/// All other clusters.
pub(crate) struct Remotes {
    term: Term,
    known: Mutex<HashMap<Source, (Version, Weak<Remote>)>>,
}

impl Remotes {
    /// Returns none yet; all will be written to within `term` only.
    pub(crate) fn new(term: Term) -> Self {
        Self {
            term,
            known: Mutex::default(),
        }
    }

    /// Returns the cluster of a kubeconfig that the caller has just read: nobody comes to a connection by naming a Secret
    /// that it may not read.
    pub(crate) async fn of(
        &self,
        source: Source,
        version: Version,
        kubeconfig: &KubeConfig,
    ) -> Result<Arc<Remote>, Unusable> {
        if let Some(remote) = self.known(&source, &version) {
            return Ok(remote);
        }
        let remote = Arc::new(Remote {
            connection: connect(kubeconfig, &self.term).await?,
            digest: kubeconfig.cluster(),
            clusters: Mutex::default(),
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, remote)| remote.strong_count() > 0);
        known.insert(source, (version, Arc::downgrade(&remote)));
        Ok(remote)
    }

    fn known(&self, source: &Source, version: &Version) -> Option<Arc<Remote>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, remote) = known.get(source)?;
        remote.upgrade().filter(|_| state == version)
    }
}
