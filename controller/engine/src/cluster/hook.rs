//! Jobs that run at a point of a sync.

use flux_core::owner::Owner;
use flux_core::sequence::Hook;

use super::apply;
use super::transaction::{Beside, Item, ItemError, body, payload, recreate, resource};
use super::{Cluster, live};

/// Why a hook could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Job cannot be applied.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// A Job of this name belongs to someone else, and a hook begins with a deletion.
    #[error("a Job of this name exists that is not of this Sync: delete it, or rename the hook")]
    Foreign,
    /// The Job is none that the API server could have.
    #[error(transparent)]
    Object(flux_core::object::Error),
}

/// Which run of a hook there shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The one for this state, also when it has begun before.
    This,
    /// A new one.
    Another,
}

/// Makes sure that a hook runs for a desired state: the Job of an earlier run is deleted, as a Job cannot be changed.
pub async fn begin(
    cluster: &Cluster,
    owner: &Owner,
    (hook, state): (&Hook, &str),
    run: Run,
) -> Result<(), Error> {
    let item = Item {
        desired: hook.marked(state).map_err(Error::Object)?,
        force: true,
        beside: Beside::default(),
    };
    let resource = resource(cluster, &item.desired).await?;
    let body = body(&item.desired);
    let payload = payload(&item, &resource, &body);
    let found = live::get(cluster, &resource, payload.namespace, payload.name).await;
    match found.map_err(ItemError::from)? {
        None => {
            let applied = apply::apply(cluster, payload).await;
            applied.map_err(ItemError::from)?;
        }
        Some(live) if Owner::of(&live.labels).as_ref() != Some(owner) => {
            return Err(Error::Foreign);
        }
        Some(live) if run == Run::This && hook.is_run(&live, state) && !live.is_terminating() => {}
        Some(_) => {
            recreate(cluster, payload).await?;
        }
    }
    Ok(())
}

/// Deletes the Job of a hook that is over.
pub async fn clean_up(cluster: &Cluster, hook: &Hook) -> Result<(), Error> {
    let resource = resource(cluster, &hook.job).await?;
    let id = &hook.job.id;
    let deleted = async {
        if let Some(live) = live::get(cluster, &resource, &id.namespace, &id.name).await? {
            apply::delete(cluster, &resource, &live).await?;
        }
        Ok(())
    };
    deleted
        .await
        .map_err(|error: super::Error| ItemError::from(error).into())
}
