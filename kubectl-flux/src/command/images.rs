//! `images`: what workloads could run, newest first.

mod available;
mod draw;

use futures::{StreamExt as _, stream};

pub(crate) use available::{Chosen, latest};

use self::{available::Available, draw::Row};
use crate::{
    args::{Connection, ImagesArgs},
    cluster::{Cluster, Scope},
    error::Error,
    output::{self, Format},
    registry::Registries,
    streams::Streams,
    workload::{Elsewhere, Workload, WorkloadId, elsewhere, image_policies, in_scope, workloads},
};

/// So many containers are asked about at a time; the client has its own limit for each registry.
const AT_ONCE: usize = 8;

/// Prints the images.
pub(crate) async fn run(
    args: &ImagesArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let (found, others) = selected(args, &cluster, streams).await?;
    let policies = image_policies(&cluster).await?;
    let registries = Registries::new(&cluster);
    let limit = if args.limit == 0 {
        usize::MAX
    } else {
        args.limit
    };
    let ways: Vec<_> = others
        .iter()
        .map(|other| registries.of_pods_in(&other.cluster))
        .collect();
    let here = found.iter().map(|workload| (&registries, workload));
    let there = ways.iter().zip(&others).flat_map(|(way, other)| {
        let workloads = other.workloads.iter();
        workloads.map(move |workload| (way, workload))
    });
    let containers = here.chain(there).flat_map(|(way, workload)| {
        let containers = workload.containers.iter();
        containers.map(move |container| (way, workload, container))
    });
    let policies = &policies;
    let asked = containers.map(|(registries, workload, container)| async move {
        let chosen = Chosen {
            workload,
            container,
            policies,
        };
        let available = Available::ask(&chosen, registries, limit).await;
        Row {
            workload: workload.id.to_string(),
            container: container.name.clone(),
            available,
        }
    });
    let rows: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    if rows.is_empty() {
        streams.say("no workloads found");
        return Ok(());
    }
    print(&rows, args.output, streams)
}

/// Returns what is asked for, here and in other clusters; a workload that is in none of them is an error.
async fn selected(
    args: &ImagesArgs,
    cluster: &Cluster,
    streams: &mut Streams,
) -> Result<(Vec<Workload>, Vec<Elsewhere>), Error> {
    let ids = args
        .workloads
        .iter()
        .map(|text| WorkloadId::read(text, &cluster.namespace))
        .collect::<Result<Vec<_>, _>>()?;
    let scope = Scope::of(args.all_namespaces);
    let is_in_scope = in_scope(scope, &cluster.namespace);
    let is_asked = |id: &WorkloadId| {
        if ids.is_empty() {
            is_in_scope(id)
        } else {
            ids.contains(id)
        }
    };
    let others = elsewhere(cluster, is_asked, streams).await?;
    let there: Vec<_> = others.iter().flat_map(|other| &other.workloads).collect();
    let found = present(&ids, scope, cluster).await?;
    check(&ids, found.iter().chain(there))?;
    Ok((found, others))
}

/// Returns these workloads, or all of this cluster if none are named. One that is not here is looked for where Syncs apply to
/// other clusters; one that is nowhere, or in several of those, is an error.
pub(crate) async fn find(
    ids: &[WorkloadId],
    cluster: &Cluster,
    streams: &mut Streams,
) -> Result<(Vec<Workload>, Vec<Elsewhere>), Error> {
    let here = present(ids, Scope::Namespace, cluster).await?;
    let is_missing =
        |id: &WorkloadId| ids.contains(id) && !here.iter().any(|workload| workload.id == *id);
    let others = if ids.iter().any(is_missing) {
        elsewhere(cluster, is_missing, streams).await?
    } else {
        Vec::new()
    };
    let there: Vec<_> = others.iter().flat_map(|other| &other.workloads).collect();
    check(ids, here.iter().chain(there.iter().copied()))?;
    for (index, workload) in there.iter().enumerate() {
        let before = there.iter().take(index);
        if before.into_iter().any(|other| other.id == workload.id) {
            return Err(Error::Failed(format!(
                "workload {} runs in several other clusters; change it in git, where each has its own file",
                workload.id
            )));
        }
    }
    Ok((here, others))
}

/// Returns these workloads of one cluster, or all of it if none are named; one that is not there is an error.
pub(crate) async fn find_in(cluster: &Cluster, ids: &[WorkloadId]) -> Result<Vec<Workload>, Error> {
    let found = present(ids, Scope::Namespace, cluster).await?;
    check(ids, found.iter())?;
    Ok(found)
}

async fn present(
    ids: &[WorkloadId],
    scope: Scope,
    cluster: &Cluster,
) -> Result<Vec<Workload>, Error> {
    if ids.is_empty() {
        return workloads(cluster, scope).await;
    }
    let mut found = Vec::new();
    let mut namespaces: Vec<_> = ids.iter().map(|id| &id.namespace).collect();
    namespaces.sort();
    namespaces.dedup();
    for namespace in namespaces {
        found.extend(workloads(&cluster.in_namespace(namespace), Scope::Namespace).await?);
    }
    found.retain(|workload| ids.contains(&workload.id));
    Ok(found)
}

fn check<'a>(ids: &[WorkloadId], found: impl Iterator<Item = &'a Workload>) -> Result<(), Error> {
    let found: Vec<_> = found.map(|workload| &workload.id).collect();
    match ids.iter().find(|id| !found.contains(id)) {
        Some(missing) => Err(Error::Failed(format!(
            "there is no workload {missing}; see what there is: kubectl flux workloads -A"
        ))),
        None => Ok(()),
    }
}

fn print(rows: &[Row], format: Format, streams: &mut Streams) -> Result<(), Error> {
    let list = || rows.iter().map(Row::whole).collect::<Vec<_>>().into();
    match format {
        Format::Table | Format::Wide => streams.data(&draw::table(rows).render()),
        Format::Json => streams.data(&output::json(&list())),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&list())),
        Format::Name => rows
            .iter()
            .flat_map(Row::names)
            .try_for_each(|name| streams.line(name)),
    }
}
