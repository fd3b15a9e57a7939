//! What comes into a store by other ways than a fetch of files.

use std::sync::atomic::AtomicBool;

use flux_core::git::Resolved;
use gix_utils::progress::Discard;

use super::Store;
use crate::git::{
    error::Error,
    push::{self, Object},
};

impl Store {
    /// Runs `download`, whose objects are to be looked at and do not count as kept.
    pub(crate) fn bringing_garbage(
        &self,
        download: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _writing = self.lock_writing();
        self.0.layout.write_shallow(&[])?;
        download()?;
        self.reopen()
    }

    /// Takes over a new commit that the remote has accepted, with what it adds to commits that are here.
    pub(crate) fn adopt(&self, resolved: &Resolved, objects: &[Object]) -> Result<(), Error> {
        let _writing = self.lock_writing();
        if self.has(resolved) {
            return Ok(());
        }
        let pack = push::pack(objects)?;
        self.index_pack(&mut pack.as_slice(), &mut Discard, &AtomicBool::new(false))?;
        self.reopen()?;
        self.check_commit(resolved.commit_id)?;
        self.keep(resolved)
    }
}
