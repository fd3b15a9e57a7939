//! What a repository's task remembers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flux_core::edit;
use flux_core::git::{ObjectId, Revision};
use flux_crds::{GitRepository, GitRepositorySpec, GitRepositoryStatus, Notified};
use flux_engine::git::{Error, GitTree, Store};

use super::write::Wishes;
use crate::key::Key;
use crate::sources::Snapshot;

/// The memory of one repository's task.
#[derive(Default)]
pub(crate) struct Memory {
    /// The uid of the object that this is about.
    pub(crate) uid: Option<String>,
    /// The status as it was last written.
    pub(crate) status: GitRepositoryStatus,
    /// The objects on disk; a cache that may vanish at any time.
    pub(crate) store: Option<Store>,
    /// What is served.
    pub(crate) served: Option<Arc<Snapshot>>,
    /// The commit that was last found to hold what policies want, and what that was.
    pub(crate) written: Option<(Option<ObjectId>, Wishes)>,
    /// Which files hold nothing to write.
    pub(crate) places: Arc<Mutex<edit::Memo>>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// What the receivers in `spec.notify` were last told.
    pub(crate) notified: Option<Notified>,
}

impl Memory {
    /// Starts from what the status says.
    pub(crate) fn of(repository: &GitRepository) -> Self {
        let status = repository.status.clone().unwrap_or_default();
        Self {
            uid: repository.metadata.uid.clone(),
            notified: status.notified.clone(),
            status,
            ..Self::default()
        }
    }

    /// Opens what the status says is served, if the disk still has it: Syncs need not wait for the server after a restart.
    pub(crate) fn resume(
        &mut self,
        directory: &Path,
        spec: &GitRepositorySpec,
    ) -> Option<Arc<Snapshot>> {
        let revision: Revision = self.status.revision.as_ref()?.parse().ok()?;
        let verified = self.status.verified.as_ref();
        if spec.verify.is_some()
            && verified.map(|verified| &verified.revision) != self.status.revision.as_ref()
        {
            return None;
        }
        if spec.recurse_submodules == Some(true) {
            // Whether their objects are all here only the fetch can tell.
            return None;
        }
        let store = Store::open(directory).ok()?;
        let tree = GitTree::open(&store, revision.commit_id, spec.ignore.as_deref()).ok()?;
        let snapshot = Arc::new(Snapshot {
            revision: revision.to_string(),
            tree,
            view: view(spec),
        });
        self.store = Some(store);
        self.served = Some(Arc::clone(&snapshot));
        Some(snapshot)
    }

    /// Tells whether what is served is the last verified revision.
    pub(crate) fn serves_verified(&self) -> bool {
        let verified = self
            .status
            .verified
            .as_ref()
            .map(|verified| &verified.revision);
        verified.is_some() && self.served.as_ref().map(|served| &served.revision) == verified
    }

    /// Returns the store, opened at the first call.
    pub(crate) fn store(&mut self, directory: &Path) -> Result<Store, Error> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        let store = Store::open(directory)?;
        self.store = Some(store.clone());
        Ok(store)
    }
}

/// Returns where the objects of a repository are kept.
pub(crate) fn directory(data: &Path, key: &Key) -> std::path::PathBuf {
    data.join("git").join(&*key.namespace).join(&*key.name)
}

/// Returns one number for everything in the spec that decides which files of a commit are seen.
pub(crate) fn view(spec: &GitRepositorySpec) -> u64 {
    let mut hasher = DefaultHasher::new();
    spec.ignore.hash(&mut hasher);
    spec.recurse_submodules.unwrap_or(false).hash(&mut hasher);
    hasher.finish()
}
