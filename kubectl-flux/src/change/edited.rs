//! A tree with some files changed.

use flux_kustomize::{Entry, FileTree, TreeError};

use super::Files;

/// A tree whose changed files stand in front of its own. Files are changed, never added.
pub(super) struct Edited<'a> {
    tree: &'a dyn FileTree,
    files: &'a Files,
}

impl<'a> Edited<'a> {
    pub(super) fn new(tree: &'a dyn FileTree, files: &'a Files) -> Self {
        Self { tree, files }
    }
}

impl FileTree for Edited<'_> {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        self.tree.entry(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.tree.read(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        self.tree.list(path)
    }
}
