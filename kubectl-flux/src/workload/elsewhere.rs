//! Finds the workloads of Syncs that apply to another cluster.

use flux_core::object::ObjectId;
use flux_crds::Sync;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Api,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};

use super::{Workload, WorkloadId, WorkloadKind};
use crate::{
    cluster::{Cluster, Scope},
    error::Error,
    kind::Kind,
    resource::{self, Resource},
    streams::Streams,
};

/// So many objects are asked for at a time.
const AT_ONCE: usize = 8;

/// The workloads of a Sync, and the cluster where they run.
pub(crate) struct Elsewhere {
    /// The cluster.
    pub(crate) cluster: Cluster,
    /// The workloads, sorted by their names.
    pub(crate) workloads: Vec<Workload>,
}

/// Returns the workloads that Syncs with `spec.kubeConfig` have applied, and says for each such Sync where they run, or why
/// they cannot be shown. A cluster that is away hides nothing of the others.
pub(crate) async fn elsewhere(
    cluster: &Cluster,
    is_asked: impl Fn(&WorkloadId) -> bool,
    streams: &mut Streams,
) -> Result<Vec<Elsewhere>, Error> {
    let mut found = Vec::new();
    for sync in syncs(cluster).await? {
        let ids: Vec<_> = applied(&sync).into_iter().filter(&is_asked).collect();
        if ids.is_empty() {
            continue;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, name) = (text(&sync.metadata.namespace), text(&sync.metadata.name));
        let note = format!("note: the workloads of Sync {namespace}/{name} run in another cluster");
        match live(cluster, &sync, &ids).await {
            Ok(one) => {
                streams.say(&note);
                found.push(one);
            }
            Err(error) => streams.say(format_args!("{note} and are not shown: {}", error.chain())),
        }
    }
    Ok(found)
}

/// Returns what is asked for by a scope.
pub(crate) fn in_scope(scope: Scope, namespace: &str) -> impl Fn(&WorkloadId) -> bool + '_ {
    move |id| scope == Scope::All || id.namespace == namespace
}

/// Returns the Syncs into other clusters that the caller may see.
async fn syncs(cluster: &Cluster) -> Result<Vec<Sync>, Error> {
    let objects = cluster.list_visible(Kind::Sync).await?;
    let mut syncs = Vec::new();
    for object in objects {
        if let Resource::Sync(sync) = Resource::read(Kind::Sync, &object)?
            && sync.spec.kube_config.is_some()
        {
            syncs.push(*sync);
        }
    }
    Ok(syncs)
}

/// Returns the workloads in the inventory of a Sync.
fn applied(sync: &Sync) -> Vec<WorkloadId> {
    let status = sync.status.as_ref();
    let inventory = status.and_then(|status| status.inventory.as_ref());
    let entries = inventory.into_iter().flat_map(|all| &all.entries);
    let mut ids: Vec<_> = entries
        .filter_map(|entry| workload(ObjectId::parse_key(&entry.id).ok()?))
        .collect();
    ids.sort();
    ids
}

fn workload(id: ObjectId) -> Option<WorkloadId> {
    let is_it = |kind: &WorkloadKind| id.is(kind.group(), kind.in_manifests());
    let kind = WorkloadKind::ALL.into_iter().find(is_it)?;
    Some(WorkloadId {
        namespace: id.namespace,
        kind,
        name: id.name,
    })
}

async fn live(home: &Cluster, sync: &Sync, ids: &[WorkloadId]) -> Result<Elsewhere, Error> {
    let cluster = home.target(sync).await?;
    let client = &cluster;
    let workloads: Vec<_> = stream::iter(ids)
        .map(|id| get(client, id))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let workloads = workloads.into_iter().flatten().collect();
    Ok(Elsewhere { cluster, workloads })
}

async fn get(cluster: &Cluster, id: &WorkloadId) -> Result<Option<Workload>, Error> {
    let resource = api_resource(id.kind);
    let api: Api<DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), &id.namespace, &resource);
    let found = api.get_opt(&id.name).await;
    let found = found.map_err(Error::api(format!("get {id}")))?;
    found
        .map(|object| {
            let value = resource::value(&object).map_err(|source| Error::Decode {
                object: id.to_string(),
                source,
            })?;
            Ok(Workload::read(id.kind, value))
        })
        .transpose()
}

/// Returns how to ask for workloads of a kind.
pub(super) fn api_resource(kind: WorkloadKind) -> ApiResource {
    let name = kind.in_manifests();
    let kind = GroupVersionKind::gvk(kind.group(), kind.version(), name);
    let mut resource = ApiResource::from_gvk(&kind);
    resource.plural = name.to_ascii_lowercase() + "s";
    resource
}
