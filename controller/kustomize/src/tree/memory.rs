use std::collections::BTreeMap;

use super::{Entry, FileTree, TreeError};

/// A tree held in memory, for tests and for callers that make files on the fly.
///
/// ```
/// use flux_kustomize::{Entry, FileTree, MemoryTree};
///
/// let tree = MemoryTree::new().file("apps/a.yaml", "kind: A").symlink("apps/b.yaml", "a.yaml");
/// assert_eq!(tree.entry("apps")?, Some(Entry::Directory));
/// assert_eq!(tree.entry("apps/b.yaml")?, Some(Entry::Symlink("a.yaml".into())));
/// # Ok::<(), flux_kustomize::TreeError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: BTreeMap<String, Node>,
}

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    Directory,
    Symlink(String),
}

impl MemoryTree {
    /// Makes an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, and the directories above it.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.insert(path, Node::File(content.into()));
        self
    }

    /// Adds a symbolic link, and the directories above it.
    #[must_use]
    pub fn symlink(mut self, path: &str, target: impl Into<String>) -> Self {
        self.insert(path, Node::Symlink(target.into()));
        self
    }

    /// Adds an empty directory, and the directories above it.
    #[must_use]
    pub fn directory(mut self, path: &str) -> Self {
        self.insert(path, Node::Directory);
        self
    }

    fn insert(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (at, _) in path.match_indices('/') {
            self.entries
                .entry(path[..at].to_owned())
                .or_insert(Node::Directory);
        }
        self.entries.insert(path.to_owned(), node);
    }
}

impl Node {
    fn entry(&self) -> Entry {
        match self {
            Self::File(_) => Entry::File,
            Self::Directory => Entry::Directory,
            Self::Symlink(target) => Entry::Symlink(target.clone()),
        }
    }
}

impl FileTree for MemoryTree {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        if path.is_empty() {
            return Ok(Some(Entry::Directory));
        }
        Ok(self.entries.get(path).map(Node::entry))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        match self.entries.get(path) {
            Some(Node::File(content)) => Ok(content.clone()),
            _ => Err(TreeError::new(path, "not a file")),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        Ok(self
            .entries
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter_map(|(key, node)| {
                let name = &key[prefix.len()..];
                (!name.is_empty() && !name.contains('/')).then(|| (name.to_owned(), node.entry()))
            })
            .collect())
    }
}
