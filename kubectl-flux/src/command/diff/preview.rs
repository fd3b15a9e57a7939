//! What the API server would make of each object, beside what it has.

use flux_core::{
    desire::{self, Scope, Scopes},
    diff::ObjectChange,
    inventory::Inventory,
    live::Metadata,
    object::{Desired, ObjectId},
    order,
    owner::Owner,
    sequence,
    settings::{Settings, Ssa},
};
use flux_crds::{Sync, names};
use flux_engine::cluster::{
    self, Actor, Connection, Resource,
    apply::{Payload, preview},
    live::get_object,
};
use flux_kustomize::Object;
use futures::{FutureExt as _, StreamExt as _, stream};
use kube::Client;
use serde_json::Value;

use super::brought::Brought;
use crate::error::Error;

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// As what the objects are applied.
#[derive(Debug, Clone)]
pub(crate) enum Against {
    /// By nobody in particular; objects without a namespace go into this one.
    Namespace(String),
    /// By this Sync, which also deletes.
    Sync(Box<Sync>),
}

/// What would change.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// Each object and how it differs.
    pub(crate) changes: Vec<ObjectChange>,
    /// Objects that are left alone, and why.
    pub(crate) skipped: Vec<String>,
}

/// What would become of one object.
enum Fate {
    Change(ObjectChange),
    Skip(String),
    Refused(String),
}

/// Compares objects with the cluster; every object that the API server refuses is in the error.
pub(crate) async fn changes(
    objects: Vec<Object>,
    against: &Against,
    client: Client,
) -> Result<Preview, Error> {
    let cluster = Connection::new(client).acting_as(Actor::Own);
    let desired = desired(objects, against, &cluster).await?;
    let brought = Brought::of(&desired);
    let fates: Vec<_> = desired
        .iter()
        .map(|object| fate(object, against, &brought, &cluster).boxed())
        .collect();
    let mut fates: Vec<_> = stream::iter(fates).buffered(AT_ONCE).collect().await;
    if let Against::Sync(sync) = against {
        let gone = gone(sync, &desired)?;
        let deletions: Vec<_> = gone
            .iter()
            .map(|(id, version)| deletion(id, version, sync, &cluster).boxed())
            .collect();
        fates.extend(
            stream::iter(deletions)
                .buffered(AT_ONCE)
                .filter_map(|fate| async { fate })
                .collect::<Vec<_>>()
                .await,
        );
    }
    sum(fates)
}

fn sum(fates: Vec<Fate>) -> Result<Preview, Error> {
    let mut preview = Preview::default();
    let mut refused = Vec::new();
    for fate in fates {
        match fate {
            Fate::Change(change) => preview.changes.push(change),
            Fate::Skip(why) => preview.skipped.push(why),
            Fate::Refused(why) => refused.push(why),
        }
    }
    if refused.is_empty() {
        Ok(preview)
    } else {
        Err(Error::Refused {
            count: refused.len(),
            details: refused,
        })
    }
}

/// Returns the objects as they would be applied.
async fn desired(
    mut objects: Vec<Object>,
    against: &Against,
    cluster: &cluster::Cluster,
) -> Result<Vec<Desired>, Error> {
    let scopes = cluster::scopes(cluster, &objects)
        .await
        .map_err(|source| Error::Engine {
            action: "learn the kinds of the cluster".into(),
            source,
        })?;
    let owner = match against {
        Against::Sync(sync) => owner(sync),
        Against::Namespace(namespace) => {
            for object in &mut objects {
                give_namespace(&mut object.value, namespace, &scopes);
            }
            // Takes part in no comparison: the labels of whoever owns the live object take its place.
            Owner {
                namespace: String::new(),
                name: String::new(),
            }
        }
    };
    desire::desire(objects, &owner, &scopes).map_err(|problems| Error::Refused {
        count: problems.len(),
        details: problems.iter().map(ToString::to_string).collect(),
    })
}

fn owner(sync: &Sync) -> Owner {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Owner {
        namespace: text(&sync.metadata.namespace),
        name: text(&sync.metadata.name),
    }
}

fn give_namespace(value: &mut Value, namespace: &str, scopes: &Scopes) {
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    if scopes.get(&(text("apiVersion"), text("kind"))) != Some(&Scope::Namespaced) {
        return;
    }
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata
            .entry("namespace")
            .or_insert_with(|| namespace.into());
    }
}

async fn fate(
    object: &Desired,
    against: &Against,
    brought: &Brought,
    cluster: &cluster::Cluster,
) -> Fate {
    if let Some(fate) = hook(object) {
        return fate;
    }
    match judge(object, against, brought, cluster).await {
        Ok(fate) => fate,
        Err(error) => Fate::Refused(format!(
            "{}: {}: {}",
            object.origin,
            object.id,
            told(&error)
        )),
    }
}

/// A hook is not compared: its Job is created anew for each revision.
fn hook(object: &Desired) -> Option<Fate> {
    match sequence::arrange(vec![object.clone()]) {
        Ok(sequence) if sequence.hooks.is_empty() => None,
        Ok(sequence) => {
            let phases = sequence.hooks.iter().map(|hook| hook.phase.to_string());
            let phases = phases.collect::<Vec<_>>().join(" and ");
            let id = &object.id;
            Some(Fate::Skip(format!(
                "{id} is a {phases} hook: it runs once for each revision"
            )))
        }
        Err(problems) => problems
            .first()
            .map(|problem| Fate::Refused(problem.to_string())),
    }
}

async fn judge(
    object: &Desired,
    against: &Against,
    brought: &Brought,
    cluster: &cluster::Cluster,
) -> Result<Fate, cluster::Error> {
    let id = &object.id;
    let resource = match cluster.resolve(&object.api_version, &id.kind).await {
        Err(cluster::Error::UnknownKind { .. }) if brought.kind_of(id) => {
            return Ok(created(id, &object.value));
        }
        resource => resource?,
    };
    let live = get_object(cluster, &resource, &id.namespace, &id.name).await?;
    let metadata = live.as_ref().and_then(|live| Metadata::of(live).ok());
    if let Some(why) = left_alone(object, metadata.as_ref(), against) {
        return Ok(Fate::Skip(format!("{id} {why}")));
    }
    let mut manifest = object.value.clone();
    if matches!(against, Against::Namespace(_)) {
        label_as_live(&mut manifest, metadata.as_ref());
    }
    match applied(&manifest, id, &resource, cluster).await {
        Ok(after) => Ok(Fate::Change(ObjectChange::between(
            id.clone(),
            live.as_ref(),
            Some(&after),
        ))),
        Err(error) if error.is_not_found() && brought.namespace_of(id) => {
            Ok(created(id, &manifest))
        }
        Err(error) => Err(error),
    }
}

async fn applied(
    manifest: &Value,
    id: &ObjectId,
    resource: &Resource,
    cluster: &cluster::Cluster,
) -> Result<Value, cluster::Error> {
    let body = manifest.to_string();
    let payload = Payload {
        resource,
        namespace: &id.namespace,
        name: &id.name,
        body: body.as_bytes(),
    };
    preview(cluster, payload).await
}

fn created(id: &ObjectId, value: &Value) -> Fate {
    Fate::Change(ObjectChange::between(id.clone(), None, Some(value)))
}

/// Returns why the controller would not touch an object.
fn left_alone(object: &Desired, live: Option<&Metadata>, against: &Against) -> Option<String> {
    let settings = Settings::of(Some(&object.value), live);
    let belongs_to = live.and_then(|live| Owner::of(&live.labels));
    match (against, belongs_to) {
        (Against::Sync(sync), Some(other)) if other != owner(sync) => {
            return Some(format!("belongs to the sync {other}"));
        }
        _ => {}
    }
    if !settings.reconcile {
        return Some("is left alone, as it asks".to_owned());
    }
    match settings.ssa {
        Ssa::Ignore => Some("is left alone, as it asks".to_owned()),
        Ssa::IfNotPresent if live.is_some() => Some("is there, and is only created".to_owned()),
        Ssa::IfNotPresent | Ssa::Merge | Ssa::Override => None,
    }
}

/// A directory alone says nothing about the owner, so whoever owns the live object still does.
fn label_as_live(manifest: &mut Value, live: Option<&Metadata>) {
    if let Some(owner) = live.and_then(|live| Owner::of(&live.labels)) {
        return owner.stamp(manifest);
    }
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        let labels = metadata.get_mut("labels").and_then(Value::as_object_mut);
        if let Some(labels) = labels {
            labels.retain(|key, _| key != names::LABEL_SYNC && key != names::LABEL_SYNC_NAMESPACE);
            if labels.is_empty() {
                metadata.shift_remove("labels");
            }
        }
    }
}

/// Returns what the Sync has and the directory has not.
fn gone(sync: &Sync, desired: &[Desired]) -> Result<Vec<(ObjectId, String)>, Error> {
    let Some(status) = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref())
        .filter(|_| sync.spec.prunes())
    else {
        return Ok(Vec::new());
    };
    let inventory = Inventory::from_status(status)
        .map_err(|error| Error::Failed(format!("the inventory cannot be read: {error}")))?;
    let version = |id: &ObjectId| {
        inventory
            .get(id)
            .map(|entry| entry.version.clone())
            .unwrap_or_default()
    };
    let gone = inventory
        .difference(desired)
        .into_iter()
        .map(|id| (id.clone(), version(&id)))
        .collect();
    Ok(order::sort_for_deletion(gone, |(id, _)| id))
}

/// Returns what would become of an object that left the source; nothing when it is not there or not ours.
async fn deletion(
    id: &ObjectId,
    version: &str,
    sync: &Sync,
    cluster: &cluster::Cluster,
) -> Option<Fate> {
    let api_version = if id.group.is_empty() {
        version.to_owned()
    } else {
        format!("{}/{version}", id.group)
    };
    let found = match cluster.resolve(&api_version, &id.kind).await {
        Ok(resource) => get_object(cluster, &resource, &id.namespace, &id.name).await,
        Err(cluster::Error::UnknownKind { .. }) => return None,
        Err(error) => Err(error),
    };
    let live = match found {
        Ok(live) => live?,
        Err(error) => return Some(Fate::Refused(format!("{id}: {}", told(&error)))),
    };
    let metadata = Metadata::of(&live).ok()?;
    let is_ours = Owner::of(&metadata.labels) == Some(owner(sync));
    if !is_ours || !Settings::of(None, Some(&metadata)).prune {
        return Some(Fate::Skip(format!(
            "{id} left the source and stays in the cluster"
        )));
    }
    Some(Fate::Change(ObjectChange::between(
        id.clone(),
        Some(&live),
        None,
    )))
}

/// Returns an error and its causes as one line.
fn told(error: &cluster::Error) -> String {
    crate::error::chain(error)
}
