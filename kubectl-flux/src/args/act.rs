//! The verbs that change the state of existing objects.

use super::{DryRun, read_duration as duration};
use clap::{Args, ValueEnum};

/// Which objects a verb acts on.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// KIND NAME or KIND/NAME; kinds are git, sync and image, and all with --all
    #[arg(value_name = "KIND [NAME]", required = true)]
    pub(crate) resources: Vec<String>,
    /// Act on all objects of the kind in the namespace
    #[arg(long)]
    pub(crate) all: bool,
    /// Look into all namespaces, with --all
    #[arg(short = 'A', long, requires = "all")]
    pub(crate) all_namespaces: bool,
}

/// How long a person waits for the end.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// Do not wait for the end
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    pub(crate) timeout: std::time::Duration,
}

/// Reconcile now, and show what changed
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 all are ready, 1 something failed or did not end in time.

Examples:
  kubectl flux reconcile sync apps --with-source
  kubectl flux sync --all git")]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
    /// Reconcile the source first
    #[arg(long)]
    pub(crate) with_source: bool,
    /// Apply every object of a Sync, also those that seem unchanged, and put back what others changed whatever spec.drift says
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Stop reconciling
#[derive(Debug, Args)]
pub(crate) struct SuspendArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
}

/// Go on reconciling, and show what changed
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Return to an earlier revision and stay there until resumed
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 the sync is ready at that revision, 1 it is not.

Examples:
  kubectl flux rollback sync apps
  kubectl flux rollback sync apps --to 5f701c1
  kubectl flux resume sync apps")]
pub(crate) struct RollbackArgs {
    /// sync NAME, sync/NAME or NAME
    #[arg(value_name = "[sync] NAME", required = true, num_args = 1..=2)]
    pub(crate) subject: Vec<String>,
    /// Revision of the history, or the beginning of its commit id [default: the one before]
    #[arg(long, value_name = "REVISION")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Delete objects
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
    /// Only say what would be deleted: "client" asks nobody, "server" asks the API server
    #[arg(long, value_enum, value_name = "WHERE", num_args = 0..=1, default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: Option<DryRun>,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Wait until objects are ready
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t, value_name = "STATE")]
    pub(crate) state: AwaitedState,
    /// How long to wait
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    pub(crate) timeout: std::time::Duration,
}

/// A state that can be waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AwaitedState {
    /// Ready is True for the current generation
    #[default]
    #[value(alias = "condition=Ready")]
    Ready,
    /// The object is gone
    #[value(aliases = ["delete", "gone"])]
    Deleted,
}
