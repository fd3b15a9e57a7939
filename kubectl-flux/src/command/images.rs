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
    workload::{Workload, WorkloadId, image_policies, workloads},
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
    let found = selected(args, &cluster).await?;
    let policies = image_policies(&cluster).await?;
    let registries = Registries::new(&cluster);
    let limit = if args.limit == 0 {
        usize::MAX
    } else {
        args.limit
    };
    let containers = found.iter().flat_map(|workload| {
        workload
            .containers
            .iter()
            .map(move |container| (workload, container))
    });
    let (registries, policies) = (&registries, &policies);
    let asked = containers.map(|(workload, container)| async move {
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

async fn selected(args: &ImagesArgs, cluster: &Cluster) -> Result<Vec<Workload>, Error> {
    let ids = args
        .workloads
        .iter()
        .map(|text| WorkloadId::read(text, &cluster.namespace))
        .collect::<Result<Vec<_>, _>>()?;
    find(&ids, Scope::of(args.all_namespaces), cluster).await
}

/// Returns these workloads, or all if none are named; one that does not exist is an error.
pub(crate) async fn find(
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
    match ids
        .iter()
        .find(|id| !found.iter().any(|workload| workload.id == **id))
    {
        Some(missing) => Err(Error::Failed(format!(
            "there is no workload {missing}; see what there is: kubectl flux workloads -A"
        ))),
        None => Ok(found),
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
