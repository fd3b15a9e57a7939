//! What is done about drift: objects are put back, or reported, as the Sync says.

use std::time::{Duration, Instant};

use flux_core::drift::{Drift, Examined, Ignore, Lost, Sighting, examine, yielding};
use flux_core::hash::owned_hash;
use flux_core::health::is_transient;
use flux_core::live::Metadata;
use flux_core::object::{Desired, ObjectId};
use flux_core::order::Stage;
use flux_core::settings::{Settings, Ssa};
use flux_crds::Sync;
use flux_crds::sync::DriftMode;
use flux_engine::cluster::Cluster;
use flux_engine::cluster::repair::{Repaired, repair};
use flux_engine::cluster::transaction::{Item, ItemError};

use futures::{FutureExt as _, StreamExt as _, stream};

use super::conclude;
use super::look::{Found, look};
use super::lookout::{Standing, mode, sighting};
use super::tell::{Deed, tell};
use super::yielded::beside;
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::sources::Served;
use crate::sync::build::{self, owner};
use crate::sync::gather;
use crate::sync::halt::without_values;
use crate::sync::memory::Memory;

/// More objects than these at once are left to a reconcile, which lists once for all.
const MANY: usize = 64;
/// Repairs under way at once.
const AT_ONCE: usize = 16;
/// Time until an object that could not be read is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What has to be done after drift was attended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Rest,
    /// A reconcile, which looks at everything. One that drift asks for again and again comes ever later.
    Reconcile,
}

/// An object that has drifted, and what to put in its place.
struct Patient {
    desired: Desired,
    drift: Drift,
    live: Option<Box<Metadata>>,
    yielded: Vec<Lost>,
}

/// Looks at what was seen, and puts back what others changed.
pub(crate) async fn attend(
    context: &Context,
    sync: &Sync,
    memory: &mut Memory,
    served: Served,
) -> Next {
    let is_over = sync.spec.is_suspended() || sync.metadata.deletion_timestamp.is_some();
    if is_over || mode(sync) == DriftMode::Ignore {
        memory.lookout.disarm();
        return Next::Rest;
    }
    let now = Instant::now();
    memory.lookout.cache.expire(now);
    if memory.lookout.has_new_refusals() {
        memory.lookout.arm(context, sync, &memory.inventory);
        memory.lookout.soil();
    }
    let next = mend(context, sync, memory, served).await;
    if memory.lookout.shows_at().is_some_and(|at| at <= now) {
        conclude::show(context, sync, memory).await;
    }
    if next == Next::Reconcile {
        memory.lookout.calls.call(now);
    }
    if memory.lookout.calls.take(now) {
        Next::Reconcile
    } else {
        Next::Rest
    }
}

async fn mend(context: &Context, sync: &Sync, memory: &mut Memory, served: Served) -> Next {
    let now = Instant::now();
    let Some(target) = memory.lookout.target().cloned() else {
        return Next::Rest;
    };
    let suspects = memory.lookout.take_suspects(&memory.inventory, now);
    if suspects.is_empty() {
        return Next::Rest;
    }
    // One that failed would fail again and put nothing back.
    let can_reconcile = memory.is_ready();
    if suspects.len() > MANY && can_reconcile {
        return Next::Reconcile;
    }
    // A rule that cannot be read has stopped the Sync already.
    let list = sync
        .spec
        .drift
        .as_ref()
        .map_or(&[][..], |drift| &drift.ignore);
    let ignore = Ignore::new(list).unwrap_or_default();
    let found = look(&target, &memory.inventory, &owner(sync), suspects).await;
    let found = sort_out(memory, found, now);
    if found.is_empty() {
        return Next::Rest;
    }
    let needs_stages = |id: &ObjectId| Stage::of(id) == Stage::Definitions;
    if mode(sync) == DriftMode::Repair
        && can_reconcile
        && (found.iter()).any(|(id, live)| live.is_none() && needs_stages(id))
    {
        return Next::Reconcile;
    }
    let ids: Vec<&ObjectId> = found.iter().map(|(id, _)| id).collect();
    if !fill(context, sync, memory, (&ids, served)).await {
        return Next::Reconcile;
    }
    let mut patients = Vec::new();
    for (id, live) in found {
        patients.extend(diagnose(memory, &ignore, &id, live));
    }
    match mode(sync) {
        DriftMode::Repair => cure(context, sync, memory, (&target, patients)).await,
        DriftMode::Warn | DriftMode::Ignore => {
            report(context, sync, memory, patients);
            Next::Rest
        }
    }
}

/// Returns what has drifted; what is fine is settled, and what nobody knows is put off.
fn sort_out(
    memory: &mut Memory,
    found: Vec<(ObjectId, Found)>,
    now: Instant,
) -> Vec<(ObjectId, Option<Box<Metadata>>)> {
    let mut drifted = Vec::new();
    for (id, found) in found {
        match found {
            Found::Fine(hash) => {
                memory.lookout.accept(&id, Sighting::Changed(hash));
                memory.lookout.settle(&id);
            }
            Found::Leaving => {}
            Found::Missing => drifted.push((id, None)),
            Found::Changed(live) => drifted.push((id, Some(live))),
            Found::Unknown(error) => {
                tracing::debug!(object = %id, error = %chain(&error), "drifted object not read");
                let standing = Standing {
                    drift: Drift::Fields {
                        managers: Vec::new(),
                        paths: Vec::new(),
                    },
                    due: Some(now + LOOK_AGAIN),
                    is_contested: false,
                };
                memory.lookout.stand(id, standing);
            }
        }
    }
    drifted
}

/// Makes sure that all objects are in the cache as they were applied, by one build of the applied revision if need be.
async fn fill(
    context: &Context,
    sync: &Sync,
    memory: &mut Memory,
    (ids, served): (&[&ObjectId], Served),
) -> bool {
    if has_all(memory, ids) {
        return true;
    }
    let built = async {
        let gathered = gather::applied(context, sync, &memory.status, served).await?;
        build::build(context, sync, &gathered).await
    };
    match built.await {
        Ok(made) => memory.lookout.cache.fill(made.desired),
        Err(halt) => {
            let error = &halt.outcome.finding().message;
            tracing::info!(object = %Key::of(&sync.metadata), %error, "applied revision not built for a repair");
            return false;
        }
    }
    has_all(memory, ids)
}

fn has_all(memory: &mut Memory, ids: &[&ObjectId]) -> bool {
    ids.iter().all(|id| desired(memory, id).is_some())
}

/// Returns an object as it was applied.
fn desired(memory: &mut Memory, id: &ObjectId) -> Option<Desired> {
    let record = memory.inventory.get(id)?.record?;
    memory.lookout.cache.get(id, record.desired)
}

/// Returns the object if it has drifted in the sense of the Sync.
fn diagnose(
    memory: &mut Memory,
    ignore: &Ignore,
    id: &ObjectId,
    live: Option<Box<Metadata>>,
) -> Option<Patient> {
    let desired = desired(memory, id)?;
    let settings = Settings::of(Some(&desired.value), live.as_deref());
    let is_settled = !settings.reconcile
        || match settings.ssa {
            Ssa::Ignore => true,
            Ssa::IfNotPresent => live.is_some(),
            Ssa::Override | Ssa::Merge => false,
        };
    let Examined { drift, yielded } = match &live {
        None => Examined {
            // A Job that the cluster deletes when it is done is not missing.
            drift: (!is_transient(&id.kind, &desired.value)).then_some(Drift::Missing),
            yielded: Vec::new(),
        },
        Some(live) => examine(&desired, live, ignore),
    };
    if let (Some(drift), false) = (drift, is_settled) {
        return Some(Patient {
            desired,
            drift,
            live,
            yielded,
        });
    }
    memory.lookout.accept(id, sighting(live.as_deref()));
    memory.lookout.settle(id);
    None
}

fn report(context: &Context, sync: &Sync, memory: &mut Memory, patients: Vec<Patient>) {
    let mut news = Vec::new();
    for Patient {
        desired,
        drift,
        live,
        ..
    } in patients
    {
        // The next change of the same object is told again.
        memory
            .lookout
            .accept(&desired.id, sighting(live.as_deref()));
        let standing = Standing {
            drift: drift.clone(),
            due: None,
            is_contested: false,
        };
        if memory.lookout.stand(desired.id.clone(), standing) {
            news.push((desired.id, drift));
        }
    }
    tell(context, sync, Deed::Reported, &news);
}

/// Puts back what may be put back now; the rest waits for its time.
async fn cure(
    context: &Context,
    sync: &Sync,
    memory: &mut Memory,
    (target, patients): (&Cluster, Vec<Patient>),
) -> Next {
    let now = Instant::now();
    let mut contested = Vec::new();
    let mut urgent = Vec::new();
    for patient in patients {
        let fight = memory.lookout.fight(&patient.desired.id, now);
        if fight.due() <= now {
            urgent.push(patient);
            continue;
        }
        let standing = Standing {
            drift: patient.drift.clone(),
            due: Some(fight.due()),
            is_contested: fight.is_contested(),
        };
        let id = patient.desired.id;
        if memory.lookout.stand(id.clone(), standing) && fight.is_contested() {
            contested.push((id, patient.drift));
        }
    }
    tell(context, sync, Deed::Contested, &contested);
    let force = sync.spec.forces();
    let repairs = urgent
        .into_iter()
        .map(|patient| put_back(target, patient, force).boxed());
    let repairs: Vec<_> = stream::iter(repairs.collect::<Vec<_>>())
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    settle(context, sync, memory, repairs)
}

type Outcome = (Desired, Drift, Result<Repaired, ItemError>);

async fn put_back(target: &Cluster, patient: Patient, force: bool) -> Outcome {
    let Patient {
        desired,
        drift,
        live,
        yielded,
    } = patient;
    let force = force || Settings::of(Some(&desired.value), None).force;
    let item = Item {
        beside: beside(&yielded),
        desired: yielding(desired, &yielded),
        force,
    };
    let repaired = repair(target, &item, live.as_deref()).await;
    (item.desired, drift, repaired)
}

fn settle(context: &Context, sync: &Sync, memory: &mut Memory, repairs: Vec<Outcome>) -> Next {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let mut has_failed = false;
    for (desired, drift, repaired) in repairs {
        match repaired {
            Ok(Repaired::Done(metadata)) => {
                let hash = owned_hash(&metadata.managed_fields);
                memory.inventory.record(&desired, hash);
                memory.lookout.accept(&desired.id, Sighting::Changed(hash));
                memory.lookout.settle(&desired.id);
                done.push((desired.id, drift));
            }
            Ok(Repaired::LeftAlone) => memory.lookout.settle(&desired.id),
            Err(error) => {
                tracing::info!(object = %desired.id, error = %without_values(&error), "drifted object not put back");
                let standing = Standing {
                    drift: drift.clone(),
                    due: None,
                    is_contested: false,
                };
                has_failed = true;
                if memory.lookout.stand(desired.id.clone(), standing) {
                    failed.push((desired.id, drift));
                }
            }
        }
    }
    if !done.is_empty() {
        memory.lookout.repaired = Some(tell(context, sync, Deed::Repaired, &done));
        memory.lookout.soil();
    }
    tell(context, sync, Deed::Failed, &failed);
    if has_failed {
        Next::Reconcile
    } else {
        Next::Rest
    }
}
