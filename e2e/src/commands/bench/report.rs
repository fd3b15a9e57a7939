//! The figures: a table for people on stderr, JSON for machines on stdout.

use std::{fmt::Write as _, io::Write as _};

use anyhow::{Context, Result};

use super::measure::{Bar, Figures, meets};

/// Prints to stderr.
pub(super) fn note(text: &str) -> Result<()> {
    std::io::stderr()
        .write_all(text.as_bytes())
        .context("print the table")
}

/// The first line of the table.
pub(super) fn headline() -> String {
    format!(
        "{:<54}  {:<18}  {:<20}  ours (! misses its bar)",
        "case", "Flux v2", "bar"
    )
}

/// Prints a case as a row of the table, at once.
pub(super) fn row(figures: Figures) -> Result<Figures> {
    let Bar {
        seconds,
        cpu_seconds,
        megabytes,
    } = figures.case.bar;
    let mut text = format!(
        "{:<54}  {:<18}  {:<20}  {}, {}, servers {:.2} CPU-s, {}\n",
        figures.case.what,
        figures.case.flux,
        bars(figures.case.bar),
        marked(figures.wall_seconds, seconds, "s"),
        marked(figures.controller_cpu_seconds, cpu_seconds, "CPU-s"),
        figures.server_cpu_seconds,
        marked(figures.controller_megabytes, megabytes, "MB"),
    );
    let mut requests: Vec<_> = figures.requests.iter().collect();
    requests.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (what, count) in requests {
        writeln!(text, "{count:>8} {what}").context("write the table")?;
    }
    note(&text)?;
    Ok(figures)
}

fn marked(figure: f64, bar: Option<f64>, unit: &str) -> String {
    let mark = if meets(figure, bar) { "" } else { " !" };
    format!("{figure:.2} {unit}{mark}")
}

fn bars(bar: Bar) -> String {
    let figures = [
        (bar.seconds, "s"),
        (bar.cpu_seconds, "CPU-s"),
        (bar.megabytes, "MB"),
    ];
    let given: Vec<_> = figures
        .iter()
        .filter_map(|(figure, unit)| figure.map(|figure| format!("{figure} {unit}")))
        .collect();
    given.join(", ")
}

/// Prints a text and a line break to stdout.
pub(super) fn line(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(format!("{text}\n").as_bytes())
        .context("print the figures")
}

/// Prints everything as JSON to stdout.
pub(super) fn print(figures: &[Figures]) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(figures).context("write JSON")?;
    json.push(b'\n');
    std::io::stdout()
        .write_all(&json)
        .context("print the figures")
}
