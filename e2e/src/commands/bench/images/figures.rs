//! Figures with their bars: a table for people on stderr, JSON for machines on stdout.

use std::{fmt::Write as _, io::Write as _};

use anyhow::{Context, Result};
use serde::Serialize;

use super::super::report::note;

/// What is measured, with its figures.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    #[serde(rename = "case")]
    title: &'static str,
    /// Processes that wanted a processor, for a processor: a figure of a busy machine says little when it is above 1.
    load: f64,
    figures: Vec<Figure>,
}

#[derive(Debug, Serialize)]
struct Figure {
    what: &'static str,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<f64>,
}

impl Figure {
    fn meets_bar(&self) -> bool {
        self.bar.is_none_or(|bar| self.value <= bar)
    }
}

impl Case {
    pub(super) fn new(title: &'static str) -> Self {
        Self {
            title,
            load: load(),
            figures: Vec::new(),
        }
    }

    /// Adds a figure that must not be above a bar.
    pub(super) fn bar(
        self,
        what: &'static str,
        (value, unit): (f64, &'static str),
        bar: f64,
    ) -> Self {
        self.with(Figure {
            what,
            value,
            unit,
            bar: Some(bar),
        })
    }

    /// Adds a figure without a bar.
    pub(super) fn note(self, what: &'static str, (value, unit): (f64, &'static str)) -> Self {
        self.with(Figure {
            what,
            value,
            unit,
            bar: None,
        })
    }

    fn with(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    pub(super) fn meets_bars(&self) -> bool {
        self.figures.iter().all(Figure::meets_bar)
    }

    /// Prints it to stderr.
    pub(super) fn shown(self) -> Result<Self> {
        let mut text = format!("{} (load {:.1} a processor)\n", self.title, self.load);
        for figure in &self.figures {
            let Figure {
                what, value, unit, ..
            } = figure;
            write!(text, "{value:>12.3} {unit:<8} {what}")?;
            if let Some(bar) = figure.bar {
                let mark = if figure.meets_bar() { "" } else { " ! missed" };
                let share = 100.0 * value / bar;
                write!(text, "; bar {bar} {unit}, {share:.0} % of it{mark}")?;
            }
            text.push('\n');
        }
        note(&text)?;
        Ok(self)
    }
}

/// Prints all cases as JSON to stdout.
pub(super) fn print(cases: &[Case]) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(cases).context("write JSON")?;
    json.push(b'\n');
    std::io::stdout()
        .write_all(&json)
        .context("print the figures")
}

/// The machine's load of the last minute, for a processor; 0 where it is not known.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = text
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    load / count(processors)
}

/// Returns a count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts here are small")]
pub(super) fn count(count: usize) -> f64 {
    count as f64
}

/// Returns the middle one.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
