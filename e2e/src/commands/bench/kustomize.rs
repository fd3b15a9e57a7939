//! `flux-e2e bench kustomize`: whole processes, ours beside the real one, in one run.

mod monorepo;
mod process;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::report::note;
use process::{Builder, Cost};

/// How many times faster every real case must be.
const FASTER: f64 = 20.0;

/// How many times less memory every real case must take.
const LEANER: f64 = 5.0;

/// What one large case must take at most: 131 objects in 5.8 MB.
const LARGE: (&str, Duration) = ("kube-prometheus", Duration::from_millis(120));

/// What a monorepo of a thousand overlays must take at most.
const MONOREPO: Duration = Duration::from_secs(2);

/// Arguments of `flux-e2e bench kustomize`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Our build in a release profile: the plugin, or the example `kustomize-build`
    #[arg(long, value_name = "PATH")]
    ours: PathBuf,
    /// Directory with cases, each with `case.json` and a tree in `input`
    #[arg(
        long,
        default_value = "../shared/kustomize-cases/real",
        value_name = "DIR"
    )]
    cases: PathBuf,
    /// Exit with 1 when a figure misses its bar
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let real = Builder::real()?;
    let ours = Builder::ours(&arguments.ours);
    note(&format!(
        "{:<60} {:>10} {:>10} {:>7}  {:>9} {:>9} {:>7}\n",
        "case (bar: 20 times faster, 5 times less memory)",
        "kustomize",
        "ours",
        "ratio",
        "kustomize",
        "ours",
        "ratio"
    ))?;
    let mut missed = 0;
    for directory in cases(&arguments.cases)? {
        missed += usize::from(!compare(&real, &ours, &directory)?);
    }
    missed += usize::from(!overlays(&real, &ours)?);
    note(&format!("{missed} cases miss a bar\n"))?;
    Ok(ExitCode::from(u8::from(arguments.strict && missed > 0)))
}

/// The directories that are built, of all cases that need no arguments of their own.
fn cases(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))?;
    let mut targets = Vec::new();
    for entry in entries.flatten() {
        let text = fs::read(entry.path().join("case.json")).unwrap_or_default();
        let case: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let plain = case["args"].as_array().is_none_or(Vec::is_empty);
        if let Some(target) = case["target"].as_str().filter(|_| plain) {
            targets.push(entry.path().join("input").join(target));
        }
    }
    if targets.is_empty() {
        bail!("there are no cases in {}", directory.display());
    }
    targets.sort();
    Ok(targets)
}

/// Measures one case, prints its row, and tells whether it meets its bars.
fn compare(real: &Builder, ours: &Builder, directory: &Path) -> Result<bool> {
    let directory = directory.canonicalize().context("find the case")?;
    let text = directory.to_string_lossy();
    let name = text.rsplit_once("/input").map_or(&*text, |(case, _)| case);
    let name = name.rsplit('/').next().unwrap_or_default();
    let (theirs, mine) = measure(real, ours, &directory)?;
    let quick = !name.contains(LARGE.0) || mine.wall <= LARGE.1;
    let fast = mine.faster_than(&theirs) >= FASTER && quick;
    let lean = mine.leaner_than(&theirs) >= LEANER;
    row(name, &theirs, &mine, fast, lean)?;
    Ok(fast && lean)
}

/// One run after the other in turn, so that both meet the same machine; the median counts.
fn measure(real: &Builder, ours: &Builder, directory: &Path) -> Result<(Cost, Cost)> {
    let (mut theirs, mut mine) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        theirs.push(real.time(directory)?);
        mine.push(ours.time(directory)?);
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let theirs = Cost {
        wall: median(theirs),
        peak: real.peak_memory(directory)?,
    };
    let mine = Cost {
        wall: median(mine),
        peak: ours.peak_memory(directory)?,
    };
    Ok((theirs, mine))
}

/// A thousand overlays in one process.
fn overlays(real: &Builder, ours: &Builder) -> Result<bool> {
    let directory = tempfile::tempdir().context("make a directory")?;
    monorepo::write(directory.path())?;
    let theirs = Cost {
        wall: real.time(directory.path())?,
        peak: real.peak_memory(directory.path())?,
    };
    let mine = Cost {
        wall: ours.time(directory.path())?,
        peak: ours.peak_memory(directory.path())?,
    };
    let fast = mine.wall <= MONOREPO;
    row(
        "1,000 overlays in one process (bar: 2 s)",
        &theirs,
        &mine,
        fast,
        true,
    )?;
    Ok(fast)
}

fn row(name: &str, theirs: &Cost, mine: &Cost, fast: bool, lean: bool) -> Result<()> {
    let name: String = name.chars().take(60).collect();
    let mark = |meets: bool| if meets { ' ' } else { '!' };
    note(&format!(
        "{name:<60} {:>7.1} ms {:>7.1} ms {:>6.1}{} {:>6.1} MB {:>6.1} MB {:>6.1}{}\n",
        theirs.milliseconds(),
        mine.milliseconds(),
        mine.faster_than(theirs),
        mark(fast),
        theirs.megabytes(),
        mine.megabytes(),
        mine.leaner_than(theirs),
        mark(lean),
    ))
}
