//! Waiting by watches: no polling, and nothing held but a connection a kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flux_core::health::{Health, Rules, Status};
use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_core::owner::Owner;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use kube::api::{ApiResource, DynamicObject, TypeMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt as _};

use super::{Cluster, Error, Resource};

mod progress;
#[cfg(test)]
mod tests;

use progress::Progress;

/// First and last pause before a watch that broke off is opened again: short enough for a wait to see the end of an outage.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long a deletion may take before it is given up.
const GONE_WITHIN: Duration = Duration::from_mins(1);

/// Pause before a kind that is waited for by name, and that the cluster does not serve, is looked for again: whatever was
/// applied may yet install its definition.
const UNKNOWN: Duration = Duration::from_secs(2);

/// What is known of an object before the first answer.
const NOT_SEEN: &str = "not seen yet";

/// An object to wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The object.
    pub id: ObjectId,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Whether the cluster deletes it when it is done, so that one which is not there has been.
    pub is_transient: bool,
}

/// The health of the objects that are waited for, by identity.
pub type States = BTreeMap<ObjectId, Health>;

/// What is watched in one stream: a kind in a namespace, by the owner's labels or by name.
type Group = (String, String, String, Option<String>);

/// What to wait for, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The objects.
    pub targets: &'a BTreeSet<Target>,
    /// The owner by whose labels they are watched, a stream a kind and namespace; without one they are watched by name.
    pub owner: Option<&'a Owner>,
    /// When they are healthy.
    pub rules: &'a Rules,
}

/// Follows the targets until all are current or one has failed; `states` shows at any time how far they are.
///
/// The caller brings the deadline: dropping the future ends the watches.
pub async fn until_healthy(
    cluster: &Cluster,
    Watched {
        targets,
        owner,
        rules,
    }: Watched<'_>,
    states: &mut States,
) -> Result<(), Error> {
    let mut progress = Progress::begin(states);
    let mut groups: BTreeSet<Group> = BTreeSet::new();
    for Target {
        id, api_version, ..
    } in targets
    {
        progress.expect(id.clone());
        let name = owner.is_none().then(|| id.name.clone());
        groups.insert((
            api_version.clone(),
            id.kind.clone(),
            id.namespace.clone(),
            name,
        ));
    }
    let mut streams = Vec::with_capacity(groups.len());
    for (api_version, kind, namespace, name) in groups {
        let resource = loop {
            match cluster.resolve(&api_version, &kind).await {
                Err(Error::UnknownKind { .. }) if owner.is_none() => {
                    miss_kind((&api_version, &kind), targets, &mut progress);
                    tokio::time::sleep(UNKNOWN).await;
                }
                resolved => break resolved?,
            }
        };
        let config = match (&name, owner) {
            (None, Some(owner)) => watcher::Config::default().labels(&owner.selector()),
            (name, _) => watcher::Config::default()
                .fields(&format!("metadata.name={}", name.as_deref().unwrap_or(""))),
        };
        let events = events(api(cluster, &resource, &namespace), config);
        let place = (resource, namespace);
        streams.push(events.map_ok(move |event| (place.clone(), event)).boxed());
    }
    let mut events = stream::select_all(streams);
    while !progress.is_settled() {
        match events.next().await {
            None => break,
            Some(Ok((place, Event::InitDone))) => miss(&place, targets, &mut progress),
            Some(Ok(((resource, _), event))) => note(&resource, event, rules, &mut progress),
            Some(Err(error)) => explain(error)?,
        }
    }
    Ok(())
}

/// Returns what happens to objects. A watch that broke off is opened again, with pauses that grow while that fails.
fn events(
    api: Api<DynamicObject>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<DynamicObject>, watcher::Error>> + Send {
    watcher(api, config).backoff(Pauses { next: RETRY.0 })
}

/// The pauses between the tries to open a watch again, each twice as long as the one before.
struct Pauses {
    next: Duration,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let longer = (self.next * 2).min(RETRY.1);
        Some(std::mem::replace(&mut self.next, longer))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.next = RETRY.0;
    }
}

/// Notes that the cluster does not serve a kind.
fn miss_kind(
    (api_version, kind): (&str, &str),
    targets: &BTreeSet<Target>,
    progress: &mut Progress<'_>,
) {
    let of_kind = |target: &&Target| target.api_version == api_version && target.id.kind == kind;
    for target in targets.iter().filter(of_kind) {
        let health = Health {
            status: Status::InProgress,
            message: format!("the cluster serves no kind {kind} of {api_version}"),
        };
        progress.note(&target.id, health);
    }
}

/// Notes that all there is has been listed.
fn miss(
    (resource, namespace): &(Resource, String),
    targets: &BTreeSet<Target>,
    progress: &mut Progress<'_>,
) {
    let is_listed = |target: &&Target| {
        target.is_transient
            && target.id.is(&resource.group, &resource.kind)
            && target.id.namespace == *namespace
    };
    for target in targets.iter().filter(is_listed) {
        let known = progress.states().get(&target.id);
        if known.is_some_and(|health| health.message == NOT_SEEN) {
            let message = "done and deleted".to_owned();
            let status = Status::Current;
            progress.note(&target.id, Health { status, message });
        }
    }
}

fn note(
    resource: &Resource,
    event: Event<DynamicObject>,
    rules: &Rules,
    progress: &mut Progress<'_>,
) {
    let (mut object, deleted) = match event {
        Event::Apply(object) | Event::InitApply(object) => (object, false),
        Event::Delete(object) => (object, true),
        Event::Init | Event::InitDone => return,
    };
    let id = ObjectId {
        group: resource.group.to_string(),
        kind: resource.kind.to_string(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    };
    let id = known(progress.states(), resource, id);
    let Some(health) = progress.states().get(&id) else {
        return;
    };
    // The items of a list do not say what they are.
    object.types = Some(TypeMeta {
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
    });
    let health = if deleted && health.is_current() && is_transient(&object) {
        // It was done, and the cluster cleaned up.
        return;
    } else if deleted {
        Health {
            status: Status::InProgress,
            message: "was deleted".to_owned(),
        }
    } else {
        // A DynamicObject always serializes: its parts came from JSON.
        serde_json::to_value(&object)
            .map_or_else(|_| health.clone(), |value| rules.assess(&id, &value))
    };
    progress.note(&id, health);
}

/// Returns the name under which an object is waited for: whoever named one of a kind without namespaces may have given it one.
fn known(states: &States, resource: &Resource, id: ObjectId) -> ObjectId {
    if resource.namespaced || states.contains_key(&id) {
        return id;
    }
    let same =
        |known: &&ObjectId| known.name == id.name && known.is(&resource.group, &resource.kind);
    states.keys().find(same).cloned().unwrap_or(id)
}

/// Tells whether the cluster deletes an object when it is done.
fn is_transient(object: &DynamicObject) -> bool {
    let types = object.types.as_ref();
    types.is_some_and(|types| flux_core::health::is_transient(&types.kind, &object.data))
}

/// Ends the wait for an error that no reconnect cures.
fn explain(error: watcher::Error) -> Result<(), Error> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403 =>
        {
            Err(Error::Rejected(super::Rejection::of(&status)))
        }
        // The stream opens the watch again, after a pause.
        error => {
            tracing::debug!(%error, "watch for health broke off");
            Ok(())
        }
    }
}

/// Waits until definitions can be used; returns those that are not in time.
pub async fn until_established(
    cluster: &Cluster,
    ids: &[ObjectId],
    limit: Duration,
) -> Vec<(ObjectId, Error)> {
    let api_version = "apiextensions.k8s.io/v1".to_owned();
    let targets = ids
        .iter()
        .map(|id| Target {
            id: id.clone(),
            api_version: api_version.clone(),
            is_transient: false,
        })
        .collect();
    let mut states = States::new();
    let watched = Watched {
        targets: &targets,
        owner: None,
        rules: &Rules::default(),
    };
    let waited = tokio::time::timeout(limit, until_healthy(cluster, watched, &mut states)).await;
    if let (Ok(Err(error)), Some(id)) = (waited, ids.first()) {
        return vec![(id.clone(), error)];
    }
    let late = states
        .into_iter()
        .filter(|(_, health)| health.status != Status::Current);
    late.map(|(id, health)| {
        (
            id,
            Error::NotInTime {
                limit,
                state: health.message,
            },
        )
    })
    .collect()
}

/// Waits until exactly this object is gone.
pub async fn until_gone(
    cluster: &Cluster,
    resource: &Resource,
    metadata: &Metadata,
) -> Result<(), Error> {
    let api = api(cluster, resource, &metadata.namespace);
    let gone = await_condition(api, &metadata.name, conditions::is_deleted(&metadata.uid));
    match tokio::time::timeout(GONE_WITHIN, gone).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "watch for a deletion broke off");
            Err(Error::NotInTime {
                limit: GONE_WITHIN,
                state: "its deletion could not be watched".to_owned(),
            })
        }
        Err(_) => Err(Error::NotInTime {
            limit: GONE_WITHIN,
            state: "still being deleted".to_owned(),
        }),
    }
}

fn api(cluster: &Cluster, resource: &Resource, namespace: &str) -> Api<DynamicObject> {
    let described = ApiResource {
        group: resource.group.to_string(),
        version: resource.version.to_string(),
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
        plural: resource.plural.to_string(),
    };
    let client = cluster.client().clone();
    if resource.namespaced && !namespace.is_empty() {
        Api::namespaced_with(client, namespace, &described)
    } else {
        Api::all_with(client, &described)
    }
}
