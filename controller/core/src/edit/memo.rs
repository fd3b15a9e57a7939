//! What was read once and is of no interest need not be read again.

use std::collections::HashSet;

use crate::git::ObjectId;

/// So many files and directories are remembered: about 2 MB.
const CAPACITY: usize = 1 << 16;

/// Files and directories that are of no interest to any target, by their ids: a second look at a repository reads only
/// what is of interest or has changed.
///
/// *Guarantees*: an id stands for its content, and what is of no interest is so by its content alone
/// ([`super::is_of_interest`]), whatever the targets are.
#[derive(Debug, Default)]
pub struct Memo(HashSet<ObjectId>);

impl Memo {
    /// Begins a look. What is full is full of former contents, and is begun anew.
    pub(super) fn begin(&mut self) {
        if self.0.len() >= CAPACITY {
            self.0 = HashSet::new();
        }
    }

    pub(super) fn knows(&self, id: ObjectId) -> bool {
        self.0.contains(&id)
    }

    pub(super) fn remember(&mut self, id: ObjectId) {
        if self.0.len() < CAPACITY {
            self.0.insert(id);
        }
    }
}
