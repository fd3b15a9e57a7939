//! What the git repositories serve right now: the hand-over from source to Sync, within the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    }
}
