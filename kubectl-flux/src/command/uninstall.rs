//! `uninstall`: takes the controller out and leaves the workloads.
//!
//! The order is what keeps the workloads: first the controller stops, then the objects lose the finalizer that would
//! make it prune, and only then they and their kinds are deleted.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    core::v1::Pod,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
    core::DynamicObject,
    runtime::{conditions, wait::await_condition},
};
use serde_json::json;

use super::{Target, create::write::Written, version::DEPLOYMENT, wait::gone};
use crate::{
    args::{Connection, UninstallArgs},
    cluster::{Cluster, Scope, place},
    error::Error,
    kind::{Kind, Selection},
    manifests,
    streams::Streams,
};

const NAMESPACE: &str = flux_crds::names::CONTROLLER_NAMESPACE;
const QUESTION: &str =
    "Delete the controller and all objects of flux.rs, and leave what they applied?";

/// Takes everything out that `install` and the users of flux.rs put in.
pub(crate) async fn run(
    args: &UninstallArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let objects = objects(&cluster).await?;
    let parts = parts(args, &cluster, streams).await?;
    if args.dry_run {
        return tell(&objects, &parts, streams);
    }
    if !args.yes && !agreed(streams)? {
        return Err(Error::Failed("nothing was deleted".into()));
    }
    stop(&cluster, args.timeout, streams).await?;
    for target in &objects {
        release(target, &cluster, args.timeout).await?;
        streams.line(format_args!("{target} deleted"))?;
    }
    for part in &parts {
        if part.delete(&cluster).await? {
            streams.line(format_args!("{} deleted", part.reference()))?;
        }
    }
    for part in &parts {
        part.gone(&cluster, args.timeout).await?;
    }
    Ok(())
}

fn agreed(streams: &mut Streams) -> Result<bool, Error> {
    streams
        .confirm(QUESTION)?
        .ok_or_else(|| Error::usage("there is nobody to ask", "agree with --yes"))
}

fn tell(objects: &[Target], parts: &[Written], streams: &mut Streams) -> Result<(), Error> {
    for target in objects {
        streams.line(format_args!("{target} deleted (dry run)"))?;
    }
    parts
        .iter()
        .try_for_each(|part| streams.line(format_args!("{} deleted (dry run)", part.reference())))
}

/// Returns all objects of our kinds, those that use others first.
async fn objects(cluster: &Cluster) -> Result<Vec<Target>, Error> {
    let mut targets = Vec::new();
    for kind in [Kind::ImagePolicy, Kind::Sync, Kind::GitRepository] {
        // A kind that is not there has no objects.
        if !has_kind(kind, cluster).await? {
            continue;
        }
        for (kind, object) in cluster
            .select(&Selection::Kinds(vec![kind]), Scope::All, None)
            .await?
        {
            let (namespace, name) = place(&object);
            targets.push(Target {
                kind,
                namespace,
                name,
            });
        }
    }
    Ok(targets)
}

async fn has_kind(kind: Kind, cluster: &Cluster) -> Result<bool, Error> {
    let api: Api<DynamicObject> = cluster.api(kind, Scope::All);
    match api.list_metadata(&ListParams::default().limit(1)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(source) => Err(Error::Api {
            action: format!("list the objects of kind {kind}"),
            source,
        }),
    }
}

/// Returns what `install` applied, in the order to delete it. A namespace with workloads of others stays.
async fn parts(
    args: &UninstallArgs,
    cluster: &Cluster,
    streams: &mut Streams,
) -> Result<Vec<Written>, Error> {
    let keeps_namespace = args.keep_namespace || has_workloads(cluster, streams).await?;
    let mut parts: Vec<_> = manifests::render(None)?
        .into_iter()
        .map(Written::manifest)
        .collect();
    parts.retain(|part| !(keeps_namespace && part.is_kind("Namespace")));
    parts.reverse();
    Ok(parts)
}

async fn has_workloads(cluster: &Cluster, streams: &mut Streams) -> Result<bool, Error> {
    let mut others = names::<Deployment>(cluster).await?;
    others.retain(|name| name != DEPLOYMENT);
    others.extend(names::<StatefulSet>(cluster).await?);
    others.extend(names::<DaemonSet>(cluster).await?);
    if !others.is_empty() {
        streams.say(format_args!(
            "the namespace {NAMESPACE} stays, for it runs {}",
            others.join(", ")
        ));
    }
    Ok(!others.is_empty())
}

async fn names<K>(cluster: &Cluster) -> Result<Vec<String>, Error>
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let list = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(Error::api(format!("list the {}", K::plural(&()))))?;
    Ok(list
        .items
        .into_iter()
        .filter_map(|object| object.metadata.name)
        .collect())
}

/// Stops the controller and waits until no pod of it runs.
async fn stop(cluster: &Cluster, limit: Duration, streams: &mut Streams) -> Result<(), Error> {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    match deployments
        .delete(DEPLOYMENT, &DeleteParams::foreground())
        .await
    {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(source) => {
            return Err(Error::Api {
                action: "delete the controller".into(),
                source,
            });
        }
    }
    streams.say("waiting for the controller to stop");
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let selector = ListParams::default().labels(&format!("app.kubernetes.io/name={DEPLOYMENT}"));
    let running = pods
        .list(&selector)
        .await
        .map_err(Error::api("list the pods of the controller"))?;
    let stopping = async {
        for pod in running {
            let (name, uid) = (
                pod.metadata.name.unwrap_or_default(),
                pod.metadata.uid.unwrap_or_default(),
            );
            await_condition(pods.clone(), &name, conditions::is_deleted(&uid)).await?;
        }
        Ok::<_, kube::runtime::wait::Error>(())
    };
    match tokio::time::timeout(limit, stopping).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error::Failed(format!(
            "cannot wait for the controller to stop: {error}"
        ))),
        Err(_) => Err(Error::TimedOut {
            what: "the stop of the controller".into(),
            limit: crate::age::limit(limit),
        }),
    }
}

/// Deletes an object without what the controller would do about it.
async fn release(target: &Target, cluster: &Cluster, limit: Duration) -> Result<(), Error> {
    let there = cluster.in_namespace(&target.namespace);
    let change = json!({"metadata": {"finalizers": null}});
    match there.merge(target.kind, &target.name, &change).await {
        Err(Error::NotFound { .. }) => return Ok(()),
        result => result?,
    };
    let deleted = there
        .api(target.kind, Scope::Namespace)
        .delete(&target.name, &DeleteParams::default())
        .await;
    match deleted {
        Ok(_) => gone(cluster, target, limit).await,
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::Api {
            action: format!("delete {target}"),
            source,
        }),
    }
}
