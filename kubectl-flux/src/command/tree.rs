//! `tree`: what a Sync applied, and how it fares.

mod draw;

use flux_core::{
    health::{Status, assess},
    object::ObjectId,
};
use flux_crds::{ConditionType, Sync, sync::InventoryEntry};
use futures::{StreamExt as _, stream};
use kube::{
    Api,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use self::draw::{Node, draw};
use super::{get::short_revision, reconcile::source, target::sync_name};
use crate::{
    args::{Connection, TreeArgs},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    output::{self, Format},
    resource::{self, Resource},
    streams::Streams,
};

/// How many objects are asked for at a time.
const AT_ONCE: usize = 16;

/// Prints the Sync, its source, and the objects of its inventory; a Sync among them with its own objects.
pub(crate) async fn run(
    args: &TreeArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let name = sync_name(&args.subject, "tree")?;
    let cluster = Cluster::connect(connection).await?;
    let root = of_sync(&name, &cluster, &[]).await?;
    match args.output {
        Format::Table | Format::Wide => streams.data(&draw(&root)),
        Format::Json => streams.data(&output::json(&value(&root))),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&value(&root))),
        Format::Name => names(&root, streams),
    }
}

async fn of_sync(name: &str, cluster: &Cluster, above: &[String]) -> Result<Node, Error> {
    let object = cluster.get(Kind::Sync, name).await?;
    let resource = Resource::read(Kind::Sync, &object)?;
    let Resource::Sync(sync) = &resource else {
        return Err(Error::Failed(format!("{name} is no sync")));
    };
    let mut node = sync_node(sync, &resource, &cluster.namespace);
    // A Sync may apply itself, or one that applies it.
    if above.contains(&node.object) {
        "see above".clone_into(&mut node.note);
        return Ok(node);
    }
    let path: Vec<_> = above.iter().cloned().chain([node.object.clone()]).collect();
    let path = &path;
    let entries = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref())
        .map(|inventory| inventory.entries.clone());
    let entries = entries.unwrap_or_default();
    let target = match cluster.target(sync).await {
        Ok(target) => target,
        Err(error) => {
            node.note = format!("{}; its cluster: {}", node.note, error.chain());
            node.children.extend(entries.iter().map(unseen));
            return Ok(node);
        }
    };
    let target = &target;
    let mut children: Vec<_> = stream::iter(entries.into_iter().enumerate())
        .map(|(index, entry)| async move { (index, of_entry(&entry, target, path).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    children.sort_by_key(|(index, _)| *index);
    node.children
        .extend(children.into_iter().map(|(_, child)| child));
    Ok(node)
}

fn sync_node(sync: &Sync, resource: &Resource, namespace: &str) -> Node {
    let source = source(sync, namespace);
    let ready = resource.condition(ConditionType::Ready);
    Node {
        object: format!("Sync/{namespace}/{}", resource.name()),
        state: ready
            .map_or("Unknown", |ready| {
                if ready.status == "True" {
                    "Ready"
                } else {
                    ready.reason.as_str()
                }
            })
            .to_owned(),
        note: format!(
            "{} from GitRepository/{}/{}",
            resource
                .revision()
                .map_or_else(|| "nothing".into(), short_revision),
            source.namespace,
            source.name
        ),
        children: Vec::new(),
    }
}

/// An object that cannot be asked for is shown with the reason in its place.
async fn of_entry(entry: &InventoryEntry, cluster: &Cluster, above: &[String]) -> Node {
    let Ok(id) = ObjectId::parse_key(&entry.id) else {
        return unseen(entry);
    };
    if id.is(flux_crds::names::GROUP, "Sync") {
        let there = cluster.in_namespace(&id.namespace);
        return match Box::pin(of_sync(&id.name, &there, above)).await {
            Ok(node) => node,
            Err(error) => node_of(&id, "Unknown", error.chain()),
        };
    }
    match live(&id, &entry.v, cluster).await {
        Ok(Some(object)) => {
            let health = assess(&object);
            node_of(&id, state(health.status), health.message)
        }
        Ok(None) => node_of(&id, "Missing", String::new()),
        Err(error) => node_of(&id, "Unknown", error.chain()),
    }
}

/// An object that nobody can be asked for.
fn unseen(entry: &InventoryEntry) -> Node {
    match ObjectId::parse_key(&entry.id) {
        Ok(id) => node_of(&id, "Unknown", String::new()),
        Err(_) => Node {
            object: entry.id.clone(),
            state: "Unknown".into(),
            note: "not a key of an inventory".into(),
            children: Vec::new(),
        },
    }
}

fn node_of(id: &ObjectId, state: &str, note: String) -> Node {
    Node {
        object: id.to_string(),
        state: state.to_owned(),
        note,
        children: Vec::new(),
    }
}

fn state(status: Status) -> &'static str {
    match status {
        Status::Current => "Current",
        Status::InProgress => "InProgress",
        Status::Failed => "Failed",
        Status::Terminating => "Terminating",
        Status::Unknown => "Unknown",
    }
}

async fn live(id: &ObjectId, version: &str, cluster: &Cluster) -> Result<Option<Value>, Error> {
    let kind = GroupVersionKind::gvk(&id.group, version, &id.kind);
    let (api_resource, _) = kube::discovery::pinned_kind(&cluster.client, &kind)
        .await
        .map_err(Error::api(format!("find the kind of {id}")))?;
    let found = api(id, &api_resource, cluster)
        .get_opt(&id.name)
        .await
        .map_err(Error::api(format!("get {id}")))?;
    let decoded = found.map(|object| resource::value(&object)).transpose();
    decoded.map_err(|source| Error::Decode {
        object: id.to_string(),
        source,
    })
}

fn api(id: &ObjectId, api_resource: &ApiResource, cluster: &Cluster) -> Api<DynamicObject> {
    if id.namespace.is_empty() {
        Api::all_with(cluster.client.clone(), api_resource)
    } else {
        Api::namespaced_with(cluster.client.clone(), &id.namespace, api_resource)
    }
}

fn value(node: &Node) -> Value {
    let mut value = json!({"object": node.object, "state": node.state});
    if !node.note.is_empty() {
        value["note"] = json!(node.note);
    }
    if !node.children.is_empty() {
        value["objects"] = node.children.iter().map(self::value).collect();
    }
    value
}

fn names(node: &Node, streams: &mut Streams) -> Result<(), Error> {
    streams.line(&node.object)?;
    node.children
        .iter()
        .try_for_each(|child| names(child, streams))
}
