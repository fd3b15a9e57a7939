//! Directories of a commit, decoded and kept for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use flux_core::git::ObjectId;
use gix_object::{TreeRefIter, tree::EntryKind};

use crate::git::{error::chain, id::from_gix};

/// So many names of decoded directories are kept in memory for one store.
const MAX_NAMES: usize = 100_000;

/// A decoded directory.
pub(crate) struct Directory(pub(super) Box<[Node]>);

/// What a directory holds under a name.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: Box<str>,
    pub(crate) kind: EntryKind,
    pub(crate) id: ObjectId,
}

impl Node {
    pub(crate) fn is_directory(&self) -> bool {
        self.kind == EntryKind::Tree
    }
}

/// Decoded directories of a store, by their id: revisions share most of them.
#[derive(Default)]
pub(crate) struct Directories(Mutex<Cache>);

#[derive(Default)]
struct Cache {
    by_id: HashMap<ObjectId, Arc<Directory>>,
    names: usize,
}

impl Directory {
    /// Decodes a directory and sorts it by name; git sorts directories as if they ended in `/`.
    pub(super) fn decode(data: &[u8]) -> Result<Self, String> {
        let mut nodes = Vec::new();
        for entry in TreeRefIter::from_bytes(data, gix_hash::Kind::Sha1) {
            let entry = entry.map_err(|error| chain(&error))?;
            let name = String::from_utf8_lossy(entry.filename);
            if matches!(&*name, "" | "." | "..") || name.contains(['/', '\0']) {
                return Err(format!("it has an entry with the forbidden name {name:?}"));
            }
            nodes.push(Node {
                name: name.into(),
                kind: entry.mode.kind(),
                id: from_gix(entry.oid).ok_or("it has an entry without a SHA-1 id")?,
            });
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self(nodes.into()))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|node| &*node.name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let at = self
            .0
            .binary_search_by(|node| (*node.name).cmp(name))
            .ok()?;
        self.0.get(at)
    }
}

impl Directories {
    pub(super) fn get(&self, id: ObjectId) -> Option<Arc<Directory>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(&id)
            .cloned()
    }

    pub(super) fn insert(&self, id: ObjectId, directory: Arc<Directory>) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let more = directory.0.len() + 1;
        if cache.names + more > MAX_NAMES {
            *cache = Cache::default();
        }
        cache.names += more;
        cache.by_id.insert(id, directory);
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Cache::default();
    }
}
