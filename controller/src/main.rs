//! The controller's executable: reads the arguments, starts the log, runs until SIGTERM.

use clap::Parser as _;
use flux_controller::args::{Args, LogFormat};
use tracing_subscriber::EnvFilter;

/// Threads for builds, git and name resolution. Each makes the allocator hold memory of its own, but git servers that hang
/// must never hold all of them: without one to resolve names, the lease would be lost.
const BLOCKING_THREADS: usize = 48;

/// What is never written, whatever `--log-level` says: `kube` logs answers that it cannot read, with all that they hold. A
/// kubeconfig can lead to any server, whose answers are not for those who read the log.
/// Its errors of connections say less than ours, which name the object.
const SILENT: [&str; 3] = [
    "kube_client::client=error",
    "kube_client::client::builder=off",
    "kube_runtime::watcher=error",
];

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut filter = EnvFilter::try_new(&args.log_level)?;
    for directive in SILENT {
        filter = filter.add_directive(directive.parse()?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.init(),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(flux_controller::start::run(args));
    runtime.shutdown_background();
    ended
}
