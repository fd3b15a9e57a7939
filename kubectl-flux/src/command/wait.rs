//! `wait`.

use flux_crds::ConditionType;
use kube::runtime::{conditions, wait::await_condition};

use super::{
    Target, Targets,
    follow::{Goal, Progress, follow},
};
use crate::{
    args::{AwaitedState, Connection, WaitArgs},
    cluster::{Cluster, Scope},
    error::Error,
    streams::Streams,
};

/// Waits for all targets, one after the other within one limit.
pub(crate) async fn run(
    args: &WaitArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let targets = Targets::read(&args.targets)?;
    let cluster = Cluster::connect(connection).await?;
    let deadline = tokio::time::Instant::now() + args.timeout;
    let mut failed = Vec::new();
    for target in targets.find(&cluster).await? {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        match args.state {
            AwaitedState::Ready => {
                let (resource, progress) =
                    follow(&cluster, &target, &Goal::Ready, left, streams).await?;
                if progress == Progress::Failed {
                    let ready = resource.condition(ConditionType::Ready);
                    failed.push(format!(
                        "{target} is stalled: {}",
                        ready.map_or("", |ready| ready.message.as_str())
                    ));
                    continue;
                }
                streams.line(format_args!("{target} is ready"))?;
            }
            AwaitedState::Deleted => {
                gone(&cluster, &target, left).await?;
                streams.line(format_args!("{target} is gone"))?;
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::Failed(failed.join("; ")))
    }
}

/// Waits until an object is gone; one that is not there is gone.
pub(crate) async fn gone(
    cluster: &Cluster,
    target: &Target,
    limit: std::time::Duration,
) -> Result<(), Error> {
    let api = cluster
        .in_namespace(&target.namespace)
        .api(target.kind, Scope::Namespace);
    let found = api
        .get_metadata_opt(&target.name)
        .await
        .map_err(Error::api(format!("get {target}")))?;
    let Some(uid) = found.and_then(|object| object.metadata.uid) else {
        return Ok(());
    };
    let what = format!("the deletion of {target}");
    match tokio::time::timeout(
        limit,
        await_condition(api, &target.name, conditions::is_deleted(&uid)),
    )
    .await
    {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Failed(format!("cannot wait for {what}: {error}"))),
        Err(_) => Err(Error::TimedOut {
            what,
            limit: crate::age::limit(limit),
        }),
    }
}
