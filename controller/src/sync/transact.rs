//! Claim, check, apply, prune: the part of a reconcile that writes to the cluster.
//!
//! Safety, in this order: 1. every object is claimed, so that no two Syncs fight; 2. everything is dry-run, and any refusal
//! ends it here; 3. the inventory is written as the union of old and new before the first write, so that whatever happens
//! next, nothing is orphaned; 4. pre-sync hooks, and none may fail; 5. apply, wave by wave, each healthy before the next;
//! 6. prune, last, and only what the inventory held before.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use flux_core::change::Change;
use flux_core::conclude::{Finding, Outcome};
use flux_core::inventory::Inventory;
use flux_core::object::{Desired, ObjectId};
use flux_core::sequence::Wave;
use flux_core::settings::Settings;
use flux_crds::sync::HookPhase;
use flux_crds::{Reason, Sync};
use flux_engine::cluster::Cluster;
use flux_engine::cluster::transaction::{self, Applied, Beside, Item, Transaction};

use super::course::Course;
use super::halt::Halt;
use super::health::{Targets, Verdict, Wait};
use super::hooks::{Hooks, Place};
use super::memory::{Memory, write_inventory};
use super::pace::{Pace, superseded};
use super::plan::{self, Work};
use super::record::Recorder;
use crate::claims::{Claims, Conflict};
use crate::key::Key;
use crate::notify;

mod pruning;

pub(crate) use pruning::settle;

/// Time that definitions get until they can be used.
const DEFINITIONS_READY: Duration = Duration::from_mins(1);
/// What a Sync hears of objects of others that no dry-run says it may write.
const UNCERTAIN: &str = "objects belong to other Syncs, and whether this one may write them cannot be told before others are applied; take them out of the source";
/// The API server dates an apply by the second: two applies of an object within this time may leave the same record.
const TOLD_APART: Duration = Duration::from_secs(2);

/// What a transaction works with.
pub(crate) struct Transact<'a> {
    /// The Sync.
    pub(crate) sync: &'a Sync,
    /// Its key.
    pub(crate) key: &'a Key,
    /// The revision.
    pub(crate) revision: &'a str,
    /// The target.
    pub(crate) cluster: &'a Cluster,
    /// All claims.
    pub(crate) claims: &'a Claims,
    /// Writes the status.
    pub(crate) recorder: &'a Recorder<'a>,
    /// Objects of which something is left to others on purpose.
    pub(crate) yielding: HashSet<ObjectId>,
    /// What runs around the objects.
    pub(crate) hooks: &'a Hooks,
    /// The objects of each wave, changed or not, if a wave waits for the one before: when a revision is rolled out, and not
    /// when it is restored, or only repaired.
    pub(crate) waves: BTreeMap<Wave, Targets>,
}

impl Transact<'_> {
    /// Applies what has changed and deletes what left the source. Returns what it did to the cluster, also when it
    /// failed half-way; the inventory in `memory` is right in both cases.
    pub(crate) async fn run(
        &self,
        memory: &mut Memory,
        pace: &mut Pace<'_>,
        Work {
            changed: pending,
            kept,
            stale,
            ..
        }: Work,
    ) -> (Vec<Change>, Result<(), Halt>) {
        let has_news = !(pending.is_empty() && stale.is_empty());
        let hooks = self.hooks.all.iter().map(|hook| &hook.job.id);
        let wanted: Vec<ObjectId> = pending
            .iter()
            .map(|object| &object.id)
            .chain(hooks)
            .cloned()
            // What is left alone and was never ours is nobody's claim: no dry-run has asked whether this Sync may write it.
            .chain(kept.into_iter().filter(|id| memory.inventory.contains(id)))
            .collect();
        let mut changes = Vec::new();
        let result = async {
            let transaction = self.begin(memory, pending, wanted).await?;
            if has_news && !matches!(memory.course, Course::RolledBack(_)) {
                self.tell_progress(memory);
            }
            self.before(memory, pace).await?;
            self.apply(memory, pace, transaction, &mut changes).await?;
            self.prune(memory, &stale, &mut changes).await
        };
        let result = result.await;
        (changes, result)
    }

    /// Claims and dry-runs everything, and writes the inventory.
    async fn begin(
        &self,
        memory: &mut Memory,
        mut pending: Vec<Desired>,
        mut wanted: Vec<ObjectId>,
    ) -> Result<Transaction<'_>, Halt> {
        let mut conflicts = self.claims.claim(self.key, wanted.iter());
        if matches!(memory.course, Course::RolledBack(_)) && !conflicts.is_empty() {
            // What has moved to another Sync since is that one's, and no reason to leave the rest as it is.
            let moved: HashSet<ObjectId> = conflicts.drain(..).map(|one| one.id).collect();
            wanted.retain(|id| !moved.contains(id));
            pending.retain(|desired| !moved.contains(&desired.id));
            conflicts = self.claims.claim(self.key, wanted.iter());
        }
        if !conflicts.is_empty() {
            return Err(self.contend(memory, pending, &conflicts).await);
        }
        match self.check(memory, pending).await {
            Ok(transaction) => {
                self.announce(memory, &transaction).await?;
                Ok(transaction)
            }
            Err(halt) => {
                self.unclaim(&memory.inventory, &wanted);
                Err(halt)
            }
        }
    }

    fn tell_progress(&self, memory: &mut Memory) {
        let Recorder { context, sync, .. } = self.recorder;
        notify::progress(context, *sync, &mut memory.notified, self.revision);
    }

    async fn before(&self, memory: &mut Memory, pace: &mut Pace<'_>) -> Result<(), Halt> {
        let phase = HookPhase::PreSync;
        if matches!(memory.course, Course::RolledBack(_)) || !self.hooks.are_due(memory, phase) {
            return Ok(());
        }
        self.place().run(self.hooks, phase, memory, pace).await
    }

    /// Returns where hooks run.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            recorder: self.recorder,
            cluster: self.cluster,
            revision: self.revision,
        }
    }

    /// Says whose the objects are that belong to others. To a Sync that may not write them, they are none of its business:
    /// the API server's refusal is all that it hears.
    async fn contend(
        &self,
        memory: &Memory,
        pending: Vec<Desired>,
        conflicts: &[Conflict],
    ) -> Halt {
        let is_foreign =
            |desired: &Desired| conflicts.iter().any(|conflict| conflict.id == desired.id);
        let foreign = pending.into_iter().filter(is_foreign).collect();
        let jobs = self.jobs(memory).into_iter().filter(is_foreign).collect();
        match self.judge(foreign, jobs).await {
            Err(refused) => Halt::refused(Reason::Rejected, "nothing was applied", &refused),
            Ok(judged)
                if conflicts
                    .iter()
                    .all(|conflict| judged.accepts(&conflict.id)) =>
            {
                self.claims.wish(self.key, conflicts);
                Halt::conflicts(conflicts)
            }
            Ok(_) => Halt::failed(Reason::Conflict, UNCERTAIN),
        }
    }

    /// Gives up the claims to objects that were not applied after all, so that another Sync may have them.
    fn unclaim(&self, inventory: &Inventory, wanted: &[ObjectId]) {
        for id in wanted.iter().filter(|id| !inventory.contains(id)) {
            self.claims.release(self.key, id);
        }
    }

    /// Dry-runs everything, the hooks that are to run included.
    async fn check(&self, memory: &Memory, pending: Vec<Desired>) -> Result<Transaction<'_>, Halt> {
        let mut jobs: Vec<Desired> = match memory.course {
            Course::RolledBack(_) => Vec::new(),
            Course::Newest | Course::Held(_) => self.jobs(memory),
        };
        jobs.dedup_by(|left, right| left.id == right.id);
        let ids: BTreeSet<ObjectId> = jobs.iter().map(|job| job.id.clone()).collect();
        let judged = self.judge(pending, jobs).await;
        let mut transaction = judged.map_err(|failures| {
            Halt::refused(Reason::Rejected, "nothing was applied", &failures)
        })?;
        // They are applied at their own time.
        drop(transaction.take(|desired| ids.contains(&desired.id)));
        Ok(transaction)
    }

    fn jobs(&self, memory: &Memory) -> Vec<Desired> {
        let mut jobs: Vec<Desired> = self
            .hooks
            .pending(memory)
            .map(|hook| hook.job.clone())
            .collect();
        jobs.sort_by(|left, right| left.id.cmp(&right.id));
        jobs
    }

    /// Dry-runs objects, and Jobs which are created anew if they exist.
    async fn judge(
        &self,
        pending: Vec<Desired>,
        jobs: Vec<Desired>,
    ) -> Result<Transaction<'_>, Vec<transaction::Failure>> {
        let force = self.sync.spec.forces();
        let item = |desired: Desired| Item {
            force: force || Settings::of(Some(&desired.value), None).force,
            beside: if self.yielding.contains(&desired.id) {
                Beside::Left
            } else {
                Beside::TakenOver
            },
            desired,
        };
        let job = |desired: Desired| Item {
            force: true,
            beside: Beside::TakenOver,
            desired,
        };
        let sorted = flux_core::order::sort(pending, |desired| &desired.id);
        let items = sorted
            .into_iter()
            .map(item)
            .chain(jobs.into_iter().map(job));
        Transaction::check(self.cluster, items.collect()).await
    }

    /// Writes the union of old and new inventory. Nothing is sent when the union is the old one.
    ///
    /// Where the applies to come could not be told from the last ones by their records, the records go first: if the process
    /// dies on the way, the next one knows that it does not know.
    async fn announce(
        &self,
        memory: &mut Memory,
        transaction: &Transaction<'_>,
    ) -> Result<(), Halt> {
        let union = self.hooks.announce(&memory.inventory);
        let mut union = union.union(transaction.desired());
        let is_soon = memory
            .wrote
            .is_none_or(|wrote| wrote.elapsed() < TOLD_APART);
        let is_unsure = is_soon && union.doubt(transaction.desired());
        if union.len() == memory.inventory.len() && !is_unsure {
            memory.inventory = union;
            return Ok(());
        }
        let can_go_back = memory.status.last_applied_revision.is_some();
        if memory.course == Course::Newest && can_go_back {
            union.mark_new(&memory.inventory);
        }
        let before = std::mem::replace(&mut memory.inventory, union);
        let finding = Finding::new(Reason::Progressing, format!("applying {}", self.revision));
        let mut status = self.recorder.status(memory, &Outcome::Progressing(finding));
        if memory.course.rolled_back().is_none() {
            status.last_attempted_revision = Some(self.revision.to_owned());
        }
        status.inventory = write_inventory(&memory.inventory);
        let written = self.recorder.write(memory, status).await;
        if written.is_err() {
            // What does not stand in the status must not count as announced, or the next try would apply without it.
            memory.inventory = before;
        }
        written.map_err(|error| Halt::api("write the inventory", &error))
    }

    /// Applies wave by wave. Behind the last one in which something is to be applied, nobody waits here.
    async fn apply(
        &self,
        memory: &mut Memory,
        pace: &mut Pace<'_>,
        mut transaction: Transaction<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Halt> {
        let wave_of = |desired: &Desired| Wave::of(&desired.value);
        let Some(last) = transaction.desired().map(wave_of).max() else {
            return Ok(());
        };
        let waves: BTreeSet<Wave> = transaction
            .desired()
            .map(wave_of)
            .chain(self.waves.keys().copied())
            .filter(|wave| *wave <= last)
            .collect();
        for wave in waves {
            let part = transaction.take(|desired| wave_of(desired) == wave);
            self.write(memory, part, changes).await?;
            if wave < last
                && let Some(targets) = self.waves.get(&wave)
            {
                self.settle(memory, pace, (wave, targets)).await?;
            }
        }
        Ok(())
    }

    /// Waits until a wave is healthy. One that is not leaves the cluster between two revisions, as an apply that failed does.
    async fn settle(
        &self,
        memory: &mut Memory,
        pace: &mut Pace<'_>,
        (wave, targets): (Wave, &Targets),
    ) -> Result<(), Halt> {
        // What this wave has just changed is no drift, which would end the wait.
        let Recorder { context, sync, .. } = self.recorder;
        memory.lookout.arm(context, sync, &memory.inventory);
        let wait = Wait {
            recorder: self.recorder,
            cluster: self.cluster,
            revision: self.revision,
            rules: pace.rules(),
        };
        match pace.wait(&wait, memory, targets.clone()).await? {
            Verdict::Healthy => Ok(()),
            Verdict::Superseded => Err(superseded()),
            verdict @ Verdict::Unhealthy(_) => Err(Halt::failed(
                Reason::ApplyFailed,
                format!("{wave} is not healthy, and later waves were not applied: {verdict}"),
            )),
        }
    }

    async fn write(
        &self,
        memory: &mut Memory,
        transaction: Transaction<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Halt> {
        let report = transaction.apply(DEFINITIONS_READY).await;
        memory.wrote = Some(Instant::now());
        for Applied {
            change,
            desired,
            metadata,
        } in report.applied
        {
            memory
                .inventory
                .record(&desired, metadata.as_ref().and_then(plan::owned));
            changes.push(change);
        }
        if report.failures.is_empty() {
            return Ok(());
        }
        let applied = changes
            .iter()
            .filter(|change| change.action.is_change())
            .count();
        let headline = format!("applied {applied} objects, then failed");
        Err(Halt::refused(
            Reason::ApplyFailed,
            &headline,
            &report.failures,
        ))
    }
}
