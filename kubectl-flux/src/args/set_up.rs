//! The verbs about the installation itself.

use super::{DryRun, Patience, read_duration as duration};
use crate::output::Format;
use clap::{Args, ValueEnum};

/// Put the controller into the cluster, or print what that would apply
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux install
  kubectl flux install --export > flux.yaml")]
pub(crate) struct InstallArgs {
    /// Print YAML instead of applying it; needs no cluster
    #[arg(long)]
    pub(crate) export: bool,
    /// Only say what would change: "client" asks nobody, "server" asks the API server
    #[arg(long, value_enum, value_name = "WHERE", num_args = 0..=1, default_missing_value = "client", require_equals = true, conflicts_with = "export")]
    pub(crate) dry_run: Option<DryRun>,
    /// Image of the controller, as NAME[:TAG][@DIGEST]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Take the controller out of the cluster and leave the workloads
///
/// All GitRepositories, Syncs and ImagePolicies are deleted. What the syncs applied stays as it is.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Only say what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave the namespace flux-system and whatever else is in it
    #[arg(long)]
    pub(crate) keep_namespace: bool,
    /// How long to wait
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    pub(crate) timeout: std::time::Duration,
}

/// See whether the cluster and the controller are well
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// See only whether the cluster is fit for an installation
    #[arg(long)]
    pub(crate) pre: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Print the versions of this plugin and of the controller
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Print only the version of this plugin; needs no cluster
    #[arg(long)]
    pub(crate) client: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Print a completion script
#[derive(Debug, Args)]
#[command(after_help = "\
With \"kubectl\" it is the executable that lets kubectl itself complete \"kubectl flux …\"; put it into the PATH:
  kubectl flux completion kubectl > /usr/local/bin/kubectl_complete-flux
  chmod +x /usr/local/bin/kubectl_complete-flux")]
pub(crate) struct CompletionArgs {
    /// For what
    #[arg(value_enum)]
    pub(crate) shell: CompletionShell,
}

/// What a completion script can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionShell {
    /// kubectl's own completion of plugins, in any shell
    Kubectl,
    /// kubectl-flux in bash
    Bash,
    /// kubectl-flux in zsh
    Zsh,
    /// kubectl-flux in fish
    Fish,
    /// kubectl-flux in PowerShell
    #[value(name = "powershell")]
    PowerShell,
}
