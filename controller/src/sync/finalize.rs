//! The end of a Sync: what it applied goes with it, unless it says otherwise. It must never wedge.
//!
//! Safety, in this order: 1. only what the inventory holds is deleted, by the same rules as any prune; 2. what cannot be
//! deleted keeps the Sync, and is tried again; 3. only when the account to act as, or the Secret that names another cluster,
//! does not exist any more, so that no retry could ever help, the Sync goes and an event names what it leaves behind.

use std::fmt::Write as _;
use std::time::Duration;

use flux_core::conclude::{Event, Finding, Outcome, Pace};
use flux_core::inventory::Inventory;
use flux_core::object::ObjectId;
use flux_crds::sync::{Deletion, Failure};
use flux_crds::{Reason, Sync};
use flux_engine::cluster::prune::{Pruned, prune};
use kube::Api;
use kube::api::{PartialObjectMeta, Patch, PatchParams};
use serde_json::json;

use super::build::owner;
use super::gather::account;
use super::halt::Halt;
use super::memory::{Memory, write_inventory};
use super::moved;
use super::record::Recorder;
use super::target::{Target, is_gone};
use super::transact::settle;
use super::wakeups::token;
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;

/// Longest delay between two attempts to delete.
const LAST_RETRY: Duration = Duration::from_mins(1);
/// Objects that an event names.
const NAMED: usize = 10;

/// Puts our finalizer on the Sync before the first write to the cluster, if its end means deletions.
pub(crate) async fn ensure(
    context: &Context,
    sync: &Sync,
    memory: &mut Memory,
) -> Result<(), Halt> {
    if memory.guarded || has_finalizer(sync) || sync.spec.deletion() == Deletion::Orphan {
        return Ok(());
    }
    set(context, sync, &[flux_crds::names::FINALIZER])
        .await
        .map_err(|error| Halt::api("set the finalizer", &error))?;
    memory.guarded = true;
    Ok(())
}

fn has_finalizer(sync: &Sync) -> bool {
    sync.metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == flux_crds::names::FINALIZER)
}

/// Applies the list of our finalizers; those of others stay. The uid makes sure that this never creates anything.
async fn set(context: &Context, sync: &Sync, finalizers: &[&str]) -> Result<(), kube::Error> {
    let key = Key::of(&sync.metadata);
    let patch = json!({
        "apiVersion": flux_crds::names::API_VERSION, "kind": "Sync",
        "metadata": {"name": &*key.name, "uid": sync.metadata.uid, "finalizers": finalizers},
    });
    let api: Api<PartialObjectMeta<Sync>> = Api::namespaced(context.client.clone(), &key.namespace);
    let parameters = PatchParams::apply("flux-finalizer").force();
    match api
        .patch(&key.name, &parameters, &Patch::Apply(patch))
        .await
    {
        Err(kube::Error::Api(status)) if status.code == 404 && finalizers.is_empty() => Ok(()),
        written => written.map(|_| ()),
    }
}

/// Deletes what the Sync applied and lets the Sync go. Returns when to try again, if it could not.
pub(crate) async fn finalize(recorder: &Recorder<'_>, memory: &mut Memory) -> Option<Duration> {
    let Recorder { context, sync, key } = recorder;
    if !has_finalizer(sync) && !memory.guarded {
        return None;
    }
    let outcome = match delete(recorder, memory).await {
        Ok(told) => {
            context.events.publish(*sync, &told);
            match set(context, sync, &[]).await {
                Ok(()) => return None,
                Err(error) => Outcome::Transient(Finding::new(
                    Reason::FinalizeFailed,
                    format!("failed to remove the finalizer: {}", chain(&error)),
                )),
            }
        }
        Err(failures) => {
            let halt = Halt::list(Reason::FinalizeFailed, "could not delete", failures.clone());
            memory.status.failures = failures;
            Outcome::Transient(halt.outcome.finding().clone())
        }
    };
    memory.failures = memory.failures.saturating_add(1);
    if let Some(event) = flux_core::conclude::event(&memory.status.conditions, &outcome) {
        context.events.publish(*sync, &event);
    }
    let mut status = recorder.status(memory, &outcome);
    status.inventory = write_inventory(&memory.inventory);
    status.last_handled_reconcile = token(&sync.metadata).or(status.last_handled_reconcile);
    if let Err(error) = recorder.write(memory, status).await {
        tracing::warn!(object = %key, error = %chain(&error), "status not written");
    }
    let pace = Pace {
        interval: LAST_RETRY,
        retry_interval: Some(LAST_RETRY),
        failures: memory.failures,
        jitter: 0.0,
    };
    pace.next(&outcome)
}

/// Deletes, or leaves, what the inventory holds. Returns what to tell, or what could not be deleted.
async fn delete(recorder: &Recorder<'_>, memory: &mut Memory) -> Result<Event, Vec<Failure>> {
    let Recorder { context, sync, key } = recorder;
    let all = memory.inventory.len();
    if sync.spec.is_suspended() || sync.spec.deletion() == Deletion::Orphan {
        let why = if sync.spec.is_suspended() {
            "the Sync was suspended"
        } else {
            "spec.deletion is Orphan"
        };
        let message = format!("{why}: {all} objects were left in the cluster");
        return Ok(Event {
            warning: false,
            finding: Finding::new(Reason::Finalized, message),
        });
    }
    let ids: Vec<ObjectId> = memory.inventory.0.keys().cloned().collect();
    let (handed, ours): (Vec<_>, Vec<_>) = ids
        .into_iter()
        .partition(|id| context.claims.hand_over(key, id).is_some());
    for id in &handed {
        memory.inventory.remove(id);
    }
    if ours.is_empty() {
        return Ok(deleted(0));
    }
    let target = match target(context, sync).await {
        Ok(target) => target,
        Err(lost) => return lost.end(memory),
    };
    if let Err(halt) = moved::note(recorder, memory, target.remote.as_deref()).await {
        return Lost::ForNow(halt).end(memory);
    }
    let pruned = prune(&target.cluster, &owner(sync), &ours).await;
    let forbidden = pruned
        .iter()
        .any(|(_, pruned)| matches!(pruned, Pruned::Failed(error) if error.is_forbidden()));
    let mut changes = Vec::new();
    let failures = settle(
        key,
        &context.claims,
        &mut memory.inventory,
        pruned,
        &mut changes,
    );
    context.metrics.changed("deleted", changes.len() as u64);
    if failures.is_empty() {
        return Ok(deleted(changes.len()));
    }
    if forbidden && target.lacks_account(context).await {
        let why = format!("{} does not exist any more", target.cluster.actor());
        return Ok(left_behind(&why, &memory.inventory));
    }
    Err(failures)
}

fn deleted(count: usize) -> Event {
    let message = format!("deleted {count} objects");
    Event {
        warning: false,
        finding: Finding::new(Reason::Finalized, message),
    }
}

/// Why there is no way to the cluster in which the objects live.
enum Lost {
    /// There will never be one.
    Forever(String),
    /// There may be one again.
    ForNow(Halt),
}

impl Lost {
    fn end(self, memory: &Memory) -> Result<Event, Vec<Failure>> {
        match self {
            Self::Forever(why) => Ok(left_behind(&why, &memory.inventory)),
            Self::ForNow(halt) => {
                let finding = halt.outcome.finding();
                Err(vec![Failure {
                    object: None,
                    source: None,
                    reason: finding.reason.to_string(),
                    message: format!(
                        "{}; to let the Sync go and leave its objects, set spec.deletion to Orphan",
                        finding.message
                    ),
                }])
            }
        }
    }
}

/// Returns the cluster in which the objects live. The Secret that names another is often deleted together with the Sync, as
/// is the account that reads it: without them nobody can ever reach the objects, and the Sync must not wait for it.
async fn target(context: &Context, sync: &Sync) -> Result<Target, Lost> {
    let error = match Target::of(context, sync).await {
        Ok(target) => return Ok(target),
        Err(error) => error,
    };
    let account = account(context, sync);
    if error.is_missing() {
        return Err(Lost::Forever(chain(&error)));
    }
    if error.is_forbidden() && is_gone(&context.client, &account).await {
        let why = format!("{account}, which reads spec.kubeConfig, does not exist any more");
        return Err(Lost::Forever(why));
    }
    Err(Lost::ForNow(error.into()))
}

fn left_behind(why: &str, inventory: &Inventory) -> Event {
    let names = names(inventory);
    let message = format!("{why}, so these objects were left in the cluster: {names}");
    Event {
        warning: true,
        finding: Finding::new(Reason::FinalizeFailed, message),
    }
}

/// Returns the first objects in words, and how many there are beside them.
pub(super) fn names(inventory: &Inventory) -> String {
    let mut names = inventory
        .0
        .keys()
        .take(NAMED)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if inventory.len() > NAMED {
        write!(names, " and {} more", inventory.len() - NAMED).ok();
    }
    names
}
