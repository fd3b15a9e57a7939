//! How the controller comes through faults, and how soon after them the cluster is what git says.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context, Result};
use flux_e2e::ordeal::{Report, Run};
use serde::Serialize;

use super::measure::percentile;
use super::report;

/// Arguments of `flux-e2e bench faults`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Arguments {
    /// What revisions, faults and kills follow from: the same seed makes the same choices
    #[arg(long, default_value_t = 20_261, value_name = "NUMBER")]
    seed: u64,
    /// Times that faults begin, end, and the cluster is compared with git
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    seed: u64,
    rounds: usize,
    revisions: usize,
    /// Requests to the API server while there were faults.
    requests: usize,
    faults: BTreeMap<&'static str, usize>,
    /// Revisions by the way in which the git server behaved.
    git: BTreeMap<&'static str, usize>,
    kills: usize,
    recovery_p50_ms: u128,
    recovery_max_ms: u128,
    /// Objects of no inventory that are gone.
    objects_lost: usize,
    /// Objects that were applied and are in no inventory.
    entries_lost: usize,
    /// Rounds after which the cluster was not what git said.
    differences: usize,
}

/// Measures, prints, and fails when an invariant is broken.
pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut run = Run::begin(arguments.seed).await?;
    for number in 1..=arguments.rounds {
        run.round().await?;
        let Report {
            kills, recoveries, ..
        } = run.report();
        let last = recoveries.last().copied().unwrap_or_default();
        let (rounds, ms) = (arguments.rounds, last.as_millis());
        report::note(&format!(
            "round {number} of {rounds}: recovered in {ms} ms, {kills} kills so far\n"
        ))?;
    }
    let report = run.report();
    show(&report)?;
    Ok(ExitCode::from(u8::from(!report.is_sound())))
}

/// Prints a table to stderr and JSON to stdout.
fn show(report: &Report) -> Result<()> {
    let figures = Figures::of(report.clone());
    report::note(&figures.table())?;
    for difference in &report.differences {
        report::note(&format!("{difference}\n"))?;
    }
    for lost in report.losses.objects.iter().chain(&report.losses.entries) {
        report::note(&format!("lost: {lost}\n"))?;
    }
    let json = serde_json::to_string_pretty(&figures).context("write JSON")?;
    report::line(&json)
}

impl Figures {
    fn of(report: Report) -> Self {
        let Report {
            seed,
            revisions,
            requests,
            faults,
            git,
            kills,
            mut recoveries,
            losses,
            differences,
        } = report;
        recoveries.sort();
        Self {
            seed,
            rounds: recoveries.len(),
            revisions,
            requests,
            faults,
            git,
            kills,
            recovery_p50_ms: percentile(&recoveries, 50),
            recovery_max_ms: percentile(&recoveries, 100),
            objects_lost: losses.objects.len(),
            entries_lost: losses.entries.len(),
            differences: differences.len(),
        }
    }

    fn table(&self) -> String {
        let rows = [
            ("recovery p50, ms", self.recovery_p50_ms, ""),
            ("recovery max, ms", self.recovery_max_ms, ""),
            (
                "objects outside inventories lost",
                self.objects_lost as u128,
                "   bar      0",
            ),
            (
                "inventory entries lost",
                self.entries_lost as u128,
                "   bar      0",
            ),
            (
                "cluster unlike git",
                self.differences as u128,
                "   bar      0",
            ),
        ];
        let rows = rows.map(|(what, figure, bar)| format!("{what:<34} {figure:>8}{bar}\n"));
        format!(
            "seed {}, {} rounds, {} revisions, {} requests, {} kills\nfaults: {}\ngit server: {}\n{}",
            self.seed,
            self.rounds,
            self.revisions,
            self.requests,
            self.kills,
            listed(&self.faults),
            listed(&self.git),
            rows.concat(),
        )
    }
}

fn listed(counts: &BTreeMap<&'static str, usize>) -> String {
    let counts: Vec<_> = counts
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    counts.join(", ")
}
