//! Which Sync an object belongs to, over all Syncs of this controller.
//!
//! A claim is made from the inventory before the first write, so two Syncs can never both believe that an object is theirs.
//! Who comes second, and has the right to write the object, is told the owner's name, and its wish is remembered: when the
//! owner lets go of the object, because it left that Sync's source, the object is handed over instead of deleted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flux_core::object::ObjectId;
use tokio::sync::Notify;

use crate::key::Key;
use crate::remotes::Source;

/// An object that belongs to another Sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The object.
    pub(crate) id: ObjectId,
    /// The Sync that it belongs to.
    pub(crate) owner: Key,
}

/// The cluster that a Sync writes to: our own, or the one of a kubeconfig. Two kubeconfigs for one cluster count as two: who
/// may use them is trusted there with the objects of the other.
type Place = Option<Source>;

#[derive(Default)]
struct Table {
    clusters: HashMap<Place, Cluster>,
    /// The Syncs of other clusters.
    places: HashMap<Key, Source>,
    nudges: HashMap<Key, Arc<Notify>>,
}

/// The claims to objects of one cluster.
#[derive(Default)]
struct Cluster {
    owners: HashMap<ObjectId, Key>,
    wishes: HashMap<ObjectId, Key>,
}

impl Table {
    fn cluster(&mut self, sync: &Key) -> &mut Cluster {
        let place = self.places.get(sync).cloned();
        self.clusters.entry(place).or_default()
    }

    fn forget(&mut self, sync: &Key) {
        let cluster = self.cluster(sync);
        cluster.owners.retain(|_, owner| owner != sync);
        cluster.wishes.retain(|_, heir| heir != sync);
        self.places.remove(sync);
        self.clusters
            .retain(|_, cluster| !(cluster.owners.is_empty() && cluster.wishes.is_empty()));
    }
}

/// All claims.
#[derive(Default)]
pub(crate) struct Claims {
    table: Mutex<Table>,
}

impl Claims {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which cluster a Sync writes to. What it claimed in another is free.
    pub(crate) fn settle(&self, sync: &Key, place: Place) {
        let mut table = self.table();
        if table.places.get(sync) != place.as_ref() {
            table.forget(sync);
            if let Some(source) = place {
                table.places.insert(sync.clone(), source);
            }
        }
    }

    /// Claims `ids` for a Sync. Returns those that belong to another; then nothing new was claimed at all.
    pub(crate) fn claim<'a>(
        &self,
        sync: &Key,
        ids: impl Iterator<Item = &'a ObjectId> + Clone,
    ) -> Vec<Conflict> {
        let mut table = self.table();
        let cluster = table.cluster(sync);
        let conflicts: Vec<Conflict> = ids
            .clone()
            .filter_map(|id| {
                let owner = cluster.owners.get(id).filter(|owner| *owner != sync)?;
                Some(Conflict {
                    id: id.clone(),
                    owner: owner.clone(),
                })
            })
            .collect();
        // What is wished for no longer, because it left that Sync's source, must be deleted when its owner lets go of it.
        let taken: HashSet<&ObjectId> = conflicts.iter().map(|conflict| &conflict.id).collect();
        cluster
            .wishes
            .retain(|id, heir| heir != sync || taken.contains(id));
        if conflicts.is_empty() {
            for id in ids {
                cluster.wishes.remove(id);
                if !cluster.owners.contains_key(id) {
                    cluster.owners.insert(id.clone(), sync.clone());
                }
            }
        }
        conflicts
    }

    /// Remembers that a Sync wishes for objects of others. Only who may write an object may wish for it: a wish keeps its
    /// owner from deleting it.
    pub(crate) fn wish(&self, sync: &Key, conflicts: &[Conflict]) {
        let mut table = self.table();
        let cluster = table.cluster(sync);
        let mut is_free = false;
        for Conflict { id, .. } in conflicts {
            if cluster.owners.contains_key(id) {
                cluster.wishes.insert(id.clone(), sync.clone());
            } else {
                is_free = true;
            }
        }
        if is_free && let Some(nudge) = table.nudges.get(sync) {
            nudge.notify_one();
        }
    }

    /// Gives an object up when another Sync wishes for it, and wakes that one. Returns whether it was handed over.
    pub(crate) fn hand_over(&self, sync: &Key, id: &ObjectId) -> Option<Key> {
        let mut table = self.table();
        let cluster = table.cluster(sync);
        let heir = cluster.wishes.remove(id).filter(|heir| heir != sync)?;
        cluster.owners.remove(id);
        if let Some(nudge) = table.nudges.get(&heir) {
            nudge.notify_one();
        }
        Some(heir)
    }

    /// Forgets the claim to an object that is gone.
    pub(crate) fn release(&self, sync: &Key, id: &ObjectId) {
        let mut table = self.table();
        let cluster = table.cluster(sync);
        if cluster.owners.get(id) == Some(sync) {
            cluster.owners.remove(id);
            let heir = cluster.wishes.remove(id);
            if let Some(nudge) = heir.and_then(|heir| table.nudges.get(&heir).cloned()) {
                nudge.notify_one();
            }
        }
    }

    /// Forgets a Sync that is gone, with all its claims and wishes.
    pub(crate) fn forget(&self, sync: &Key) {
        let mut table = self.table();
        table.forget(sync);
        table.nudges.remove(sync);
    }

    /// Returns what is notified when an object that this Sync wished for becomes free.
    pub(crate) fn nudge(&self, sync: &Key) -> Arc<Notify> {
        Arc::clone(self.table().nudges.entry(sync.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: "a".into(),
            name: name.into(),
        }
    }

    #[test]
    fn the_second_is_told_the_owner_and_gets_nothing() {
        let (claims, first, second) = (
            Claims::default(),
            Key::new("a", "first"),
            Key::new("a", "second"),
        );
        assert!(claims.claim(&first, [id("x")].iter()).is_empty());
        let conflicts = claims.claim(&second, [id("x"), id("y")].iter());
        assert_eq!(
            conflicts,
            [Conflict {
                id: id("x"),
                owner: first.clone()
            }]
        );
        assert!(
            claims.claim(&first, [id("y")].iter()).is_empty(),
            "a failed claim claims nothing"
        );
    }

    #[test]
    fn an_object_that_another_wishes_for_is_handed_over() {
        let (claims, first, second) = (
            Claims::default(),
            Key::new("a", "first"),
            Key::new("a", "second"),
        );
        claims.claim(&first, [id("x")].iter());
        let conflicts = claims.claim(&second, [id("x")].iter());
        claims.wish(&second, &conflicts);
        assert_eq!(claims.hand_over(&first, &id("x")), Some(second.clone()));
        assert!(claims.claim(&second, [id("x")].iter()).is_empty());
        assert_eq!(claims.hand_over(&second, &id("x")), None);
    }

    #[test]
    fn a_wish_ends_with_the_wish_for_the_object() {
        let (claims, first, second) = (
            Claims::default(),
            Key::new("a", "first"),
            Key::new("a", "second"),
        );
        claims.claim(&first, [id("x")].iter());
        let conflicts = claims.claim(&second, [id("x")].iter());
        assert_eq!(claims.hand_over(&first, &id("x")), None, "no wish yet");
        claims.wish(&second, &conflicts);
        assert!(claims.claim(&second, [id("y")].iter()).is_empty());
        assert_eq!(claims.hand_over(&first, &id("x")), None);
    }

    #[test]
    fn objects_of_two_clusters_have_nothing_to_do_with_each_other() {
        let (claims, here, there) = (
            Claims::default(),
            Key::new("a", "here"),
            Key::new("a", "there"),
        );
        let staging = Some(Source {
            secret: Key::new("a", "staging"),
            key: None,
        });
        claims.settle(&here, None);
        claims.settle(&there, staging.clone());
        assert!(claims.claim(&here, [id("x")].iter()).is_empty());
        assert!(claims.claim(&there, [id("x")].iter()).is_empty());

        claims.settle(&here, staging);
        let conflicts = claims.claim(&here, [id("x")].iter());
        assert_eq!(conflicts.len(), 1, "both are in one cluster now");
        claims.settle(&there, None);
        let free = claims.claim(&there, [id("x")].iter());
        assert!(free.is_empty(), "who moves leaves what it claimed");
    }

    #[test]
    fn a_sync_that_is_gone_owns_and_wishes_nothing() {
        let (claims, first, second) = (
            Claims::default(),
            Key::new("a", "first"),
            Key::new("a", "second"),
        );
        claims.claim(&first, [id("x")].iter());
        claims.forget(&first);
        assert!(claims.claim(&second, [id("x")].iter()).is_empty());
    }
}
