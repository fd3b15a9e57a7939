//! The figures and their bars.

use anyhow::{Context, Result};
use serde::Serialize;

use super::super::report;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    pub(super) objects: usize,
    /// Changes by others.
    pub(super) changes: usize,
    /// Writes of a status.
    pub(super) noise: usize,
    pub(super) repairs: usize,
    /// From the moment in which a watch shows the change to that in which it shows the repair.
    pub(super) p50_ms: u128,
    pub(super) p99_ms: u128,
    /// Changes that were not put back.
    pub(super) missed: usize,
    /// Writes of objects that nobody had changed, noise or none.
    pub(super) needless_writes: usize,
    pub(super) cpu_of_a_core: f64,
    /// Resident memory after all of this above that of a controller with one object in each Sync.
    pub(super) bytes_per_object: u64,
    pub(super) base_megabytes: u64,
}

impl Figures {
    /// Tells whether all bars are met.
    pub(super) fn meets_bars(&self) -> bool {
        self.p50_ms <= 150
            && self.p99_ms <= 1000
            && self.missed == 0
            && self.needless_writes == 0
            && self.cpu_of_a_core <= 0.1
            && self.bytes_per_object <= 512
    }

    /// Prints a table to stderr and JSON to stdout.
    pub(super) fn print(&self) -> Result<()> {
        report::note(&format!(
            "{} objects, {} changes, {} writes of a status\n\
             {:<34} {:>8}   bar    150\n{:<34} {:>8}   bar   1000\n{:<34} {:>8}   bar      0\n\
             {:<34} {:>8}   bar      0\n{:<34} {:>8.3}   bar   0.10\n{:<34} {:>8}   bar    512\n",
            self.objects,
            self.changes,
            self.noise,
            "repair p50, ms",
            self.p50_ms,
            "repair p99, ms",
            self.p99_ms,
            "missed",
            self.missed,
            "needless writes",
            self.needless_writes,
            "CPU of a core",
            self.cpu_of_a_core,
            "bytes an object",
            self.bytes_per_object,
        ))?;
        let json = serde_json::to_string_pretty(self).context("write JSON")?;
        report::line(&json)
    }
}
