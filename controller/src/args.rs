//! Flags and environment of the controller: read here and nowhere else.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Keep Kubernetes clusters equal to git: reconciles `GitRepository`, `Sync` and `ImagePolicy` objects
#[derive(Debug, Parser)]
#[command(name = "flux-controller", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Kubeconfig file; without it the environment's, then the pod's own service account
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Namespace the controller runs in: Syncs here without a service account act as flux-admin
    #[arg(
        long,
        env = "POD_NAMESPACE",
        default_value = "flux-system",
        value_name = "NAMESPACE"
    )]
    pub runtime_namespace: String,
    /// Name of this cluster in notifications and commit statuses
    #[arg(long, env = "CLUSTER_NAME", default_value = "", value_name = "NAME")]
    pub cluster_name: String,
    /// Reconcile objects of this namespace only, instead of all namespaces
    #[arg(long, value_name = "NAMESPACE")]
    pub watch_namespace: Option<String>,
    /// Directory for the git object stores; a cache that may be deleted at any time
    #[arg(long, default_value = "/data", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,
    /// Address of /metrics
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub metrics_addr: SocketAddr,
    /// Address of /healthz and /readyz
    #[arg(long, default_value = "0.0.0.0:9440", value_name = "ADDRESS")]
    pub health_addr: SocketAddr,
    /// Address of the webhook server, which git servers and registries call
    #[arg(long, default_value = "0.0.0.0:9292", value_name = "ADDRESS")]
    pub webhook_address: SocketAddr,
    /// Form of the log lines
    #[arg(long, value_enum, default_value_t = LogFormat::Json, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Which log lines to write, as a tracing filter such as `info` or `flux_controller=debug`
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub log_level: String,
    /// Syncs that build and apply at the same time; waiting for health does not count
    #[arg(long, default_value_t = 8, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrent: u16,
    /// Allow GitRepository URLs with http://
    #[arg(long)]
    pub allow_http_repositories: bool,
    /// Allow GitRepository URLs with file://
    #[arg(long)]
    pub allow_file_repositories: bool,
    /// Fetch bases that kustomizations name in other git repositories, over https and ssh, pinned by ref; without it they are
    /// refused. They are fetched without credentials
    #[arg(long)]
    pub allow_remote_bases: bool,
    /// Run without a leader election Lease, for a single instance outside a cluster
    #[arg(long)]
    pub no_leader_election: bool,
    /// Time that running reconciles get to finish after SIGTERM, in seconds
    #[arg(long, default_value = "20", value_name = "SECONDS", value_parser = seconds)]
    pub shutdown_grace: Duration,
}

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}
