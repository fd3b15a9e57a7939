//! The verbs that only look.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::output::Format;

/// Show objects and their state
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux get                     all objects of this namespace
  kubectl flux get sync -A             the syncs of all namespaces
  kubectl flux get git fleet -o yaml   one repository, whole")]
pub(crate) struct GetArgs {
    /// KIND, KIND NAME or KIND/NAME; kinds are git, sync, image and all
    #[arg(value_name = "KIND [NAME]")]
    pub(crate) resources: Vec<String>,
    /// Look into all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Only objects with these labels, as in app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// Print changes as they happen, until interrupted
    #[arg(short, long)]
    pub(crate) watch: bool,
}

/// Print objects as YAML that can be committed and applied again
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// KIND, KIND NAME or KIND/NAME; kinds are git, sync, image and all
    #[arg(value_name = "KIND [NAME]", required = true)]
    pub(crate) resources: Vec<String>,
    /// Look into all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
}

/// Render a directory as the controller would, without a cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux build ./deploy/production
  kubectl flux build ./deploy/production | kubectl apply --dry-run=server -f -
  helm template shop ./chart | kubectl flux build --reorder legacy -")]
pub(crate) struct BuildArgs {
    /// Directory with a kustomization or with plain YAML, or `-` for a stream of manifests from stdin
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Directory that the build must not leave [default: the git repository of PATH, or `/`]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Order of the objects; `legacy` also restricts files and demands a kustomization
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    pub(crate) reorder: OrderArg,
    /// Which files a kustomization may name [default: as the order's]
    #[arg(long, value_enum, value_name = "RESTRICTION")]
    pub(crate) load_restrictor: Option<LoadRestrictorArg>,
    /// Label all objects with `app.kubernetes.io/managed-by`
    #[arg(long)]
    pub(crate) enable_managedby_label: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Say in comments where objects come from and what set their fields
    #[arg(long)]
    pub(crate) explain: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = BuildFormat::Yaml, value_name = "FORMAT")]
    pub(crate) output: BuildFormat,
}

/// Bases that kustomizations name in other repositories.
#[derive(Debug, Args)]
pub(crate) struct RemoteArgs {
    /// Fetch bases that kustomizations name in other git repositories, over https and ssh
    #[arg(long)]
    pub(crate) allow_remote_bases: bool,
    /// Private key for bases with ssh addresses
    #[arg(long, value_name = "FILE", requires_all = ["allow_remote_bases", "ssh_known_hosts"])]
    pub(crate) ssh_identity: Option<PathBuf>,
    /// Host keys to trust for bases with ssh addresses, as in `~/.ssh/known_hosts`
    #[arg(long, value_name = "FILE", requires_all = ["allow_remote_bases", "ssh_identity"])]
    pub(crate) ssh_known_hosts: Option<PathBuf>,
}

/// What `build` can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuildFormat {
    /// A stream of YAML documents
    Yaml,
    /// One list as JSON
    Json,
    /// Kinds and names
    Name,
}

/// The order of built objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    /// As the files have them, as a Sync applies them
    #[default]
    None,
    /// By kind, as the `kustomize` command prints them
    Legacy,
}

/// Which files a kustomization may name, in the words of the `kustomize` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadRestrictorArg {
    /// Any file below the root
    #[value(name = "LoadRestrictionsNone")]
    None,
    /// Only files in the directory of the kustomization and below
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
}

/// Compare a directory with the cluster, as the controller would apply it
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 nothing differs, 1 something differs, 2 an error.

Examples:
  kubectl flux diff ./deploy/production
  kubectl flux diff sync apps --path ./deploy/production")]
pub(crate) struct DiffArgs {
    /// PATH, or sync NAME
    #[arg(value_name = "PATH | sync NAME", required = true, num_args = 1..=2)]
    pub(crate) subject: Vec<String>,
    /// Directory to compare, instead of what the sync applied
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// Directory that the build must not leave [default: the git repository of the path, or the path]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

/// Show what a sync applied, and how it fares
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// sync NAME, sync/NAME or NAME
    #[arg(value_name = "[sync] NAME", required = true, num_args = 1..=2)]
    pub(crate) subject: Vec<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Show the revisions of a sync and how they ended, newest first
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// sync NAME, sync/NAME or NAME
    #[arg(value_name = "[sync] NAME", required = true, num_args = 1..=2)]
    pub(crate) subject: Vec<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Show what in the cluster differs from what syncs applied, and who did it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux drift                   all syncs of this namespace
  kubectl flux drift sync apps -o json one sync
  kubectl flux diff sync apps --path . what an apply would change, with the values")]
pub(crate) struct DriftArgs {
    /// sync NAME, sync/NAME or NAME [default: all syncs]
    #[arg(value_name = "[sync] NAME", num_args = 0..=2)]
    pub(crate) subject: Vec<String>,
    /// Look into all namespaces
    #[arg(short = 'A', long, conflicts_with = "subject")]
    pub(crate) all_namespaces: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Show the events of objects
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// KIND, KIND NAME or KIND/NAME; kinds are git, sync, image and all
    #[arg(value_name = "KIND [NAME]")]
    pub(crate) resources: Vec<String>,
    /// Look into all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Print events as they happen, until interrupted
    #[arg(short, long)]
    pub(crate) watch: bool,
}
