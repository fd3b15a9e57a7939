//! `delete`.

use flux_crds::{Sync, sync::Deletion};
use kube::api::DeleteParams;

use super::{Targets, wait::gone};
use crate::{
    args::{Connection, DeleteArgs, DryRun},
    cluster::{Cluster, Scope},
    error::Error,
    resource::Resource,
    streams::Streams,
};

/// Deletes the targets and waits until they are gone.
pub(crate) async fn run(
    args: &DeleteArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let targets = Targets::read(&args.targets)?;
    let cluster = Cluster::connect(connection).await?;
    for target in targets.find(&cluster).await? {
        let reference = target.kind.reference(&target.name);
        let cluster = cluster.in_namespace(&target.namespace);
        let object = cluster.get(target.kind, &target.name).await?;
        if let Resource::Sync(sync) = Resource::read(target.kind, &object)? {
            streams.say(consequence(&sync));
        }
        if args.dry_run == Some(DryRun::Client) {
            streams.line(format_args!("{reference} deleted (dry run)"))?;
            continue;
        }
        let api = cluster.api(target.kind, Scope::Namespace);
        let deleted = api
            .delete(
                &target.name,
                &DeleteParams {
                    dry_run: args.dry_run.is_some(),
                    ..DeleteParams::default()
                },
            )
            .await;
        deleted.map_err(Error::api(format!(
            "delete the {} \"{}\"",
            target.kind, target.name
        )))?;
        if !args.patience.no_wait && args.dry_run.is_none() {
            gone(&cluster, &target, args.patience.timeout).await?;
        }
        let suffix = if args.dry_run.is_some() {
            " (server dry run)"
        } else {
            ""
        };
        streams.line(format_args!("{reference} deleted{suffix}"))?;
    }
    Ok(())
}

/// Says what happens to the objects of a Sync.
fn consequence(sync: &Sync) -> String {
    let inventory = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref());
    let count = inventory.map_or(0, |inventory| inventory.entries.len());
    let objects = if count == 1 {
        "its one object".to_owned()
    } else {
        format!("its {count} objects")
    };
    if count == 0 {
        return "the sync has no objects".to_owned();
    }
    if sync.spec.is_suspended() {
        return format!("the sync is suspended, so {objects} stay in the cluster");
    }
    match sync.spec.deletion() {
        Deletion::Prune => format!("{objects} will be deleted with the sync"),
        Deletion::Orphan => format!("{objects} stay in the cluster"),
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::sync::{Inventory, InventoryEntry};

    use super::*;

    #[test]
    fn what_happens_to_the_objects_is_said_before() {
        let mut sync = Sync::test();
        assert_eq!(consequence(&sync), "the sync has no objects");
        let entries = vec![InventoryEntry::default(); 3];
        sync.status.get_or_insert_default().inventory = Some(Inventory { entries });
        assert_eq!(
            consequence(&sync),
            "its 3 objects will be deleted with the sync"
        );
        sync.spec.prune = Some(false);
        assert_eq!(consequence(&sync), "its 3 objects stay in the cluster");
        sync.spec.suspend = Some(true);
        assert_eq!(
            consequence(&sync),
            "the sync is suspended, so its 3 objects stay in the cluster"
        );
    }
}
