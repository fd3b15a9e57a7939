//! Wiring: connects, waits for the lease, follows the three kinds, and ends in good order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use flux_engine::cluster::term::Term;
use flux_engine::cluster::{Connection, remote};
use flux_engine::git::Bases;
use k8s_openapi::NamespaceResourceScope;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DeserializeGuard;
use kube::{Api, Client, Config, Resource};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::Args;
use crate::context::{Connections, Context, Options};
use crate::key::Key;
use crate::leader::Candidate;
use crate::registry::{Registry, Tasks, follow};
use crate::remotes::Remotes;
use crate::serve::{self, Endpoints};
use crate::status::Publisher;
use crate::{git_repository, hash_key, image_policy, sync, webhook};

/// The directory of repositories that kustomizations name, in that of all stores.
const BASES: &str = "remote-bases";

/// Runs the controller until SIGTERM or Ctrl-C, or until it loses its lease.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let config = config(args.kubeconfig.as_deref()).await?;
    let unguarded =
        remote::client(config).context("failed to set up the connection to the API server")?;
    let identity = identity();
    let candidate = (!args.no_leader_election)
        .then(|| Candidate::new(unguarded.clone(), &args.runtime_namespace, identity.clone()));
    let term = candidate
        .as_ref()
        .map_or_else(Term::endless, Candidate::term);
    let client = term.guard(unguarded);
    let shutdown = CancellationToken::new();
    let (events, send_events) = Publisher::new(client.clone(), &identity);
    tokio::spawn(send_events);
    let connections = connections(&args, &client, term)?;
    let context = Context::new(connections, options(&args), events, shutdown.clone());
    let context = Arc::new(context);
    let (ready, is_ready) = watch::channel(false);
    let endpoints = Arc::new(Endpoints {
        metrics: Arc::clone(&context.metrics),
        ready: is_ready,
    });
    for address in [args.metrics_addr, args.health_addr] {
        tokio::spawn(serve::serve(
            serve::bind(address).await?,
            Arc::clone(&endpoints),
        ));
    }
    let lead = serve_webhooks(args.webhook_address, &context).await?;
    tokio::spawn(end_on_signal(shutdown.clone()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %identity, "controller started");

    if let Some(candidate) = &candidate {
        // A candidate that waits is as ready as it can be: its successor must be able to roll out beside it.
        ready.send_replace(true);
        tokio::select! {
            () = candidate.acquire() => tracing::info!("lease acquired"),
            () = shutdown.cancelled() => return Ok(()),
        }
    }
    lead.send_replace(true);
    let tasks = TaskTracker::new();
    tokio::spawn(reconcile(
        Arc::clone(&context),
        tasks.clone(),
        args.watch_namespace.clone(),
        ready,
    ));
    let ended = until_end(candidate.as_ref(), &shutdown).await;
    shutdown.cancel();
    tasks.close();
    // Whoever has lost the lease can write nothing more, and has nothing to wait for.
    let grace = ended
        .as_ref()
        .map_or(Duration::ZERO, |()| args.shutdown_grace);
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        tracing::warn!(
            "reconciles still running at the end; they go on where they were after the next start"
        );
    }
    context.notices.drain().await;
    if let (Ok(()), Some(candidate)) = (&ended, &candidate) {
        candidate.release().await;
    }
    tracing::info!("controller stopped");
    ended
}

/// Returns when the process shall end, with an error if another instance is the reason.
async fn until_end(
    candidate: Option<&Candidate>,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let lost = async {
        match candidate {
            Some(candidate) => candidate.hold().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = lost => Err(anyhow::anyhow!("the lease was lost: another instance is at work")),
        () = shutdown.cancelled() => Ok(()),
    }
}

/// Starts the webhook server, which refuses all calls until it is told that this instance leads.
async fn serve_webhooks(
    address: SocketAddr,
    context: &Arc<Context>,
) -> anyhow::Result<watch::Sender<bool>> {
    let (lead, leads) = watch::channel(false);
    let listener = serve::bind(address).await?;
    tokio::spawn(webhook::serve(listener, Arc::clone(context), leads));
    Ok(lead)
}

async fn config(kubeconfig: Option<&Path>) -> anyhow::Result<Config> {
    let Some(path) = kubeconfig else {
        return Config::infer()
            .await
            .context("failed to find a cluster: no kubeconfig, and not in a pod");
    };
    let kubeconfig = Kubeconfig::read_from(path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .with_context(|| format!("failed to use {}", path.display()))
}

fn connections(args: &Args, client: &Client, term: Term) -> anyhow::Result<Connections> {
    let git = flux_engine::git::Client::new(flux_engine::git::Options {
        allow_http: args.allow_http_repositories,
        allow_file: args.allow_file_repositories,
        ..flux_engine::git::Options::default()
    });
    let git = git.context("failed to start the thread for git connections")?;
    let bases = args
        .allow_remote_bases
        .then(|| Bases::new(git.clone(), args.data_dir.join(BASES), None))
        .transpose()
        .context("failed to make the directory for remote bases")?;
    Ok(Connections {
        client: client.clone(),
        targets: Connection::new(client.clone()),
        remotes: Remotes::new(term),
        git,
        bases,
    })
}

fn options(args: &Args) -> Options {
    Options {
        runtime_namespace: args.runtime_namespace.clone(),
        data_dir: args.data_dir.clone(),
        cluster_name: args.cluster_name.clone(),
        concurrent: args.concurrent,
    }
}

/// Returns a name that differs between instances: the pod's name, which is its host name, and the process.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}_{}", host.trim(), std::process::id())
}

async fn end_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be handled");
            return;
        }
    }
    tracing::info!("shutting down");
    shutdown.cancel();
}

/// Follows the three kinds. No Sync starts before all Syncs are known, or it could claim what belongs to another; and nothing
/// that refers to a repository before all of those are known, or it would say that there is none.
async fn reconcile(
    context: Arc<Context>,
    tracker: TaskTracker,
    namespace: Option<String>,
    ready: watch::Sender<bool>,
) {
    let key = hash_key::load(&context.client, &context.options.runtime_namespace);
    tokio::select! {
        key = key => context.keep(key),
        () = context.shutdown.cancelled() => return,
    }
    let (all_syncs, mut syncs_listed) = watch::channel(false);
    let (all_repositories, mut repositories_listed) = watch::channel(false);
    let starting = Arc::clone(&context);
    let gates = [syncs_listed.clone(), repositories_listed.clone()];
    let sync_appeared = starter(&tracker, &context.syncs, move |key| {
        behind(gates.clone(), sync::run(Arc::clone(&starting), key))
    });
    let starting = Arc::clone(&context);
    let repository_appeared = starter(&tracker, &context.repositories, move |key| {
        git_repository::run(Arc::clone(&starting), key)
    });
    let starting = Arc::clone(&context);
    let gates = [repositories_listed.clone()];
    let policy_appeared = starter(&tracker, &context.policies, move |key| {
        behind(gates.clone(), image_policy::run(Arc::clone(&starting), key))
    });
    let adopting = Arc::clone(&context);
    let syncs_are_listed = move || {
        if !*all_syncs.borrow() {
            adopt_claims(&adopting);
            all_syncs.send_replace(true);
        }
    };
    let syncs = follow(
        api(&context, namespace.as_deref()),
        Arc::clone(&context.syncs),
        sync_appeared,
        syncs_are_listed,
    );
    let repositories = follow(
        api(&context, namespace.as_deref()),
        Arc::clone(&context.repositories),
        repository_appeared,
        move || {
            all_repositories.send_replace(true);
        },
    );
    let policies = follow(
        api(&context, namespace.as_deref()),
        Arc::clone(&context.policies),
        policy_appeared,
        || {},
    );
    let announce = async {
        let listed = syncs_listed.wait_for(|listed| *listed).await.is_ok()
            && repositories_listed.wait_for(|listed| *listed).await.is_ok();
        ready.send_replace(listed);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = syncs => {}
        () = repositories => {}
        () = policies => {}
        () = announce => {}
        () = context.shutdown.cancelled() => {}
    }
}

/// Runs a task when all gates are open.
async fn behind<const N: usize>(gates: [watch::Receiver<bool>; N], task: impl Future<Output = ()>) {
    for mut gate in gates {
        // The sender lives as long as the watch; without it the process ends.
        if gate.wait_for(|open| *open).await.is_err() {
            return;
        }
    }
    task.await;
}

/// Returns what starts a task for an object of a kind when it appears.
fn starter<K, F>(
    tracker: &TaskTracker,
    registry: &Arc<Registry<K>>,
    task: impl Fn(Key) -> F + Clone + Send + 'static,
) -> impl FnMut(Key)
where
    K: Send + std::marker::Sync + 'static,
    F: Future<Output = ()> + Send,
{
    // A starter of its own for each kind: objects of two kinds may have the same name.
    let (tasks, registry) = (Tasks::new(tracker.clone()), Arc::clone(registry));
    move |key| tasks.start(Arc::clone(&registry), key, task.clone())
}

fn api<K>(context: &Context, namespace: Option<&str>) -> Api<DeserializeGuard<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    }
}

/// Fills the claims from what all Syncs hold already.
fn adopt_claims(context: &Context) {
    for sync in context.syncs.all() {
        let ids = sync::claimed(&sync);
        let key = Key::of(&sync.metadata);
        context.claims.settle(&key, sync::place(&sync));
        for id in &ids {
            // One that another Sync holds is no reason to lose the rest.
            context.claims.claim(&key, std::iter::once(id));
        }
    }
}
