//! Decides what happens to every object of a Sync, before anything happens.
//!
//! ```text
//! old inventory ┐
//! desired       ├─► plan ─► steps in the order of application, deletions in the reverse order
//! live metadata ┘
//! ```
//!
//! Flow of safety:
//! 1. An object that another existing Sync owns is not touched: not applied, not deleted.
//! 2. Only what the old inventory names is ever deleted, and only while it carries our labels.
//! 3. What the live object or the manifest asks for (`prune: disabled`, …) beats everything else.
//! 4. What is not deleted although it left git stays in the inventory where it may be ours still.

use crate::drift::{Ignore, examine};
use crate::hash;
use crate::health::is_transient;
use crate::inventory::Inventory;
use crate::live::Metadata;
use crate::object::{Desired, ObjectId};
use crate::order;
use crate::owner::Owner;
use crate::settings::{Settings, Ssa};

mod guard;
#[cfg(test)]
mod tests;

pub use crate::drift::Drift;
pub use flux_crds::sync::DriftMode;
pub use guard::{Guard, Refusal};

/// What the decision on a desired object is made from.
pub struct Context<'a> {
    /// The Sync that plans.
    pub owner: &'a Owner,
    /// What the Sync had before this run.
    pub inventory: &'a Inventory,
    /// Returns what is known of an object in the cluster.
    pub look: &'a dyn Fn(&ObjectId) -> Sight<'a>,
    /// Says whether another Sync, named by the labels of an object, still exists.
    pub owner_exists: &'a dyn Fn(&Owner) -> bool,
    /// What happens to objects that others have changed.
    pub drift: DriftMode,
    /// Which of those changes are nobody's business.
    pub ignore: &'a Ignore,
    /// Which objects are applied.
    pub scope: Scope,
    /// Whether anything is deleted: `spec.prune`, and the guard has not refused.
    pub prune: bool,
}

/// What is known of an object in the cluster.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// It lives.
    Live(&'a Metadata),
    /// It does not exist, or not with our labels.
    Absent,
    /// Nobody has looked.
    Unseen,
}

impl<'a> Sight<'a> {
    fn live(self) -> Option<&'a Metadata> {
        match self {
            Self::Live(live) => Some(live),
            Self::Absent | Self::Unseen => None,
        }
    }
}

/// Which objects are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Those that differ, by their hashes; for what nobody has looked at, the record is trusted.
    #[default]
    Changed,
    /// Those that differ, and those that nobody could look at.
    Unverified,
    /// All, to verify what hashes cannot see.
    Everything,
}

/// Everything that shall happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<'a> {
    /// One step for each desired object, in the order of application.
    pub steps: Vec<Step<'a>>,
    /// One for each object that left git, in the order of deletion.
    pub deletions: Vec<Deletion>,
}

impl<'a> Plan<'a> {
    /// Returns the steps that write.
    pub fn applies(&self) -> impl Iterator<Item = &Step<'a>> {
        self.steps
            .iter()
            .filter(|step| matches!(step.action, Action::Apply(_)))
    }

    /// Returns the objects that belong to other Syncs, with their owners.
    pub fn conflicts(&self) -> impl Iterator<Item = (&'a Desired, &Owner)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Conflict(owner) => Some((step.object, owner)),
            Action::Skip | Action::Apply(_) | Action::Report(_) | Action::Leave(_) => None,
        })
    }

    /// Says whether the cluster is left as it is.
    pub fn is_noop(&self) -> bool {
        self.applies().next().is_none()
            && !self
                .deletions
                .iter()
                .any(|deletion| matches!(deletion.decision, Decision::Delete | Decision::Read))
    }
}

/// What happens to one desired object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<'a> {
    /// The object.
    pub object: &'a Desired,
    /// What happens to it.
    pub action: Action,
    /// What it asks for; says how it is applied.
    pub settings: Settings,
}

/// What happens to a desired object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is what it shall be.
    Skip,
    /// It is applied.
    Apply(Cause),
    /// It differs, and `spec.drift` says to report that and no more.
    Report(Drift),
    /// Nothing: another Sync owns it.
    Conflict(Owner),
    /// Nothing, for a reason of its own.
    Leave(Reason),
}

/// Why an object is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It does not exist, as far as is known.
    Created,
    /// It exists, and there is no record that it is as we want it.
    Adopted,
    /// Its manifest has changed.
    Changed,
    /// Somebody has changed it in the cluster.
    Drifted(Drift),
    /// To verify it, because that was asked for or nobody could look at it.
    Requested,
}

/// Why a desired object is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It asks not to be reconciled, or to be ignored.
    Disabled,
    /// It exists and shall be created only once.
    Exists,
    /// It is being deleted. An apply would succeed and the object vanish all the same, so it is to
    /// be planned again when it is gone.
    Terminating,
}

/// What happens to an object that left git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The object.
    pub id: ObjectId,
    /// Version of the API to delete it with.
    pub version: String,
    /// The live incarnation, as a precondition: another one is not ours to delete.
    pub uid: Option<String>,
    /// What happens to it.
    pub decision: Decision,
}

/// What happens to an object that left git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is deleted.
    Delete,
    /// It must be read, and then [`decide`] asked: nobody has looked at it.
    Read,
    /// It is gone already, or is no longer ours.
    Gone,
    /// It stays.
    Keep(Kept),
}

impl Decision {
    /// Says whether the object stays in the inventory, to be looked at again.
    ///
    /// What is deleted stays until its deletion has been seen.
    pub fn is_tracked(&self) -> bool {
        match self {
            Self::Delete | Self::Read | Self::Keep(Kept::Terminating | Kept::PruneOff) => true,
            Self::Gone | Self::Keep(Kept::NotOurs(_) | Kept::Disabled) => false,
        }
    }
}

/// Why an object that left git stays in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its labels name another Sync, or none.
    NotOurs(Option<Owner>),
    /// It asks to stay.
    Disabled,
    /// It is on its way out; one request is enough.
    Terminating,
    /// The Sync does not prune, or its guard refused to; a later run may.
    PruneOff,
}

/// Plans a run.
///
/// *Guarantees*: the answer depends on the arguments alone; each desired object has one step, each
/// object of the old inventory that is no longer desired one deletion.
pub fn plan<'a>(desired: &'a [Desired], context: &Context<'_>) -> Plan<'a> {
    let steps = desired.iter().map(|object| step(context, object));
    let deletions = context.inventory.difference(desired);
    let deletions = deletions.into_iter().map(|id| deletion(context, id));
    Plan {
        steps: order::sort(steps.collect(), |step| &step.object.id),
        deletions: order::sort_for_deletion(deletions.collect(), |deletion| &deletion.id),
    }
}

fn step<'a>(context: &Context<'_>, object: &'a Desired) -> Step<'a> {
    let sight = (context.look)(&object.id);
    let settings = Settings::of(Some(&object.value), sight.live());
    let action = match sight {
        _ if !settings.reconcile || settings.ssa == Ssa::Ignore => Action::Leave(Reason::Disabled),
        Sight::Unseen => trust(context, object),
        Sight::Absent => create(context, object),
        Sight::Live(live) => update(context, object, live, settings),
    };
    Step {
        object,
        action,
        settings,
    }
}

fn trust(context: &Context<'_>, object: &Desired) -> Action {
    let entry = context.inventory.get(&object.id);
    match entry.and_then(|entry| entry.record) {
        None => Action::Apply(Cause::Created),
        Some(record) if record.desired != object.hash => Action::Apply(Cause::Changed),
        Some(_) => match (context.scope, context.drift) {
            (Scope::Everything, _) | (Scope::Unverified, DriftMode::Repair) => {
                Action::Apply(Cause::Requested)
            }
            (Scope::Changed, _) | (Scope::Unverified, DriftMode::Warn | DriftMode::Ignore) => {
                Action::Skip
            }
        },
    }
}

fn create(context: &Context<'_>, object: &Desired) -> Action {
    let entry = context.inventory.get(&object.id);
    match entry.and_then(|entry| entry.record) {
        Some(record)
            if record.desired == object.hash && is_transient(&object.id.kind, &object.value) =>
        {
            Action::Skip
        }
        Some(record) if record.desired == object.hash => drifted(context, Drift::Missing),
        _ => Action::Apply(Cause::Created),
    }
}

fn update(context: &Context<'_>, object: &Desired, live: &Metadata, settings: Settings) -> Action {
    if let Some(owner) = Owner::of(&live.labels)
        && owner != *context.owner
        && (context.owner_exists)(&owner)
    {
        return Action::Conflict(owner);
    }
    if live.is_terminating() {
        return Action::Leave(Reason::Terminating);
    }
    if settings.ssa == Ssa::IfNotPresent {
        return Action::Leave(Reason::Exists);
    }
    if context.scope == Scope::Everything {
        return Action::Apply(Cause::Requested);
    }
    let entry = context.inventory.get(&object.id);
    let Some(record) = entry.and_then(|entry| entry.record) else {
        return Action::Apply(Cause::Adopted);
    };
    if record.desired != object.hash {
        return Action::Apply(Cause::Changed);
    }
    if hash::owned_hash(&live.managed_fields) == Some(record.owned) {
        return Action::Skip;
    }
    match examine(object, live, context.ignore).drift {
        Some(drift) => drifted(context, drift),
        None => Action::Skip,
    }
}

fn drifted(context: &Context<'_>, drift: Drift) -> Action {
    match (context.drift, context.scope) {
        (DriftMode::Repair, _) | (_, Scope::Everything) => Action::Apply(Cause::Drifted(drift)),
        (DriftMode::Warn, Scope::Changed | Scope::Unverified) => Action::Report(drift),
        (DriftMode::Ignore, Scope::Changed | Scope::Unverified) => Action::Skip,
    }
}

fn deletion(context: &Context<'_>, id: ObjectId) -> Deletion {
    let sight = (context.look)(&id);
    let entry = context.inventory.get(&id);
    let decision = match sight {
        Sight::Live(live) => decide(context.owner, live, context.prune),
        Sight::Absent => Decision::Gone,
        Sight::Unseen if context.prune => Decision::Read,
        Sight::Unseen => Decision::Keep(Kept::PruneOff),
    };
    Deletion {
        version: entry.map_or_else(String::new, |entry| entry.version.clone()),
        uid: sight.live().map(|live| live.uid.clone()),
        decision,
        id,
    }
}

/// Decides on an object that lives and left git. The order of the questions is that of safety.
pub fn decide(owner: &Owner, live: &Metadata, prune: bool) -> Decision {
    let labelled = Owner::of(&live.labels);
    if labelled.as_ref() != Some(owner) {
        return Decision::Keep(Kept::NotOurs(labelled));
    }
    if !Settings::of(None, Some(live)).prune {
        return Decision::Keep(Kept::Disabled);
    }
    if live.is_terminating() {
        return Decision::Keep(Kept::Terminating);
    }
    if !prune {
        return Decision::Keep(Kept::PruneOff);
    }
    Decision::Delete
}
