//! Deleting what left the source.
//!
//! Safety, in this order: 1. only objects of our own inventory are looked at; 2. each is read first, and left alone unless
//! its live labels still name this owner; 3. an opt-out on the live object keeps it; 4. the delete carries the uid that was
//! read, so an object that someone created anew under the name is never hit; 5. what could not be deleted is returned, so
//! that it stays in the inventory.

use std::collections::BTreeMap;

use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_core::order::Rank;
use flux_core::owner::Owner;
use flux_core::plan::{self, Decision, Kept};
use flux_core::sequence::Wave;
use futures::{FutureExt as _, StreamExt as _};

use super::apply::{self, Deletion};
use super::live;
use super::survey::survey;
use super::{Cluster, Error, at_once};

/// What became of an object that left the source.
#[derive(Debug)]
pub enum Pruned {
    /// It was deleted.
    Deleted,
    /// It did not exist any more.
    Gone,
    /// It belongs to someone else now.
    Released,
    /// An annotation or label on it says that it stays.
    Kept,
    /// It could not be deleted.
    Failed(Error),
}

/// More objects of one kind than this are read by one LIST, fewer by a GET each.
const ONE_BY_ONE: usize = 8;
/// Deletions under way at once.
const AT_ONCE: usize = 16;

/// Deletes `stale` in the reverse of the order in which they were applied: the last wave first.
pub async fn prune(
    cluster: &Cluster,
    owner: &Owner,
    stale: &[ObjectId],
) -> Vec<(ObjectId, Pruned)> {
    let ids: Vec<&ObjectId> = stale.iter().collect();
    let mut steps: BTreeMap<_, Vec<(&ObjectId, Found)>> = BTreeMap::new();
    let mut live = read(cluster, owner, &ids).await;
    for id in ids {
        let found = live.remove(id).unwrap_or(Ok(None));
        let wave = match &found {
            Ok(Some(metadata)) => Wave::of_live(metadata),
            Ok(None) | Err(_) => Wave::default(),
        };
        steps
            .entry((wave, Rank::of(id)))
            .or_default()
            .push((id, found));
    }
    let mut outcomes = Vec::with_capacity(stale.len());
    for (_, objects) in steps.into_iter().rev() {
        let deletions = objects.into_iter().map(|(id, found)| {
            async move { (id.clone(), delete(cluster, owner, id, found).await) }.boxed()
        });
        outcomes.extend(at_once(deletions, AT_ONCE).collect::<Vec<_>>().await);
    }
    outcomes
}

type Found = Result<Option<Metadata>, Error>;

async fn read(cluster: &Cluster, owner: &Owner, ids: &[&ObjectId]) -> BTreeMap<ObjectId, Found> {
    if ids.len() > ONE_BY_ONE
        && let Ok(mut survey) = survey(cluster, owner, ids.iter().copied()).await
        && survey.unseen.is_empty()
    {
        return ids
            .iter()
            .map(|id| ((*id).clone(), Ok(survey.live.remove(*id))))
            .collect();
    }
    let reads = ids
        .iter()
        .map(|id| async move { ((*id).clone(), read_one(cluster, id).await) }.boxed());
    at_once(reads, AT_ONCE).collect().await
}

async fn read_one(cluster: &Cluster, id: &ObjectId) -> Found {
    match cluster.kinds().preferred(&id.group, &id.kind).await {
        Ok(resource) => live::get(cluster, &resource, &id.namespace, &id.name).await,
        // The kind went, and with it all its objects.
        Err(Error::UnknownKind { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn delete(cluster: &Cluster, owner: &Owner, id: &ObjectId, found: Found) -> Pruned {
    let metadata = match found {
        Ok(Some(metadata)) => metadata,
        Ok(None) => return Pruned::Gone,
        Err(error) => return Pruned::Failed(error),
    };
    match plan::decide(owner, &metadata, true) {
        Decision::Delete | Decision::Read => {}
        Decision::Gone => return Pruned::Gone,
        Decision::Keep(Kept::NotOurs(_)) => return Pruned::Released,
        Decision::Keep(Kept::Disabled | Kept::PruneOff) => return Pruned::Kept,
        Decision::Keep(Kept::Terminating) => return Pruned::Deleted,
    }
    let deleted = match cluster.kinds().preferred(&id.group, &id.kind).await {
        Ok(resource) => apply::delete(cluster, &resource, &metadata).await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(Deletion::Deleted) => Pruned::Deleted,
        Ok(Deletion::Gone) | Err(Error::UnknownKind { .. }) => Pruned::Gone,
        Err(error) => Pruned::Failed(error),
    }
}
