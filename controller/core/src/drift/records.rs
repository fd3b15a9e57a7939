//! What is remembered of watched objects: two numbers each, and how those are that stay as others left them.

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
    /// Those that are known to be otherwise, and stay so.
    accepted: HashMap<u64, Sighting>,
    sightings: HashMap<u64, Sighting>,
}

impl Records {
    /// Replaces what is known, after an apply. Sightings that are explained by it are forgotten, and those of objects that
    /// are not watched any more. What was accepted of an object stays so until the object is applied again.
    pub fn replace(&mut self, records: impl IntoIterator<Item = (u64, u64)>) {
        let hashes = records.into_iter().collect();
        let before = std::mem::replace(&mut self.hashes, hashes);
        let hashes = &self.hashes;
        self.accepted
            .retain(|key, _| hashes.contains_key(key) && hashes.get(key) == before.get(key));
        self.accepted.shrink_to_fit();
        let mut sightings = std::mem::take(&mut self.sightings);
        sightings.retain(|key, seen| self.known(*key).is_some_and(|known| known != *seen));
        self.sightings = sightings;
    }

    /// Returns how an object is when there is nothing to look at; none if it is not watched.
    fn known(&self, key: u64) -> Option<Sighting> {
        let hash = self.hashes.get(&key)?;
        let accepted = self.accepted.get(&key).copied();
        Some(accepted.unwrap_or(Sighting::Changed(Some(*hash))))
    }

    fn note(&mut self, key: u64, seen: Sighting) -> bool {
        match self.known(key) {
            None => false,
            Some(known) if known == seen => {
                self.sightings.remove(&key);
                false
            }
            Some(_) => {
                self.sightings.insert(key, seen);
                true
            }
        }
    }

    /// Notes an object that lives, with the hash of our entry. Returns whether there is something to look at.
    pub fn see(&mut self, key: u64, hash: Option<u64>) -> bool {
        self.note(key, Sighting::Changed(hash))
    }

    /// Notes an object that is not there any more. Returns whether there is something to look at.
    pub fn miss(&mut self, key: u64) -> bool {
        self.note(key, Sighting::Gone)
    }

    /// Notes that a full list held `listed` and nothing else. Returns whether there is something to look at.
    pub fn end_list(&mut self, listed: &HashSet<u64>) -> bool {
        let is_missing = |key: &u64| !listed.contains(key);
        let missing: Vec<u64> = self.hashes.keys().copied().filter(is_missing).collect();
        let mut is_news = false;
        for key in missing {
            is_news |= self.miss(key);
        }
        is_news
    }

    /// Takes it for granted that an object is as it was found, such as one whose drift is nobody's business. What was seen
    /// otherwise in the meantime is still to be looked at.
    pub fn accept(&mut self, key: u64, found: Sighting) {
        let Some(hash) = self.hashes.get(&key) else {
            return;
        };
        if found == Sighting::Changed(Some(*hash)) {
            self.accepted.remove(&key);
        } else {
            self.accepted.insert(key, found);
        }
        if self.sightings.get(&key) == Some(&found) {
            self.sightings.remove(&key);
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
