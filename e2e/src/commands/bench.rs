//! `flux-e2e bench`: what the controller costs, beside the bars and the figures of Flux v2.

mod cases;
mod drift;
mod faults;
mod images;
mod kustomize;
mod measure;
mod report;
mod stage;
mod watching;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use stage::Stage;

/// Arguments of `flux-e2e bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Exit with 1 when a figure misses its bar
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    subject: Option<Subject>,
}

#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// Measure images: lists of tags, the choice, the commit
    Images(images::Arguments),
    /// Measure how fast drift is put back, and what watching for it costs
    Drift(drift::Arguments),
    /// Let API server and git server fail by chance, kill the controller, and measure how it recovers
    ///
    /// Exits with 1 when anything was lost, or when the cluster was not what git said after a round.
    Faults(faults::Arguments),
    /// Measure builds beside the real kustomize
    Kustomize(kustomize::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    if let Some(Subject::Kustomize(arguments)) = &arguments.subject {
        return kustomize::run(arguments);
    }
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        result = measure(arguments) => result,
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
    }
}

async fn measure(arguments: Arguments) -> Result<ExitCode> {
    match arguments.subject {
        Some(Subject::Images(images)) => images::run(images).await,
        Some(Subject::Drift(drift)) => {
            let meets_bars = drift::run(&drift).await?;
            Ok(if arguments.strict && !meets_bars {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
        Some(Subject::Faults(faults)) => faults::run(&faults).await,
        Some(Subject::Kustomize(_)) | None => measure_all(arguments).await,
    }
}

async fn measure_all(arguments: Arguments) -> Result<ExitCode> {
    report::note(&format!("{}\n", report::headline()))?;
    let stage = Stage::build().await?;
    let figures = cases::all(&stage).await?;
    report::print(&figures)?;
    let missed = figures.iter().any(|figures| !figures.meets_bars());
    Ok(if missed && arguments.strict {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
