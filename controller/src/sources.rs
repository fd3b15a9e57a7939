//! What the git repositories serve right now: the hand-over from source to Sync, within the process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use flux_core::git::ObjectId;
use flux_engine::git::GitTree;
use tokio::sync::watch;

use crate::key::Key;

/// One revision of a repository, ready to be read.
pub(crate) struct Snapshot {
    /// The revision, such as `main@sha1:…`.
    pub(crate) revision: String,
    /// The files.
    pub(crate) tree: GitTree,
    /// How the spec lets them be seen: what it ignores, and whether submodules are there.
    pub(crate) view: u64,
}

/// What a repository serves; `None` before its first good revision.
pub(crate) type Served = Option<Arc<Snapshot>>;

/// What all repositories serve.
#[derive(Default)]
pub(crate) struct Sources {
    slots: Mutex<HashMap<Key, watch::Sender<Served>>>,
    archives: Mutex<HashMap<Key, Archive>>,
}

/// Earlier revisions of one repository that Syncs may have to return to.
#[derive(Default)]
struct Archive {
    /// The commits, by the Sync that may need them.
    wanted: HashMap<Key, BTreeSet<ObjectId>>,
    /// Those that are here.
    opened: HashMap<ObjectId, Arc<Snapshot>>,
    /// Counts the looks at the server that cared for them.
    looks: watch::Sender<u64>,
}

impl Sources {
    fn with<T>(&self, key: &Key, use_slot: impl FnOnce(&watch::Sender<Served>) -> T) -> T {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        use_slot(
            slots
                .entry(key.clone())
                .or_insert_with(|| watch::Sender::new(None)),
        )
    }

    /// Returns a channel that shows what a repository serves, now and at each change.
    pub(crate) fn subscribe(&self, key: &Key) -> watch::Receiver<Served> {
        self.with(key, watch::Sender::subscribe)
    }

    /// Serves a snapshot; Syncs wake up only if it is another.
    pub(crate) fn serve(&self, key: &Key, snapshot: Arc<Snapshot>) {
        self.with(key, |slot| {
            slot.send_if_modified(|served| {
                let same = |old: &Arc<Snapshot>| {
                    old.revision == snapshot.revision && old.view == snapshot.view
                };
                let moved = !served.as_ref().is_some_and(same);
                *served = Some(snapshot);
                moved
            });
        });
    }

    /// Stops serving a repository that is gone.
    pub(crate) fn withdraw(&self, key: &Key) {
        self.with(key, |slot| slot.send_replace(None));
        self.with_archive(key, |archive| archive.opened.clear());
    }

    fn with_archive<T>(&self, key: &Key, use_archive: impl FnOnce(&mut Archive) -> T) -> T {
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        use_archive(archives.entry(key.clone()).or_default())
    }

    /// Says which commits of a repository a Sync may have to return to, instead of those that it named before.
    pub(crate) fn want(&self, key: &Key, sync: &Key, commits: BTreeSet<ObjectId>) {
        self.with_archive(key, |archive| {
            if commits.is_empty() {
                archive.wanted.remove(sync);
            } else {
                archive.wanted.insert(sync.clone(), commits);
            }
        });
    }

    /// Forgets a Sync that is gone.
    pub(crate) fn forget(&self, sync: &Key) {
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        for archive in archives.values_mut() {
            archive.wanted.remove(sync);
        }
    }

    /// Returns the commits of a repository that Syncs may have to return to.
    pub(crate) fn wanted(&self, key: &Key) -> BTreeSet<ObjectId> {
        self.with_archive(key, |archive| {
            archive.wanted.values().flatten().copied().collect()
        })
    }

    /// Returns an earlier revision of a repository, if it is here.
    pub(crate) fn at(&self, key: &Key, commit_id: ObjectId) -> Option<Arc<Snapshot>> {
        self.with_archive(key, |archive| archive.opened.get(&commit_id).cloned())
    }

    /// Keeps earlier revisions of a repository ready, and tells those who wait for one.
    pub(crate) fn archive(&self, key: &Key, opened: HashMap<ObjectId, Arc<Snapshot>>) {
        self.with_archive(key, |archive| {
            archive.opened = opened;
            archive.looks.send_modify(|looks| *looks += 1);
        });
    }

    /// Returns a channel that moves at each call of [`Self::archive`].
    pub(crate) fn looks(&self, key: &Key) -> watch::Receiver<u64> {
        self.with_archive(key, |archive| archive.looks.subscribe())
    }
}
