//! What a Sync has in the cluster: the only memory from which anything is ever deleted.

use std::collections::{BTreeMap, HashSet};

use flux_crds::sync;

use crate::hash::Record;
use crate::object::{self, Desired, ObjectId};

#[cfg(test)]
mod tests;

/// What is remembered of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Version of the API without its group, such as `v1`.
    pub version: String,
    /// The last apply; none before the first, or when it was not recorded.
    pub record: Option<Record>,
    /// Whether it was first applied by a revision that has not been applied as a whole.
    pub is_new: bool,
}

/// The objects of a Sync, in the order of their identities.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory(pub BTreeMap<ObjectId, Entry>);

/// An entry of the status cannot be read.
///
/// Nothing may go on with the rest: what an unread entry names would be orphaned.
#[derive(Debug, thiserror::Error)]
#[error("status.inventory has an entry that names no object")]
pub struct Error(#[from] object::Error);

impl Inventory {
    /// Reads the inventory of a status.
    ///
    /// A record that cannot be read counts as none: the object is applied once more.
    pub fn from_status(status: &sync::Inventory) -> Result<Self, Error> {
        let entries = status.entries.iter().map(|entry| {
            let record = entry.h.as_deref().and_then(|text| text.parse().ok());
            let read = Entry {
                version: entry.v.clone(),
                record,
                is_new: entry.n,
            };
            Ok((ObjectId::parse_key(&entry.id)?, read))
        });
        entries.collect::<Result<_, Error>>().map(Self)
    }

    /// Writes the inventory for a status, in the order of the identities.
    pub fn to_status(&self) -> sync::Inventory {
        let entries = self.0.iter().map(|(id, entry)| sync::InventoryEntry {
            id: id.key(),
            v: entry.version.clone(),
            h: entry.record.map(|record| record.to_string()),
            n: entry.is_new,
        });
        sync::Inventory {
            entries: entries.collect(),
        }
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what is remembered of an object.
    pub fn get(&self, id: &ObjectId) -> Option<&Entry> {
        self.0.get(id)
    }

    /// Says whether the object is one of ours.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.0.contains_key(id)
    }

    /// Returns this inventory with everything that is about to be applied.
    ///
    /// Written before the first change in the cluster, it makes orphans impossible: whatever the
    /// interrupted run created is in it. Records stay, because nothing has been applied yet.
    #[must_use]
    pub fn union<'a>(&self, desired: impl IntoIterator<Item = &'a Desired>) -> Self {
        let mut union = self.clone();
        for object in desired {
            let entry = union.0.entry(object.id.clone()).or_default();
            object.version().clone_into(&mut entry.version);
        }
        union
    }

    /// Marks what is not in an earlier inventory as new.
    pub fn mark_new(&mut self, earlier: &Self) {
        for (id, entry) in &mut self.0 {
            entry.is_new |= !earlier.contains(id);
        }
    }

    /// Notes that a revision was applied as a whole: nothing is new any more.
    pub fn settle(&mut self) {
        for entry in self.0.values_mut() {
            entry.is_new = false;
        }
    }

    /// Returns this inventory without what is new.
    #[must_use]
    pub fn without_new(&self) -> Self {
        let old = self.0.iter().filter(|(_, entry)| !entry.is_new);
        Self(old.map(|(id, entry)| (id.clone(), entry.clone())).collect())
    }

    /// Returns the objects that are no longer wanted, in the order of their identities.
    pub fn difference(&self, desired: &[Desired]) -> Vec<ObjectId> {
        let wanted: HashSet<&ObjectId> = desired.iter().map(|object| &object.id).collect();
        self.0
            .keys()
            .filter(|id| !wanted.contains(id))
            .cloned()
            .collect()
    }

    /// Remembers an apply.
    pub fn record(&mut self, object: &Desired, owned: Option<u64>) {
        let entry = self.0.entry(object.id.clone()).or_default();
        object.version().clone_into(&mut entry.version);
        entry.record = owned.map(|owned| Record {
            desired: object.hash,
            owned,
        });
    }

    /// Forgets how objects were applied last, but not that they are ours. Returns whether anything was known.
    pub fn doubt<'a>(&mut self, objects: impl IntoIterator<Item = &'a Desired>) -> bool {
        let mut was_known = false;
        for object in objects {
            let record = self
                .0
                .get_mut(&object.id)
                .and_then(|entry| entry.record.take());
            was_known |= record.is_some();
        }
        was_known
    }

    /// Forgets how objects were applied last that nobody watches over any more, but not that they are ours.
    pub fn release(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(entry) = self.0.get_mut(id) {
                entry.record = None;
            }
        }
    }

    /// Forgets an object, after its deletion has been seen.
    pub fn remove(&mut self, id: &ObjectId) -> Option<Entry> {
        self.0.remove(id)
    }
}
