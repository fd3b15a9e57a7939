//! `flux-e2e demo` (`cargo demo`): a cluster follows a git repository, told with timings.

mod stage;
mod story;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::talk::say;
use stage::Stage;
use story::Outcome;

/// Arguments of `flux-e2e demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Exit after the story, non-zero if a step failed
    #[arg(long)]
    once: bool,
    /// Use the cluster of the current kubeconfig instead of starting one
    #[arg(long)]
    use_current_cluster: bool,
    /// Keep keys, logs and data in this directory [default: one that is removed at the end]
    #[arg(long)]
    directory: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    require_tools()?;
    // Before anything starts, so that no Ctrl-C is missed.
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        result = show(arguments) => result,
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
    }
}

async fn show(arguments: Arguments) -> Result<ExitCode> {
    let once = arguments.once;
    let stage = Stage::build(arguments.use_current_cluster, arguments.directory).await?;
    let outcome = story::tell(&stage).await?;
    if once {
        let (text, code) = match outcome {
            Outcome::Whole => ("Every step worked.", ExitCode::SUCCESS),
            Outcome::Broken => ("The story ended early: a step failed.", ExitCode::FAILURE),
        };
        say(&format!("\n{text}\n"))?;
        return Ok(code);
    }
    say(&stage.how_to_explore())?;
    std::future::pending().await
}

/// Says at once everything that is missing on this machine.
fn require_tools() -> Result<()> {
    let missing: Vec<&str> = [
        (flux_e2e::binaries::find_git(), "git"),
        (
            flux_e2e::binaries::find_go(),
            "Go 1.26 or newer (https://go.dev/dl); it builds the test cluster",
        ),
        (
            flux_e2e::binaries::find_cargo(),
            "cargo, which comes with Rust (https://rustup.rs)",
        ),
    ]
    .into_iter()
    .filter_map(|(found, name)| (!found).then_some(name))
    .collect();
    if !missing.is_empty() {
        bail!("this machine lacks:\n  - {}", missing.join("\n  - "));
    }
    Ok(())
}
