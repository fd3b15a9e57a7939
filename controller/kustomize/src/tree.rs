//! The tree of files that a build reads: a trait, and two implementations.

mod directory;
mod memory;

pub use directory::DirectoryTree;
pub use memory::MemoryTree;

/// What stands at a path of a [`FileTree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with the text of its target as written.
    Symlink(String),
    /// A git submodule that is not checked out.
    Submodule,
}

/// Failure to look into a tree: not "there is no such file", which [`FileTree::entry`] answers with `None`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("read {path}: {message}")]
pub struct TreeError {
    /// The path that was looked at.
    pub path: String,
    /// What went wrong, for a person.
    pub message: String,
}

impl TreeError {
    /// Makes an error for `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// A read-only tree of files, for example a directory, a git tree or memory.
///
/// Paths are relative to the root of the tree, separated by `/` and normalised: no `.`, no `..`,
/// no leading or trailing `/`; the root itself is the empty path. Symbolic links are *not*
/// followed by an implementation: the build resolves them itself, so that no link can lead
/// out of the tree.
pub trait FileTree: Send + Sync {
    /// Returns what stands at exactly this path; `None` if there is nothing.
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError>;

    /// Returns the content of a regular file.
    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError>;

    /// Returns the names in a directory with what they are, sorted by their bytes.
    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError>;
}
