//! `flux-e2e fuzz`: random trees through the real kustomize and ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flux_e2e::kustomize::{Finding, Hunt, Order, Real, Recorded, Tally, Tree, record};

use crate::talk::say;

/// Arguments of `flux-e2e fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// Builds of kustomizations; exit status 1 when something differs
    Kustomize(Kustomize),
    /// Write what the real kustomize makes of cases
    Record {
        /// Directory with cases, each with a tree in `input` of which `app` is built
        directory: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Kustomize {
    /// How long to search
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// Where to begin; the same seed makes the same trees
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// How many trees to try at most
    #[arg(long, default_value_t = u64::MAX, value_name = "N")]
    cases: u64,
    /// Directories with cases to change at random
    #[arg(long, value_name = "DIR")]
    corpus: Vec<PathBuf>,
    /// Where to put what differs
    #[arg(long, default_value = "fuzz-findings", value_name = "DIR")]
    out: PathBuf,
    /// How many differences to look for
    #[arg(long, default_value_t = 20, value_name = "N")]
    findings: u64,
    /// Print why trees are refused, to see what the search does not reach
    #[arg(long)]
    refusals: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.subject {
        Subject::Kustomize(kustomize) => search(kustomize),
        Subject::Record { directory } => record_all(directory),
    }
}

fn record_all(directory: &Path) -> Result<ExitCode> {
    let mut real = Real::ready()?;
    for mut case in Recorded::all(directory)? {
        for order in [Order::Fifo, Order::Legacy] {
            case.tree.order = order;
            record(&case.directory, order, &real.build(&case.tree)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn search(arguments: &Kustomize) -> Result<ExitCode> {
    let mut hunt = Hunt::new(Real::ready()?, seeds(&arguments.corpus)?);
    let started = Instant::now();
    let mut told = started;
    let time = Duration::from_secs(arguments.seconds);
    let last = arguments.seed.saturating_add(arguments.cases);
    for seed in arguments.seed..last {
        if started.elapsed() >= time || hunt.tally.found >= arguments.findings {
            break;
        }
        if let Some(finding) = hunt.try_seed(seed)? {
            let directory = arguments.out.join(seed.to_string());
            keep(&directory, &finding)?;
            say(&format!(
                "{}: {}\n",
                directory.display(),
                first_line(&finding.difference.to_string())
            ))?;
        }
        if let Some(message) = hunt.refusal.take().filter(|_| arguments.refusals) {
            say(&format!("{seed} refused: {}\n", first_line(&message)))?;
        }
        if told.elapsed() >= Duration::from_mins(1) {
            told = Instant::now();
            say(&line(started.elapsed(), &hunt.tally))?;
        }
    }
    say(&line(started.elapsed(), &hunt.tally))?;
    Ok(ExitCode::from(u8::from(hunt.tally.found > 0)))
}

fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(300).collect()
}

fn line(elapsed: Duration, tally: &Tally) -> String {
    let Tally {
        equal,
        refused,
        crashed,
        intended,
        again,
        found,
    } = tally;
    format!(
        "{:>5} s: {equal} equal, {refused} refused by both, {crashed} crashed the real one, {intended} differ on purpose, \
         {found} found, {again} times more\n",
        elapsed.as_secs()
    )
}

fn seeds(directories: &[PathBuf]) -> Result<Vec<Tree>> {
    let mut trees = Vec::new();
    for directory in directories {
        trees.extend(Recorded::all(directory)?.into_iter().map(|case| case.tree));
    }
    Ok(trees)
}

fn keep(directory: &Path, finding: &Finding) -> Result<()> {
    let Finding {
        tree,
        difference,
        real,
        ours,
    } = finding;
    for (side, outcome) in [("real", real), ("ours", ours)] {
        let directory = directory.join(side);
        tree.write(&directory.join("input"))?;
        record(&directory, tree.order, outcome)?;
    }
    fs::write(directory.join("difference"), format!("{difference}\n"))
        .context("write the difference")
}
