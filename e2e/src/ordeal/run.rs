//! An ordeal by chance: rounds of faults, and after each the question whether the cluster equals git.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use flux_crds::{GitRepository, Sync};

use super::chance::{self, Shared, lock};
use super::{Losses, Ordeal, SOURCE, SYNC, inventory};
use crate::git_server::Conduct;
use crate::reconcile;

/// Revisions that are pushed in a round while there are faults.
const TURNS: usize = 4;
/// In one in so many of them the controller is killed.
const KILL_ODDS: u8 = 4;
/// About as many writes as a revision makes.
const MOST_WRITES: usize = 12;

/// Rounds that follow from a seed.
pub struct Run {
    ordeal: Ordeal,
    chance: fastrand::Rng,
    tally: Shared,
    report: Report,
}

/// What came of the rounds so far.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What all choices follow from.
    pub seed: u64,
    /// Revisions, those pushed in the calm after each round included.
    pub revisions: usize,
    /// Requests to the API server while there were faults.
    pub requests: usize,
    /// What became of some of them, by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// Revisions for which the git server behaved in a way, by way.
    pub git: BTreeMap<&'static str, usize>,
    /// How often the controller was killed.
    pub kills: usize,
    /// For each round, the time from the end of the faults, when a last revision is announced, until it was applied.
    pub recoveries: Vec<Duration>,
    /// What was lost on the way.
    pub losses: Losses,
    /// How cluster and git differed after a recovery.
    pub differences: Vec<String>,
}

impl Report {
    /// Tells whether nothing was lost and the cluster was what git said after each round.
    pub fn is_sound(&self) -> bool {
        self.losses.are_none() && self.differences.is_empty()
    }
}

impl Run {
    /// Starts everything; no fault yet.
    pub async fn begin(seed: u64) -> Result<Self> {
        Ok(Self {
            ordeal: Ordeal::begin().await?,
            chance: fastrand::Rng::with_seed(seed),
            tally: Shared::default(),
            report: Report {
                seed,
                ..Report::default()
            },
        })
    }

    /// Has faults for some revisions, and then none until the cluster equals git.
    ///
    /// # Errors
    /// When it does not come to that at all.
    pub async fn round(&mut self) -> Result<()> {
        let (seed, number) = (self.report.seed, self.report.recoveries.len() + 1);
        let suffered = async {
            self.make_trouble();
            for _ in 0..TURNS {
                self.turn().await?;
            }
            self.recover().await
        };
        suffered
            .await
            .with_context(|| format!("round {number} of the faults with seed {seed}"))
    }

    /// Returns what came of it so far.
    pub fn report(&self) -> Report {
        let tally = lock(&self.tally);
        Report {
            requests: tally.requests,
            faults: tally.faults.clone(),
            ..self.report.clone()
        }
    }

    /// Pushes a revision to a git server that may misbehave, and lets the Sync try it, or kills the controller meanwhile.
    async fn turn(&mut self) -> Result<()> {
        self.push()?;
        let (kind, conduct) = chance::conduct(&mut self.chance);
        *self.report.git.entry(kind).or_default() += 1;
        self.ordeal.server.set_conduct(conduct);
        let sources = self.ordeal.namespace.api::<GitRepository>();
        reconcile::now(&sources, SOURCE).await?;
        if self.chance.u8(0..KILL_ODDS) == 0 {
            self.kill().await?;
        } else {
            reconcile::now(&self.ordeal.syncs(), SYNC).await?;
        }
        self.look_for_losses().await
    }

    /// Kills the controller at one of its next writes, or when it has made fewer, and starts it again.
    async fn kill(&mut self) -> Result<()> {
        let write = self.chance.usize(1..=MOST_WRITES);
        let mut hangs = self.ordeal.door.hang_at(write);
        let syncs = self.ordeal.syncs();
        tokio::select! {
            hangs = hangs.wait_for(|hangs| *hangs) => hangs.map(drop).context("the door is closed")?,
            ended = reconcile::now(&syncs, SYNC) => ended.map(drop)?,
        }
        self.report.kills += 1;
        self.ordeal.controller.kill();
        self.look_for_losses().await?;
        self.make_trouble();
        self.ordeal.controller.restart().await
    }

    /// From now on, requests to the API server have faults.
    fn make_trouble(&mut self) {
        let door = chance::at_the_door(self.chance.fork(), Shared::clone(&self.tally));
        self.ordeal.door.set(door);
    }

    /// Ends the faults, and waits until another revision is applied: one that was taken back is not tried again by itself.
    async fn recover(&mut self) -> Result<()> {
        let (commit, wanted) = self.push()?;
        self.ordeal.server.set_conduct(Conduct::Good);
        self.ordeal.door.open();
        let calm = Instant::now();
        self.ordeal.announce().await?;
        let sync = reconcile::applied(&self.ordeal.syncs(), SYNC, &commit).await?;
        self.report.recoveries.push(calm.elapsed());
        self.compare(&sync, &wanted).await?;
        self.look_for_losses().await
    }

    fn push(&mut self) -> Result<(String, BTreeMap<String, String>)> {
        self.report.revisions += 1;
        chance::revision(&self.ordeal.repo, &mut self.chance, self.report.revisions)
    }

    async fn compare(&mut self, sync: &Sync, wanted: &BTreeMap<String, String>) -> Result<()> {
        let (live, known) = (self.ordeal.live().await?, inventory(sync));
        if live != *wanted || !known.iter().eq(wanted.keys()) {
            let round = self.report.recoveries.len();
            self.report.differences.push(format!(
                "round {round}: git has {wanted:?}, the cluster {live:?}, the inventory {known:?}"
            ));
        }
        Ok(())
    }

    async fn look_for_losses(&mut self) -> Result<()> {
        self.report.losses.add(self.ordeal.losses().await?);
        Ok(())
    }
}
