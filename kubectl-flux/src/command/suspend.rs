//! `suspend` and `resume`.

use serde_json::json;

use super::{
    Targets,
    reconcile::{Extent, look, reconcile},
};
use crate::{
    args::{Connection, ResumeArgs, SuspendArgs},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    streams::Streams,
};

/// Stops the targets.
pub(crate) async fn suspend(
    args: &SuspendArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let targets = Targets::read(&args.targets)?;
    let cluster = Cluster::connect(connection).await?;
    for target in targets.find(&cluster).await? {
        let change = json!({"spec": {"suspend": true}});
        cluster
            .in_namespace(&target.namespace)
            .merge(target.kind, &target.name, &change)
            .await?;
        streams.line(format_args!("{target} suspended"))?;
    }
    Ok(())
}

/// Lets the targets go on, and shows what that changes. A Sync that was held at a revision follows its source again.
pub(crate) async fn resume(
    args: &ResumeArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let targets = Targets::read(&args.targets)?;
    let cluster = Cluster::connect(connection).await?;
    let targets = targets.find(&cluster).await?;
    let looks = look(&targets, &cluster).await?;
    for target in &targets {
        let change = match target.kind {
            Kind::Sync => json!({"spec": {"suspend": null, "revision": null}}),
            Kind::GitRepository | Kind::ImagePolicy => json!({"spec": {"suspend": null}}),
        };
        cluster
            .in_namespace(&target.namespace)
            .merge(target.kind, &target.name, &change)
            .await?;
        streams.line(format_args!("{target} resumed"))?;
    }
    if args.patience.no_wait {
        return Ok(());
    }
    reconcile(&looks, &cluster, (args.patience, Extent::Changed), streams).await
}
