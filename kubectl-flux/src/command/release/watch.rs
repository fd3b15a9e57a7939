//! Waits until released workloads run.

use std::time::Duration;

use crate::{
    args::Patience,
    change::Status,
    cluster::Cluster,
    command::{
        Target,
        images::find_in,
        publish::Published,
        reconcile::{Extent, look, reconcile, source},
    },
    error::Error,
    kind::Kind,
    resource::Resource,
    streams::Streams,
    table::Table,
    workload::{Elsewhere, Workload, WorkloadId},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets the sources and Syncs of what was released reconcile, and follows the workloads until all are ready.
pub(super) async fn watch(
    published: &Published,
    (cluster, places): (&Cluster, &[Elsewhere]),
    limit: Duration,
    streams: &mut Streams,
) -> Result<(), Error> {
    let released = published
        .outcomes
        .iter()
        .filter(|outcome| outcome.status == Status::Success);
    let ids: Vec<_> = released.map(|outcome| &outcome.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let places: Vec<_> = places
        .iter()
        .map(|place| {
            let all = place.workloads.iter().map(|workload| &workload.id);
            let released = all.filter(|id| ids.contains(id)).cloned();
            (&place.cluster, released.collect())
        })
        .collect();
    let patience = Patience {
        no_wait: false,
        timeout: limit,
    };
    let sources = sources(&published.syncs, cluster).await?;
    for targets in [&sources, &published.syncs] {
        let looks = look(targets, cluster).await?;
        reconcile(&looks, cluster, (patience, Extent::Changed), streams).await?;
    }
    match tokio::time::timeout(limit, until_ready(&places, streams)).await {
        Ok(ended) => ended,
        Err(_) => Err(Error::NotReady {
            what: "a released workload".into(),
            limit: crate::age::limit(limit),
            hint: "see which: kubectl flux workloads".into(),
        }),
    }
}

async fn sources(syncs: &[Target], cluster: &Cluster) -> Result<Vec<Target>, Error> {
    let mut sources = Vec::new();
    for target in syncs {
        let object = cluster
            .in_namespace(&target.namespace)
            .get(Kind::Sync, &target.name)
            .await?;
        if let Resource::Sync(sync) = Resource::read(Kind::Sync, &object)? {
            let source = source(&sync, &target.namespace);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    Ok(sources)
}

/// Prints the table again whenever it has changed.
async fn until_ready(
    places: &[(&Cluster, Vec<WorkloadId>)],
    streams: &mut Streams,
) -> Result<(), Error> {
    let mut last = String::new();
    let mut looks = tokio::time::interval(PAUSE);
    loop {
        looks.tick().await;
        let mut found = Vec::new();
        for (cluster, ids) in places.iter().filter(|(_, ids)| !ids.is_empty()) {
            found.extend(find_in(cluster, ids).await?);
        }
        let table = table(&found).render();
        if table != last {
            streams.data(&table)?;
            last = table;
        }
        if found.iter().all(|workload| workload.release() == "ready") {
            return streams.line("All workloads ready.");
        }
    }
}

fn table(found: &[Workload]) -> Table {
    let mut table = Table::new(vec![
        "WORKLOAD",
        "CONTAINER",
        "IMAGE",
        "RELEASE",
        "REPLICAS",
    ]);
    for workload in found {
        for (index, container) in workload.containers.iter().enumerate() {
            let (name, image) = (container.name.clone(), container.image.clone());
            table.push_more(if index == 0 {
                let release = workload.release().to_owned();
                vec![
                    workload.id.to_string(),
                    name,
                    image,
                    release,
                    workload.replicas(),
                ]
            } else {
                vec![String::new(), name, image]
            });
        }
    }
    table
}
