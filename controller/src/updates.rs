//! What image policies want written to git, and what came of it: the hand-over between policies and repositories, within
//! the process.
//!
//! ```text
//!  image_policy ──want──► Updates ──due──► git_repository (one commit for all) ──answer──► Updates ──► image_policy
//! ```
//!
//! Nothing here has to survive: after a restart each policy finds its choice again and the repository sees that git holds
//! it already.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use flux_core::conclude::Outcome;
use flux_core::edit::Target;
use flux_crds::image_policy::LastUpdate;
use tokio::sync::watch;

use crate::key::Key;

/// What one policy wants written: one entry for each of `spec.update`.
pub(crate) type Wanted = Vec<Place>;

/// One place that a policy wants written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The GitRepository, of the policy's namespace.
    pub(crate) repository: Key,
    /// What to write, and where to look for it.
    pub(crate) target: Target,
}

/// What came of a policy's wish in one repository.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// Git holds the image wherever the policy wants it, in so many places.
    Written {
        /// How many places there are.
        places: usize,
        /// The commit, if this process made one.
        update: Option<LastUpdate>,
        /// Places that were left alone, with the reason.
        skipped: Vec<String>,
    },
    /// It could not be written; the repository tries again by itself.
    Failed(Outcome),
}

/// The answers to one wish, by repository.
pub(crate) type Answers = BTreeMap<Key, Answer>;

#[derive(Default)]
struct Entry {
    wanted: Option<Arc<Wanted>>,
    /// Repositories that wait for the scan under way, so that all policies due at once make one commit.
    scanning: Vec<Key>,
    answers: watch::Sender<Answers>,
}

/// What all image policies want written.
#[derive(Default)]
pub(crate) struct Updates {
    entries: Mutex<HashMap<Key, Entry>>,
    /// Counts the scans that ended.
    scans: watch::Sender<u64>,
}

impl Updates {
    fn with<T>(&self, policy: &Key, use_entry: impl FnOnce(&mut Entry) -> T) -> T {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        use_entry(entries.entry(policy.clone()).or_default())
    }

    /// Returns a channel that shows the answers to the policy's wish.
    pub(crate) fn subscribe(&self, policy: &Key) -> watch::Receiver<Answers> {
        self.with(policy, |entry| entry.answers.subscribe())
    }

    /// Says that a policy is about to want something of these repositories, perhaps.
    pub(crate) fn scanning(&self, policy: &Key, repositories: Vec<Key>) {
        self.with(policy, |entry| entry.scanning = repositories);
    }

    /// Replaces what a policy wants and ends its scan. Returns the repositories that have to look at it: all of a new wish,
    /// otherwise those that could not write it yet.
    pub(crate) fn want(&self, policy: &Key, wanted: Option<Wanted>) -> Vec<Key> {
        self.with(policy, |entry| {
            if entry.wanted.as_deref() != wanted.as_ref() {
                entry.wanted = wanted.map(Arc::new);
                entry.answers.send_replace(Answers::new());
            }
        });
        self.settled(policy)
    }

    /// Ends a policy's scan without another wish. Returns the repositories that could not write the last one yet.
    pub(crate) fn settled(&self, policy: &Key) -> Vec<Key> {
        let waiting = self.with(policy, |entry| {
            entry.scanning.clear();
            let answers = entry.answers.borrow();
            let mut waiting: Vec<Key> = entry
                .wanted
                .iter()
                .flat_map(|wanted| wanted.iter())
                .map(|place| place.repository.clone())
                .filter(|repository| {
                    !matches!(answers.get(repository), Some(Answer::Written { .. }))
                })
                .collect();
            waiting.sort();
            waiting.dedup();
            waiting
        });
        self.scans.send_modify(|scans| *scans += 1);
        waiting
    }

    /// Forgets a policy that is gone.
    pub(crate) fn forget(&self, policy: &Key) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(policy);
        drop(entries);
        self.scans.send_modify(|scans| *scans += 1);
    }

    /// Waits until no policy that may want something of this repository is scanning.
    pub(crate) async fn settle(&self, repository: &Key) {
        let mut scans = self.scans.subscribe();
        while self.is_scanned_for(repository) {
            if scans.changed().await.is_err() {
                return;
            }
        }
    }

    fn is_scanned_for(&self, repository: &Key) -> bool {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .values()
            .any(|entry| entry.scanning.contains(repository))
    }

    /// Returns all wishes that concern a repository, in the order of the policies' names.
    pub(crate) fn due(&self, repository: &Key) -> BTreeMap<Key, Arc<Wanted>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let concerns =
            |wanted: &&Arc<Wanted>| wanted.iter().any(|place| place.repository == *repository);
        entries
            .iter()
            .filter_map(|(policy, entry)| {
                let wanted = entry.wanted.as_ref().filter(concerns)?;
                Some((policy.clone(), Arc::clone(wanted)))
            })
            .collect()
    }

    /// Tells a policy what came of `wanted` in a repository; says nothing when it wants something else by now.
    pub(crate) fn answer(
        &self,
        policy: &Key,
        wanted: &Arc<Wanted>,
        repository: &Key,
        answer: Answer,
    ) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |entry: &&Entry| {
            entry
                .wanted
                .as_ref()
                .is_some_and(|now| Arc::ptr_eq(now, wanted))
        };
        let Some(entry) = entries.get(policy).filter(is_wanted) else {
            return;
        };
        entry.answers.send_if_modified(|answers| {
            let moved = answers.get(repository) != Some(&answer);
            answers.insert(repository.clone(), answer);
            moved
        });
    }
}
