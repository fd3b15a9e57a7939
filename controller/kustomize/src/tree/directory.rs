use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, FileTree, TreeError};

/// A directory of the file system as a tree; the only place of this crate that touches the file system.
///
/// Paths that a build asks for are joined to the root component by component and links are never
/// followed, so that nothing outside the root is read.
#[derive(Debug, Clone)]
pub struct DirectoryTree {
    root: PathBuf,
}

impl DirectoryTree {
    /// Opens a directory as the root of a tree.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn locate(&self, path: &str) -> Result<PathBuf, TreeError> {
        let mut full = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if matches!(part, "." | "..") || Path::new(part).components().count() != 1 {
                return Err(TreeError::new(path, "path leaves the tree"));
            }
            full.push(part);
        }
        Ok(full)
    }
}

impl FileTree for DirectoryTree {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let full = self.locate(path)?;
        // The root may itself be reached through a link: it is the caller's choice.
        let metadata = if path.is_empty() {
            fs::metadata(&full)
        } else {
            fs::symlink_metadata(&full)
        };
        match metadata {
            Ok(metadata) => entry_of(path, &full, metadata.file_type()).map(Some),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(TreeError::new(path, error.to_string())),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        fs::read(self.locate(path)?).map_err(|error| TreeError::new(path, error.to_string()))
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let failed = |error: io::Error| TreeError::new(path, error.to_string());
        let mut names = Vec::new();
        for item in fs::read_dir(self.locate(path)?).map_err(failed)? {
            let item = item.map_err(failed)?;
            // A name that is not UTF-8 cannot be written in a kustomization.
            let Ok(name) = item.file_name().into_string() else {
                continue;
            };
            let kind = item.file_type().map_err(failed)?;
            let entry = entry_of(&name, &item.path(), kind)?;
            names.push((name, entry));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn entry_of(path: &str, full: &Path, kind: fs::FileType) -> Result<Entry, TreeError> {
    if kind.is_symlink() {
        let target =
            fs::read_link(full).map_err(|error| TreeError::new(path, error.to_string()))?;
        let target = target
            .into_os_string()
            .into_string()
            .map_err(|_| TreeError::new(path, "the link's target is not UTF-8"))?;
        return Ok(Entry::Symlink(target));
    }
    Ok(if kind.is_dir() {
        Entry::Directory
    } else {
        Entry::File
    })
}
