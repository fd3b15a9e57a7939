//! What runs and what could run, in the words of Flux v1.

use clap::Args;

use crate::output::Format;

/// Show workloads, their images, and what is decided about them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux workloads -n shop
  kubectl flux workloads -A --container app")]
pub(crate) struct WorkloadsArgs {
    /// Look into all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only containers of this name
    #[arg(short, long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Show the images that workloads could run, newest first
///
/// The running image is marked with "'->", newer ones with "|". The time is that of the image itself, where it has one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux images -w deployment/web
  kubectl flux images -n shop --limit 3")]
pub(crate) struct ImagesArgs {
    /// Look into all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only this workload, as [NAMESPACE:]KIND/NAME; can be given more than once
    #[arg(short, long = "workload", value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    /// How many images to show for each container; 0 is all
    #[arg(short, long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) limit: usize,
    /// How to print
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}
