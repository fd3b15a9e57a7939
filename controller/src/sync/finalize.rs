//! The end of a Sync: what it applied goes with it, unless it says otherwise. It must never wedge.
//!
//! Safety, in this order: 1. only what the inventory holds is deleted, by the same rules as any prune; 2. what cannot be
//! deleted keeps the Sync, and is tried again; 3. only when the account to act as does not exist any more, so that no retry
//! could ever help, the Sync goes and an event names what it leaves behind.

use std::fmt::Write as _;
use std::time::Duration;

use flux_core::conclude::{Event, Finding, Outcome, Pace};
use flux_core::object::ObjectId;
use flux_crds::sync::{Deletion, Failure};
use flux_crds::{Reason, Sync};
use flux_engine::cluster::Actor;
use flux_engine::cluster::prune::{Pruned, prune};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{PartialObjectMeta, Patch, PatchParams};
use serde_json::json;

use super::build::owner;
use super::gather::account;
use super::halt::Halt;
use super::memory::{Memory, write_inventory};
use super::record::Recorder;
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
    let account = account(context, sync);
    let pruned = prune(&context.cluster(account.clone()), &owner(sync), &ours).await;
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
        let message = format!("deleted {} objects", changes.len());
        return Ok(Event {
            warning: false,
            finding: Finding::new(Reason::Finalized, message),
        });
    }
    if forbidden && is_gone(context, &account).await {
        return Ok(left_behind(
            &account,
            &memory.inventory.0.keys().collect::<Vec<_>>(),
        ));
    }
    Err(failures)
}

/// Tells whether the account does not exist. Any doubt means that it does.
async fn is_gone(context: &Context, account: &Actor) -> bool {
    let Actor::ServiceAccount { namespace, name } = account else {
        return false;
    };
    let api: Api<PartialObjectMeta<ServiceAccount>> =
        Api::namespaced(context.client.clone(), namespace);
    matches!(api.get_metadata_opt(name).await, Ok(None))
}

fn left_behind(account: &Actor, ids: &[&ObjectId]) -> Event {
    let mut names = ids
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if ids.len() > NAMED {
        write!(names, " and {} more", ids.len() - NAMED).ok();
    }
    let message = format!(
        "{account} does not exist any more, so these objects were left in the cluster: {names}"
    );
    Event {
        warning: true,
        finding: Finding::new(Reason::FinalizeFailed, message),
    }
}
