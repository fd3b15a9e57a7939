//! What is remembered of watched objects: two numbers each.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Returns the number that an object is known by among those of its kind.
///
/// Two objects of one Sync and kind that share one would hide each other's drift from the watch, though not from the
/// verification each interval; with a million objects the odds are one in forty million.
pub fn key(namespace: &str, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    namespace.hash(&mut hasher);
    name.hash(&mut hasher);
    hasher.finish()
}

/// How an object was last seen that is not as we left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// It is not there, or has lost our label.
    Gone,
    /// Its hash is another; none when it has no entry of ours.
    Changed(Option<u64>),
}

/// The watched objects of one Sync and one kind: how each was left by our last apply, and those seen otherwise since.
#[derive(Debug, Default)]
pub struct Records {
    hashes: HashMap<u64, u64>,
    sightings: HashMap<u64, Sighting>,
}

impl Records {
    /// Replaces what is known, after an apply. Sightings that are explained by it are forgotten, and those of objects that
    /// are not watched any more.
    pub fn replace(&mut self, records: impl IntoIterator<Item = (u64, u64)>) {
        self.hashes.clear();
        self.hashes.extend(records);
        self.hashes.shrink_to_fit();
        let hashes = &self.hashes;
        self.sightings.retain(|key, seen| match seen {
            Sighting::Gone => hashes.contains_key(key),
            Sighting::Changed(hash) => hashes.get(key).is_some_and(|known| Some(*known) != *hash),
        });
    }

    /// Notes an object that lives, with the hash of our entry. Returns whether there is something to look at.
    pub fn see(&mut self, key: u64, hash: Option<u64>) -> bool {
        match self.hashes.get(&key) {
            None => false,
            Some(known) if Some(*known) == hash => {
                self.sightings.remove(&key);
                false
            }
            Some(_) => {
                self.sightings.insert(key, Sighting::Changed(hash));
                true
            }
        }
    }

    /// Notes an object that is not there any more. Returns whether there is something to look at.
    pub fn miss(&mut self, key: u64) -> bool {
        let is_watched = self.hashes.contains_key(&key);
        if is_watched {
            self.sightings.insert(key, Sighting::Gone);
        }
        is_watched
    }

    /// Notes that a full list held `listed` and nothing else. Returns whether there is something to look at.
    pub fn end_list(&mut self, listed: &HashSet<u64>) -> bool {
        let missing = self.hashes.keys().filter(|key| !listed.contains(key));
        let before = self.sightings.len();
        self.sightings
            .extend(missing.map(|key| (*key, Sighting::Gone)));
        self.sightings.len() > before
    }

    /// Takes another hash for granted, such as that of an object whose drift is nobody's business.
    pub fn accept(&mut self, key: u64, hash: u64) {
        if let Some(known) = self.hashes.get_mut(&key) {
            *known = hash;
            self.see(key, Some(hash));
        }
    }

    /// Tells whether there is something to look at.
    pub fn has_sightings(&self) -> bool {
        !self.sightings.is_empty()
    }

    /// Takes what there is to look at.
    pub fn take_sightings(&mut self) -> HashMap<u64, Sighting> {
        std::mem::take(&mut self.sightings)
    }
}
