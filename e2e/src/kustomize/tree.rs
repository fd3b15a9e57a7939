//! The files of one case.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

/// Files, and the directory among them that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Contents by path, relative to the root of the tree.
    pub files: BTreeMap<String, String>,
    /// The directory that is built.
    pub target: String,
    /// The order of the objects.
    pub order: Order,
}

/// The order of the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As the files have them.
    Fifo,
    /// By kind.
    Legacy,
}

impl Order {
    /// The value of kustomize's `--reorder`.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Fifo => "none",
            Self::Legacy => "legacy",
        }
    }
}

impl Tree {
    /// Reads all files below a directory; `None` if one of them is not text.
    pub fn read(directory: &Path, target: &str) -> Result<Option<Self>> {
        let mut files = BTreeMap::new();
        let mut rest = vec![directory.to_owned()];
        while let Some(next) = rest.pop() {
            let entries =
                fs::read_dir(&next).with_context(|| format!("list {}", next.display()))?;
            for entry in entries {
                let path = entry.context("list a directory")?.path();
                if path.is_dir() {
                    rest.push(path);
                    continue;
                }
                let name = path.strip_prefix(directory).unwrap_or(&path);
                let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
                let (Some(name), Ok(content)) = (name.to_str(), String::from_utf8(bytes)) else {
                    return Ok(None);
                };
                files.insert(name.to_owned(), content);
            }
        }
        Ok(Some(Self {
            files,
            target: target.to_owned(),
            order: Order::Fifo,
        }))
    }

    /// Writes all files below a directory.
    pub fn write(&self, directory: &Path) -> Result<()> {
        for (name, content) in &self.files {
            let path = directory.join(name);
            let parent = path.parent().unwrap_or(directory);
            fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
            fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        }
        let target = directory.join(&self.target);
        fs::create_dir_all(&target).with_context(|| format!("create {}", target.display()))
    }

    /// The bytes of all files.
    pub fn size(&self) -> usize {
        self.files.values().map(String::len).sum()
    }
}
