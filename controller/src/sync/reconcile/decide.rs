//! What a reconcile decides before it writes.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use flux_core::drift::Ignore;
use flux_core::health::is_transient;
use flux_core::inventory::Inventory;
use flux_core::object::{Desired, ObjectId};
use flux_core::plan::Guard;
use flux_crds::sync::DriftMode;
use flux_crds::{Reason, names};
use flux_engine::cluster::Cluster;
use flux_engine::cluster::survey::Survey;

use super::super::build::{Made, owner};
use super::super::course::Course;
use super::super::drift::{self, Deed};
use super::super::halt::Halt;
use super::super::health::Targets;
use super::super::hooks::{self, Hooks};
use super::super::memory::{Built, Memory};
use super::super::plan::{self, Work};
use super::super::wakeups::token;
use super::{DAY, Run, SPREAD};
use crate::context::Context;

impl Run<'_> {
    /// Decides what to apply and what to delete, and tells of drift that stays.
    pub(super) fn plan(
        &self,
        memory: &mut Memory,
        (survey, is_full): (Option<&Survey>, bool),
        (desired, hooks): (Vec<Desired>, &Hooks),
    ) -> Work {
        let owner = owner(self.sync);
        let drift = (drift::mode(self.sync), &self.ignore(), is_full);
        let known = hooks.without(&memory.inventory);
        let mut work = plan::split(&owner, &known, survey, drift, desired);
        if matches!(memory.course, Course::RolledBack(_)) {
            work.stale.retain(|id| !hooks::is_rescue(memory, id));
        }
        if !self.sync.spec.prunes() {
            let is_rollback = matches!(memory.course, Course::RolledBack(_));
            // It stays in the inventory, for the day on which the Sync prunes again; but for what a failed revision brought.
            let is_stale = |id: &ObjectId| is_rollback && is_new(&memory.inventory, id);
            let (stale, left) = work.stale.into_iter().partition(is_stale);
            work.stale = stale;
            work.left.extend::<Vec<ObjectId>>(left);
        }
        let reported = std::mem::take(&mut work.reported);
        let mut news = memory.lookout.has_surveyed(survey, &work.kept, reported);
        // A process that has just begun finds again what stands in the status.
        news.retain(|(id, drift)| !drift::is_listed(&memory.status, id, drift));
        drift::tell(self.context, self.sync, Deed::Reported, &news);
        memory.inventory.release(&work.left);
        work
    }

    /// Leaves to others what the spec says, and returns the objects that this was done to.
    pub(super) async fn leave(
        &self,
        target: &Cluster,
        known: (&Inventory, Option<&Survey>),
        changed: &mut [Desired],
    ) -> Result<HashSet<ObjectId>, Halt> {
        let left = drift::leave(target, known, &self.ignore(), changed).await;
        left.map_err(|error| Halt::cluster("look at what drift.ignore leaves", &error))
    }

    /// Tells whether it is time to apply everything, to put right what no hash shows, or whether someone asks for it. A process
    /// that has just begun has the records of the last one, so its first day counts in full.
    pub(super) fn is_full_due(&self, memory: &mut Memory) -> bool {
        let annotations = self.sync.metadata.annotations.as_ref();
        let asked = annotations.and_then(|annotations| annotations.get(names::FULL));
        let token = token(&self.sync.metadata);
        if asked.is_some()
            && asked == token.as_ref()
            && token != memory.status.last_handled_reconcile
        {
            return true;
        }
        let since = *memory.verified.get_or_insert_with(Instant::now);
        let day = DAY.mul_f64(1.0 + SPREAD * Context::jitter(self.key));
        drift::mode(self.sync) == DriftMode::Repair && since.elapsed() >= day
    }

    /// Returns the changes by others that are nobody's business.
    pub(super) fn ignore(&self) -> Ignore {
        let rules = self.sync.spec.drift.as_ref();
        let rules = rules.map_or(&[][..], |drift| &drift.ignore);
        // A rule that cannot be read has ended the reconcile before.
        Ignore::new(rules).unwrap_or_default()
    }

    /// Refuses a revision that would delete more than the spec allows.
    pub(super) fn guard(&self, memory: &Memory, revision: &str, made: &Made) -> Result<(), Halt> {
        let guard = Guard::of(self.sync.spec.prune_guard.as_ref());
        let known = made.hooks.without(&memory.inventory);
        let known = match memory.course {
            // What the failed revision brought goes with it.
            Course::RolledBack(_) => known.without_new(),
            Course::Newest | Course::Held(_) => known,
        };
        guard
            .check(&known, &made.desired)
            .map_err(|refusal| Halt::failed(Reason::PruneRefused, format!("{revision}: {refusal}")))
    }

    /// Returns what a build looked at, for the next reconcile.
    pub(super) fn built(&self, made: &mut Made, targets: Option<Targets>) -> Built {
        Built {
            generation: self.sync.metadata.generation,
            targets,
            transient: transient(made),
            reads: std::mem::take(&mut made.reads),
            print: made.print,
        }
    }
}

fn is_new(inventory: &Inventory, id: &ObjectId) -> bool {
    inventory.get(id).is_some_and(|entry| entry.is_new)
}

fn transient(made: &Made) -> BTreeSet<ObjectId> {
    let is_done = |object: &&Desired| is_transient(&object.id.kind, &object.value);
    let objects = made.desired.iter().filter(is_done);
    let jobs = made.hooks.all.iter().map(|hook| &hook.job);
    objects
        .chain(jobs)
        .map(|object| object.id.clone())
        .collect()
}
