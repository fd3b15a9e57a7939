//! How fast drift is put back, and what watching for it costs.

mod figures;
mod foes;
mod stage;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use self::figures::Figures;
use self::foes::Foes;
use self::stage::Stage;
use super::measure::percentile;
use super::report;

/// Time after the last change in which everything must have been put back.
const GRACE: Duration = Duration::from_secs(10);

/// Arguments of `flux-e2e bench drift`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    /// Managed objects
    #[arg(long, default_value_t = 5000, value_name = "NUMBER")]
    objects: usize,
    /// Syncs that share them
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    syncs: usize,
    /// Changes a second by others, each of another object
    #[arg(long, default_value_t = 5, value_name = "NUMBER")]
    changes: u32,
    /// Writes of a status a second
    #[arg(long, default_value_t = 200, value_name = "NUMBER")]
    noise: u32,
    /// How long
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    seconds: u64,
}

/// Measures, prints, and tells whether all bars were met.
pub(super) async fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage::build(arguments).await?;
    let base = stage.controller.usage()?.resident;
    stage.fill(arguments).await?;
    report::note(&format!("{} objects are applied\n", arguments.objects))?;
    let audit = stage.control_plane.audit_log().from_now();
    let before = stage.controller.usage()?.cpu;
    let started = Instant::now();
    let foes = Foes::new(&stage, arguments).await?;
    let seconds = Duration::from_secs(arguments.seconds);
    let (noise, changes) = tokio::join!(foes.noise(seconds), foes.change(seconds));
    let (noise, changes) = (noise?, changes?);
    let cpu = stage.controller.usage()?.cpu.saturating_sub(before);
    let took = started.elapsed();
    let full = stage.controller.usage()?.resident;
    foes.all_back(GRACE).await;
    let repairs = foes.latencies();
    let written = foes.written_for_nothing(&audit.requests().context("read the audit log")?);
    let figures = Figures {
        objects: arguments.objects,
        changes,
        noise,
        repairs: repairs.len(),
        p50_ms: percentile(&repairs, 50),
        p99_ms: percentile(&repairs, 99),
        missed: changes - repairs.len(),
        needless_writes: written,
        cpu_of_a_core: cpu.as_secs_f64() / took.as_secs_f64(),
        bytes_per_object: full.saturating_sub(base) / arguments.objects.max(1) as u64,
        base_megabytes: base / 1_000_000,
    };
    figures.print()?;
    Ok(figures.meets_bars())
}
