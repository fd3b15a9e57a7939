//! Putting single objects back, as they were applied before.

use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_core::settings::{Settings, Ssa};

use super::apply;
use super::take_over::take_over;
use super::transaction::{Beside, Item, ItemError, body, payload, recreate, resource};
use super::{Cluster, Error, live};

/// What became of an object that was to be put back.
#[derive(Debug)]
pub enum Repaired {
    /// It is as it was applied; this is its metadata.
    Done(Box<Metadata>),
    /// It is left alone, as it asks.
    LeftAlone,
}

/// Reads the metadata of an object by its name, whatever its labels are. `None` when it, or its kind, does not exist.
pub async fn look(cluster: &Cluster, id: &ObjectId) -> Result<Option<Metadata>, Error> {
    match cluster.kinds().preferred(&id.group, &id.kind).await {
        Ok(resource) => live::get(cluster, &resource, &id.namespace, &id.name).await,
        Err(Error::UnknownKind { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Applies one object over what lives of it. There is no dry-run before: an apply of one object is a transaction already.
pub async fn repair(
    cluster: &Cluster,
    item: &Item,
    live: Option<&Metadata>,
) -> Result<Repaired, ItemError> {
    let settings = Settings::of(Some(&item.desired.value), live);
    let is_left = match settings.ssa {
        Ssa::Ignore => true,
        Ssa::IfNotPresent => live.is_some(),
        Ssa::Override | Ssa::Merge => false,
    };
    if is_left || !settings.reconcile {
        return Ok(Repaired::LeftAlone);
    }
    if live.is_some_and(Metadata::is_terminating) {
        return Err(ItemError::Terminating);
    }
    let resource = resource(cluster, &item.desired).await?;
    let body = body(&item.desired);
    let payload = payload(item, &resource, &body);
    if let Some(live) = live
        && settings.ssa == Ssa::Override
        && item.beside == Beside::TakenOver
    {
        take_over(cluster, payload, live).await?;
    }
    let applied = match apply::apply(cluster, payload).await {
        Err(error)
            if error
                .rejection()
                .is_some_and(super::Rejection::is_immutable_field) =>
        {
            if !item.force {
                return Err(ItemError::Immutable(error));
            }
            recreate(cluster, payload).await?.1
        }
        applied => Some(applied?.metadata),
    };
    Ok(applied.map_or(Repaired::LeftAlone, |metadata| {
        Repaired::Done(Box::new(metadata))
    }))
}
