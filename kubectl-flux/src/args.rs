//! The grammar: `kubectl flux VERB [KIND] [NAME] [flags]`. Flags and environment are read here and nowhere else.

#![allow(
    clippy::doc_markdown,
    reason = "the comments are help texts, and backticks would be printed"
)]

mod act;
mod create;
mod image;
mod read;
mod release;
mod set_up;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand};
use flux_crds::Duration;

pub(crate) use act::{
    AwaitedState, DeleteArgs, Patience, ReconcileArgs, ResumeArgs, RollbackArgs, SuspendArgs,
    TargetArgs, WaitArgs,
};
pub(crate) use create::{
    CreateCommand, CreateGitArgs, CreateImageArgs, CreateSecretArgs, CreateSyncArgs,
    CreateTenantArgs, DryRun, WriteArgs,
};
pub(crate) use image::{ImagesArgs, WorkloadsArgs};
pub(crate) use read::{
    BuildArgs, BuildFormat, DiffArgs, DriftArgs, EventsArgs, ExportArgs, GetArgs, HistoryArgs,
    LoadRestrictorArg, OrderArg, RemoteArgs, TreeArgs,
};
pub(crate) use release::{AnnotateArgs, CommitArgs, LockArgs, PolicyArgs, ReleaseArgs};
pub(crate) use set_up::{
    CheckArgs, CompletionArgs, CompletionShell, InstallArgs, UninstallArgs, VersionArgs,
};

/// GitOps for Kubernetes: create, see and act on GitRepositories, Syncs and ImagePolicies
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-flux",
    bin_name = "kubectl flux",
    version,
    max_term_width = 100
)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The grammar of `build` alone.
#[derive(Debug, Parser)]
struct BuildCli {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: OnlyBuild,
}

#[derive(Debug, Subcommand)]
enum OnlyBuild {
    Build(BuildArgs),
}

impl Cli {
    /// Reads the command line of the process; ends it where that is wrong.
    pub(crate) fn of_the_process() -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        Self::of_a_build(&words).unwrap_or_else(Self::parse)
    }

    /// Reads the words of a build if nothing is wrong with them.
    ///
    /// To set up the whole grammar takes longer than many a build, and builds run on keystrokes.
    fn of_a_build(words: &[OsString]) -> Option<Self> {
        if words.get(1)? != "build" {
            return None;
        }
        let BuildCli {
            connection,
            command: OnlyBuild::Build(args),
        } = BuildCli::try_parse_from(words).ok()?;
        Some(Self {
            connection,
            command: Command::Build(args),
        })
    }
}

/// Which cluster, as whom, in which namespace.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Namespace to work in [default: that of the context]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Kubeconfig to use [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<std::path::PathBuf>,
    /// User to act as
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) impersonate: Option<String>,
    /// Group to act as; can be given more than once
    #[arg(
        long = "as-group",
        global = true,
        value_name = "GROUP",
        requires = "impersonate"
    )]
    pub(crate) impersonate_groups: Vec<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one value in the life of the process"
)]
pub(crate) enum Command {
    /// Put the controller into the cluster, or print what that would apply
    Install(InstallArgs),
    /// Take the controller out of the cluster and leave the workloads
    Uninstall(UninstallArgs),
    /// See whether the cluster and the controller are well
    Check(CheckArgs),
    /// Print the versions of this plugin and of the controller
    Version(VersionArgs),
    /// Print a completion script
    Completion(CompletionArgs),
    /// Create a source, a sync, an image policy, credentials or a tenant from flags
    #[command(subcommand)]
    Create(CreateCommand),
    /// Delete objects
    Delete(DeleteArgs),
    /// Print objects as YAML that can be committed and applied again
    Export(ExportArgs),
    /// Show objects and their state
    Get(GetArgs),
    /// Show what a sync applied, and how it fares
    Tree(TreeArgs),
    /// Show the revisions of a sync and how they ended, newest first
    History(HistoryArgs),
    /// Show what in the cluster differs from what syncs applied, and who did it
    Drift(DriftArgs),
    /// Show the events of objects
    Events(EventsArgs),
    /// Wait until objects are ready
    Wait(WaitArgs),
    /// Reconcile now, and show what changed
    #[command(visible_alias = "sync")]
    Reconcile(ReconcileArgs),
    /// Stop reconciling
    Suspend(SuspendArgs),
    /// Go on reconciling, and show what changed
    Resume(ResumeArgs),
    /// Return to an earlier revision and stay there until resumed
    Rollback(RollbackArgs),
    /// Show workloads, their images, and what is decided about them
    Workloads(WorkloadsArgs),
    /// Show the images that workloads could run, newest first
    Images(ImagesArgs),
    /// Let workloads run other images, by a commit to git
    Release(ReleaseArgs),
    /// Let the images of workloads be updated, by a commit to git
    Automate(AnnotateArgs),
    /// Stop updates of the images of workloads, by a commit to git
    Deautomate(AnnotateArgs),
    /// Hold the images of workloads, by a commit to git
    Lock(LockArgs),
    /// Let the images of workloads go again, by a commit to git
    Unlock(LockArgs),
    /// Change what is decided about workloads, by a commit to git
    Policy(PolicyArgs),
    /// Render a directory as the controller would, without a cluster
    Build(BuildArgs),
    /// Compare a directory with the cluster, as the controller would apply it
    Diff(DiffArgs),
    /// Print what could come next on the command line, for kubectl
    #[command(name = "__complete", hide = true)]
    Complete {
        /// The words so far; the last one is incomplete
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<std::ffi::OsString>,
    },
}

/// Reads how long to wait.
fn read_duration(text: &str) -> Result<std::time::Duration, String> {
    Duration::new(text).get().map_err(|error| error.to_string())
}

/// Reads a duration, so that a wrong one is a usage error.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = Duration::new(text);
    duration.get().map_err(|error| error.to_string())?;
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_means_the_same_by_its_own_grammar() {
        for line in [
            "kubectl-flux build .",
            "kubectl-flux build --reorder legacy a -n b --context c --explain",
            "kubectl-flux build -o json --load-restrictor LoadRestrictionsNone a",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let own = Cli::of_a_build(&words).expect("nothing is wrong with it");
            let whole = Cli::try_parse_from(&words).expect("nothing is wrong with it");
            assert_eq!(format!("{own:?}"), format!("{whole:?}"));
        }
    }

    #[test]
    fn what_is_no_build_or_is_wrong_is_left_to_the_whole_grammar() {
        for line in [
            "kubectl-flux",
            "kubectl-flux version",
            "kubectl-flux build --hepl",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(Cli::of_a_build(&words).is_none(), "{line}");
        }
    }
}
