//! What all reconciles share.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use flux_core::hash;
use flux_crds::{GitRepository, ImagePolicy, Sync};
use flux_engine::cluster::{Actor, Cluster, Connection};
use flux_engine::git::Bases;
use kube::Client;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::claims::Claims;
use crate::key::Key;
use crate::metrics::Metrics;
use crate::notify::Notices;
use crate::references::References;
use crate::registry::Registry;
use crate::remotes::Remotes;
use crate::sources::Sources;
use crate::status::Publisher;
use crate::turns::{Turns, Work};
use crate::updates::Updates;
use crate::watches::Watches;
use crate::webhook::Hooks;

/// Status writes without news that are under way at once.
const BOOKKEEPING_AT_ONCE: usize = 2;
/// Status writes that somebody waits for, though nothing changed, that are under way at once.
const ECHOES_AT_ONCE: usize = 8;
/// Git operations under way at once: each holds a thread, and some of those in `main.rs` must be left.
const FETCHES_AT_ONCE: usize = 32;
/// Those of one server: others need not wait for one that hangs.
const FETCHES_OF_ONE: usize = 8;

/// What the flags decide.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The controller's own namespace.
    pub(crate) runtime_namespace: String,
    /// Directory of the git object stores.
    pub(crate) data_dir: PathBuf,
    /// The name of this cluster for people; may be empty.
    pub(crate) cluster_name: String,
    /// Syncs that build and apply at once.
    pub(crate) concurrent: u16,
}

/// The ways out of the process.
pub(crate) struct Connections {
    /// To our own API server.
    pub(crate) client: Client,
    /// To the same, for what Syncs do.
    pub(crate) targets: Connection,
    /// To other clusters.
    pub(crate) remotes: Remotes,
    /// To git servers.
    pub(crate) git: flux_engine::git::Client,
    /// To other repositories that kustomizations name, if the operator allows it.
    pub(crate) bases: Option<Bases>,
}

/// What all reconciles share.
pub(crate) struct Context {
    /// Client with the controller's own rights: for our own kinds, Secrets and events, never for target objects.
    pub(crate) client: Client,
    /// The flags.
    pub(crate) options: Options,
    /// All Syncs.
    pub(crate) syncs: Arc<Registry<Sync>>,
    /// All repositories.
    pub(crate) repositories: Arc<Registry<GitRepository>>,
    /// All image policies.
    pub(crate) policies: Arc<Registry<ImagePolicy>>,
    /// What the policies want written.
    pub(crate) updates: Updates,
    /// The way to registries.
    pub(crate) registries: flux_engine::registry::Client,
    /// What the repositories serve.
    pub(crate) sources: Sources,
    /// Paths of the webhook server.
    pub(crate) hooks: Hooks,
    /// Watches of what Syncs refer to.
    pub(crate) references: References,
    /// Other clusters.
    pub(crate) remotes: Remotes,
    /// Watches of what Syncs applied.
    pub(crate) watches: Watches,
    /// Which object belongs to which Sync.
    pub(crate) claims: Claims,
    /// The figures.
    pub(crate) metrics: Arc<Metrics>,
    /// Publishes events.
    pub(crate) events: Publisher,
    /// Tells people and other systems.
    pub(crate) notices: Notices,
    /// Held by whoever builds and applies, not by whoever waits.
    pub(crate) work: Work,
    /// Held for status writes that can wait.
    pub(crate) bookkeeping: Semaphore,
    /// Held for status writes that bring no change, but the token of somebody who waits.
    pub(crate) echoes: Semaphore,
    /// Held by builds, as many at once as there are processors: more would only be more threads.
    pub(crate) builds: Semaphore,
    /// Held by git operations, by the name of the server.
    pub(crate) fetches: Turns,
    /// Cancelled when the process shall end.
    pub(crate) shutdown: CancellationToken,
    /// The way to git servers.
    pub(crate) git: flux_engine::git::Client,
    /// The way to other repositories that kustomizations name; none if that is not allowed.
    pub(crate) bases: Option<Bases>,
    hash_key: OnceLock<hash::Key>,
    targets: Connection,
    clusters: Mutex<HashMap<Actor, Cluster>>,
}

impl Context {
    /// Returns the context of a controller.
    pub(crate) fn new(
        connections: Connections,
        options: Options,
        events: Publisher,
        shutdown: CancellationToken,
    ) -> Self {
        let Connections {
            client,
            targets,
            remotes,
            git,
            bases,
        } = connections;
        let metrics = Arc::<Metrics>::default();
        let notices = Notices::new(Arc::clone(&metrics), events.clone(), shutdown.clone());
        Self {
            client,
            syncs: Arc::default(),
            repositories: Arc::default(),
            policies: Arc::default(),
            updates: Updates::default(),
            registries: flux_engine::registry::Client::new(
                flux_engine::registry::Options::default(),
            ),
            sources: Sources::default(),
            hooks: Hooks::default(),
            references: References::default(),
            remotes,
            watches: Watches::default(),
            claims: Claims::default(),
            metrics,
            events,
            notices,
            work: Work::new(options.concurrent.into()),
            bookkeeping: Semaphore::new(BOOKKEEPING_AT_ONCE),
            echoes: Semaphore::new(ECHOES_AT_ONCE),
            builds: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            fetches: Turns::new(FETCHES_AT_ONCE, FETCHES_OF_ONE),
            shutdown,
            git,
            bases,
            hash_key: OnceLock::new(),
            targets,
            clusters: Mutex::default(),
            options,
        }
    }

    /// Keeps the key of the hashes in the status.
    pub(crate) fn keep(&self, key: hash::Key) {
        // Whoever comes first has it: all hashes of one process must have one key.
        self.hash_key.get_or_init(|| key);
    }

    /// Returns the hash of a manifest as the status may show it.
    pub(crate) fn seal(&self, hash: u64) -> u64 {
        self.hash_key.get().map_or(hash, |key| key.seal(hash))
    }

    /// Returns our own cluster through the rights of `actor`.
    pub(crate) fn cluster(&self, actor: Actor) -> Cluster {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        clusters
            .entry(actor)
            .or_insert_with_key(|actor| self.targets.acting_as(actor.clone()))
            .clone()
    }

    /// Returns a number in 0..1 that is always the same for an object and differs between objects.
    pub(crate) fn jitter(key: &Key) -> f64 {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        f64::from(u16::try_from(hasher.finish() % 1000).unwrap_or(0)) / 1000.0
    }
}
