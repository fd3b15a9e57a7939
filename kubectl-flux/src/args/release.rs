//! The daily work with workloads, in the words of Flux v1: each of these verbs makes a commit.

#![allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]

use clap::{ArgGroup, Args};
use flux_crds::git_repository::Author;

use super::{
    create::{author, pair},
    read_duration as duration,
};

/// Whose commit it is, and what it says.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Commit")]
pub(crate) struct CommitArgs {
    /// First line of the commit's message [default: what changes]
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Author of the commit, as "NAME <E-MAIL>" [default: that of your git configuration]
    #[arg(long, value_parser = author, value_name = "AUTHOR")]
    pub(crate) user: Option<Author>,
    /// How long reading and pushing may take
    #[arg(long, value_parser = duration, default_value = "1m", value_name = "DURATION")]
    pub(crate) timeout: std::time::Duration,
}

/// Let workloads run other images, by a commit to git
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).multiple(false),
    group = ArgGroup::new("what").required(true).multiple(false),
    after_help = "\
Exit status: 0 all are released or there was nothing to do, 1 a workload failed.

Examples:
  kubectl flux release --workload deployment/web --update-image ghcr.io/org/web:1.4.2
  kubectl flux release --all --update-all-images --exclude shop:deployment/db --dry-run")]
pub(crate) struct ReleaseArgs {
    /// Workload to release, as [NAMESPACE:]KIND/NAME; can be given more than once
    #[arg(
        short,
        long = "workload",
        group = "which",
        num_args = 1,
        value_name = "WORKLOAD"
    )]
    pub(crate) workloads: Vec<String>,
    /// Release all workloads of the namespace
    #[arg(long, group = "which")]
    pub(crate) all: bool,
    /// Image to run, with its tag
    #[arg(short = 'i', long, group = "what", value_name = "IMAGE")]
    pub(crate) update_image: Option<String>,
    /// Run the latest images, as policies and tag filters choose them
    #[arg(long, group = "what")]
    pub(crate) update_all_images: bool,
    /// Workload to leave out; can be given more than once
    #[arg(long, value_name = "WORKLOAD")]
    pub(crate) exclude: Vec<String>,
    /// Only say what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask about each image
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) interactive: bool,
    /// Release locked workloads too, and images that the registry does not show
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Wait until the released workloads run
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) watch: bool,
    /// How long to wait with --watch
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    pub(crate) watch_timeout: std::time::Duration,
    /// Show workloads that are not released too
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) commit: CommitArgs,
}

/// The workloads whose annotations a verb changes.
#[derive(Debug, Args)]
pub(crate) struct AnnotateArgs {
    /// Workload, as [NAMESPACE:]KIND/NAME; can be given more than once
    #[arg(short, long = "workload", required = true, value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    #[command(flatten)]
    pub(crate) commit: CommitArgs,
}

/// The workload or the image policy that is held or let go.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("held").required(true).multiple(false),
    after_help = "\
Examples:
  kubectl flux lock -w deployment/web -m 'until the sale is over'
  kubectl flux unlock --image-policy web")]
pub(crate) struct LockArgs {
    /// Workload, as [NAMESPACE:]KIND/NAME; can be given more than once
    #[arg(
        short,
        long = "workload",
        group = "held",
        num_args = 1,
        value_name = "WORKLOAD"
    )]
    pub(crate) workloads: Vec<String>,
    /// ImagePolicy; it is changed in the cluster, not in git
    #[arg(long, group = "held", value_name = "NAME")]
    pub(crate) image_policy: Option<String>,
    #[command(flatten)]
    pub(crate) commit: CommitArgs,
}

/// Change what is decided about workloads, by a commit to git
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true),
    after_help = "\
A PATTERN is glob:…, semver:… or regexp:…; \"*\" takes the filter away.

Examples:
  kubectl flux policy -w deployment/web --tag web=semver:~1.4 --automate
  kubectl flux policy -w deployment/web --tag-all '*' --deautomate")]
pub(crate) struct PolicyArgs {
    /// Workload, as [NAMESPACE:]KIND/NAME; can be given more than once
    #[arg(short, long = "workload", required = true, value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    /// Tags that all containers may run
    #[arg(long, group = "change", value_name = "PATTERN")]
    pub(crate) tag_all: Option<String>,
    /// Tags that one container may run; can be given more than once
    #[arg(long = "tag", group = "change", value_parser = pair, value_name = "CONTAINER=PATTERN")]
    pub(crate) tags: Vec<(String, String)>,
    /// Let images be updated
    #[arg(long, group = "change", conflicts_with = "deautomate")]
    pub(crate) automate: bool,
    /// Stop updates of images
    #[arg(long, group = "change")]
    pub(crate) deautomate: bool,
    /// Hold the images
    #[arg(long, group = "change", conflicts_with = "unlock")]
    pub(crate) lock: bool,
    /// Let the images go
    #[arg(long, group = "change")]
    pub(crate) unlock: bool,
    #[command(flatten)]
    pub(crate) commit: CommitArgs,
}
