//! `flux-e2e`: a cluster to play with, the demo, and benchmarks.

mod commands;
mod talk;

use anyhow::Result;
use clap::{Parser, Subcommand};

use commands::{bench, demo, fuzz, ssh, up};

/// A real Kubernetes on this machine, with a git server, for flux
#[derive(Debug, Parser)]
#[command(name = "flux-e2e", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a control plane and a git server, and stay until Ctrl-C
    Up(up::Arguments),
    /// Show what flux does: a cluster follows a git repository
    Demo(demo::Arguments),
    /// Measure the controller; figures as JSON on stdout, as a table on stderr
    Bench(bench::Arguments),
    /// Compare builds of random trees with the real kustomize
    Fuzz(fuzz::Arguments),
    /// An SSH client for git, so that tests need none on the machine
    #[command(hide = true)]
    Ssh(ssh::Arguments),
}

#[tokio::main]
async fn main() -> Result<std::process::ExitCode> {
    match Arguments::parse().command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Ssh(arguments) => ssh::run(arguments).await,
    }
}
