//! `flux-e2e up`: everything runs until Ctrl-C.

use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use flux_e2e::{ControlPlane, GitServer, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `flux-e2e up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many nodes pods can run on; with 0 there are no controllers and no scheduler either
    #[arg(long, default_value_t = 2)]
    nodes: u16,
    /// Keep keys, logs and data in this directory [default: one that is removed at the end]
    #[arg(long)]
    directory: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    // Before anything starts, so that no Ctrl-C is missed.
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let stay = async {
        let (control_plane, git) = start(arguments).await?;
        std::future::pending::<()>().await;
        drop((control_plane, git));
        Ok(ExitCode::SUCCESS)
    };
    tokio::select! {
        result = stay => result,
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
    }
}

async fn start(arguments: Arguments) -> Result<(ControlPlane, GitServer)> {
    let started = Instant::now();
    let git = GitServer::start()?;
    let repository = git.create_repository("demo")?;
    repository.push_files(&[("README.md", "An empty start.\n")], "start")?;
    let Arguments { nodes, directory } = arguments;
    let control_plane = ControlPlane::start(Options { nodes, directory }).await?;
    let text = format!(
        "ready after {seconds:.1} s

  export KUBECONFIG={kubeconfig}
  git clone {url}

everything is in {directory}; Ctrl-C ends it all
",
        seconds = started.elapsed().as_secs_f64(),
        kubeconfig = control_plane.kubeconfig().display(),
        url = git.http_url(repository.name()),
        directory = control_plane.directory().display(),
    );
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("print where everything is")?;
    Ok((control_plane, git))
}
