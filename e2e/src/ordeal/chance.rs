//! What is left to chance: revisions, faults, kills. The same seed makes the same choices.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;

use super::map;
use crate::{
    GitRepo,
    control_plane::{Asked, Fault},
    git_server::Conduct,
};

/// One in so many requests has a fault.
const ODDS: u32 = 10;
/// Names that revisions choose from.
const NAMES: usize = 12;

/// What came of chance at the door, by kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) requests: usize,
    pub(super) faults: BTreeMap<&'static str, usize>,
}

/// A tally that a door writes and a run reads.
pub(super) type Shared = Arc<Mutex<Tally>>;

pub(super) fn lock(tally: &Shared) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what chooses, for a door, what becomes of requests.
pub(super) fn at_the_door(
    mut chance: fastrand::Rng,
    tally: Shared,
) -> impl FnMut(&Asked) -> Fault + Send + 'static {
    move |_| {
        let mut tally = lock(&tally);
        tally.requests += 1;
        if chance.u32(0..ODDS) != 0 {
            return Fault::None;
        }
        let (kind, fault) = match chance.u8(0..7) {
            0 => ("delayed", Fault::Delay(delay(&mut chance, 200))),
            1 => ("reset", Fault::Reset),
            2 => ("answer lost", Fault::LoseAnswer),
            3 => ("truncated", Fault::Truncate),
            4 => ("409", Fault::Refuse(409)),
            5 => ("429", Fault::Refuse(429)),
            _ => ("500", Fault::Refuse(500)),
        };
        *tally.faults.entry(kind).or_default() += 1;
        fault
    }
}

/// Chooses how the git server behaves, and says what that is called.
pub(super) fn conduct(chance: &mut fastrand::Rng) -> (&'static str, Conduct) {
    match chance.u8(0..4) {
        0 => ("503", Conduct::Failing(503)),
        1 => ("cut", Conduct::Cutting(chance.u64(1..400))),
        2 => ("slow", Conduct::Slow(delay(chance, 100))),
        _ => ("good", Conduct::Good),
    }
}

fn delay(chance: &mut fastrand::Rng, below: u64) -> Duration {
    Duration::from_millis(chance.u64(1..below))
}

/// Pushes another revision; returns the commit, and the values of the `ConfigMaps` that it comes to.
///
/// Each of a handful of `ConfigMaps` is there or is not, and `kept` always is and always changes.
pub(super) fn revision(
    repo: &GitRepo,
    chance: &mut fastrand::Rng,
    number: usize,
) -> Result<(String, BTreeMap<String, String>)> {
    let mut wanted = BTreeMap::from([("kept".to_owned(), format!("turn-{number}"))]);
    for number in 0..NAMES {
        let name = format!("map-{number}");
        let path = path(&name);
        if chance.bool() {
            wanted.insert(name, format!("v{}", chance.u8(0..3)));
        } else if repo.work().join(&path).exists() {
            repo.remove(&path)?;
        }
    }
    for (name, value) in &wanted {
        repo.write(&path(name), map(name, value))?;
    }
    Ok((repo.commit_and_push("by chance")?, wanted))
}

fn path(name: &str) -> String {
    format!("{name}.yaml")
}
