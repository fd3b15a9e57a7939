//! The choice itself, in this process.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flux_core::choose::{Created, Rules};
use flux_crds::image_policy::{Policy, SemverPolicy};

use super::figures::{Case, median};

const TAGS: usize = 10_000;
const ROUNDS: usize = 101;

/// Chooses among many tags by semver.
pub(super) fn among_many() -> Result<Case> {
    let case = Case::new("choose among 10,000 tags by semver");
    let tags: Vec<String> = (0..TAGS).map(tag).collect();
    let policy = Policy {
        semver: Some(SemverPolicy {
            range: ">=1.0.0 <90.0.0".into(),
        }),
        ..Policy::default()
    };
    let rules = Rules::compile(None, &policy).context("compile the policy")?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let chosen = rules.choose(&rules.matching(&tags), &Created::new());
        rounds.push(started.elapsed().as_secs_f64() * 1e3);
        ensure!(
            chosen.as_deref() == Some("v89.9.9"),
            "{chosen:?} was chosen"
        );
    }
    Ok(case.bar("to choose, the median of 101", (median(rounds), "ms"), 10.0))
}

/// Versions with and without `v`, pre-releases, and tags that are no versions.
fn tag(number: usize) -> String {
    let version = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
    match number % 10 {
        3 => format!("{version}-rc.1"),
        5 => format!("sha-{number:08x}"),
        7 | 9 => format!("v{version}"),
        _ => version,
    }
}
