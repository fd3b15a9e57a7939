//! Reading through a [`FileTree`] with links resolved, reads recorded and amounts bounded.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::budget::Budget;
use crate::build::Read;
use crate::options::Limits;
use crate::remote::Remote;
use crate::{Entry, Error, FileTree, path};

/// Links that a path may go through.
const MAX_LINKS: usize = 40;

/// What a path leads to after all links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    File(String),
    Directory(String),
    Nothing,
}

/// Whose tree it is.
#[derive(Clone)]
enum Tree<'t> {
    /// That of the build.
    Built(&'t dyn FileTree),
    /// That of another repository, with the text that its paths begin with.
    Remote(Arc<dyn FileTree>, String),
}

/// A tree as one build sees it.
pub(crate) struct Files<'t> {
    tree: Tree<'t>,
    limits: &'t Limits,
    reads: RefCell<BTreeSet<Read>>,
    /// Directories as written → where they really are.
    directories: RefCell<HashMap<String, Found>>,
    bytes: Rc<Cell<usize>>,
    /// Other repositories that the build has opened.
    remotes: Rc<RefCell<HashMap<String, Arc<dyn FileTree>>>>,
    pub(crate) budget: Budget,
}

impl<'t> Files<'t> {
    pub(crate) fn new(tree: &'t dyn FileTree, limits: &'t Limits) -> Self {
        Self {
            tree: Tree::Built(tree),
            limits,
            reads: RefCell::default(),
            directories: RefCell::default(),
            bytes: Rc::default(),
            remotes: Rc::default(),
            budget: Budget::new(limits),
        }
    }

    /// The files of another repository, which share the limits of the build.
    pub(crate) fn of_remote(&self, remote: &Remote, tree: Arc<dyn FileTree>) -> Self {
        let at = remote.at();
        self.remotes
            .borrow_mut()
            .insert(at.clone(), Arc::clone(&tree));
        Self {
            tree: Tree::Remote(tree, format!("{at}//")),
            limits: self.limits,
            reads: RefCell::default(),
            directories: RefCell::default(),
            bytes: Rc::clone(&self.bytes),
            remotes: Rc::clone(&self.remotes),
            budget: self.budget.clone(),
        }
    }

    /// Returns the files of another repository if the build has opened it.
    pub(crate) fn remote(&self, remote: &Remote) -> Option<Arc<dyn FileTree>> {
        self.remotes.borrow().get(&remote.at()).cloned()
    }

    pub(crate) fn into_reads(self) -> BTreeSet<Read> {
        let mut reads = self.reads.into_inner();
        reads.extend(self.remotes.borrow().keys().cloned().map(Read::Remote));
        reads
    }

    fn tree(&self) -> &dyn FileTree {
        match &self.tree {
            Tree::Built(tree) => *tree,
            Tree::Remote(tree, _) => &**tree,
        }
    }

    /// Returns a path as texts show it.
    pub(crate) fn shown(&self, path: &str) -> String {
        match &self.tree {
            Tree::Built(_) => path.to_owned(),
            Tree::Remote(_, before) => format!("{before}{path}"),
        }
    }

    fn error(&self, path: &str, message: impl Into<String>) -> Error {
        Error::new(self.shown(path), message)
    }

    fn tree_error(&self, error: &crate::TreeError) -> Error {
        self.error(&error.path, format!("cannot be read: {}", error.message))
    }

    fn note(&self, read: Read) {
        self.reads.borrow_mut().insert(read);
    }

    /// Follows a normalised path through all links.
    pub(crate) fn find(&self, path: &str) -> Result<Found, Error> {
        self.follow(path, MAX_LINKS)
    }

    fn follow(&self, path: &str, links: usize) -> Result<Found, Error> {
        if path.is_empty() {
            return Ok(Found::Directory(String::new()));
        }
        if let Some(found) = self.directories.borrow().get(path) {
            return Ok(found.clone());
        }
        let directory = match self.follow(path::parent(path), links)? {
            Found::Directory(directory) => directory,
            // What is below a file or below nothing is nothing; that read is noted already.
            Found::File(_) | Found::Nothing => return Ok(Found::Nothing),
        };
        let real = match directory.as_str() {
            "" => path::name(path).to_owned(),
            directory => format!("{directory}/{}", path::name(path)),
        };
        let found = self.look(path, real, links)?;
        if !matches!(found, Found::File(_)) {
            self.directories
                .borrow_mut()
                .insert(path.to_owned(), found.clone());
        }
        Ok(found)
    }

    fn look(&self, path: &str, real: String, links: usize) -> Result<Found, Error> {
        let entry = self.tree().entry(&real).map_err(|e| self.tree_error(&e))?;
        match entry {
            Some(Entry::File) => Ok(Found::File(real)),
            Some(Entry::Directory) => Ok(Found::Directory(real)),
            Some(Entry::Submodule) => Err(self
                .error(path, "is a git submodule that is not fetched")
                .hint("set recurseSubmodules on the GitRepository")),
            Some(Entry::Symlink(target)) => {
                self.note(Read::File(real.clone()));
                let leaves =
                    || self.error(path, format!("the link to {target} leaves the repository"));
                if target.starts_with('/') {
                    return Err(leaves());
                }
                let target = path::join(path::parent(&real), &target).ok_or_else(leaves)?;
                let links = links
                    .checked_sub(1)
                    .ok_or_else(|| self.error(path, "too many links follow one another"))?;
                self.follow(&target, links)
            }
            None => {
                self.note(Read::Missing(real));
                Ok(Found::Nothing)
            }
        }
    }

    /// Reads a file by the path that [`Self::find`] gave.
    pub(crate) fn read(&self, real: &str) -> Result<Vec<u8>, Error> {
        self.budget
            .spend(1)
            .map_err(|error| self.error(real, error))?;
        self.note(Read::File(real.to_owned()));
        let content = self.tree().read(real).map_err(|e| self.tree_error(&e))?;
        self.bytes
            .set(self.bytes.get().saturating_add(content.len()));
        if content.len() > self.limits.file_bytes {
            let limit = self.limits.file_bytes;
            return Err(self.error(real, format!("the file is larger than {limit} bytes")));
        }
        if self.bytes.get() > self.limits.total_bytes {
            let limit = self.limits.total_bytes;
            return Err(self.error(real, format!("the build reads more than {limit} bytes")));
        }
        Ok(content)
    }

    /// Lists a directory by the path that [`Self::find`] gave.
    pub(crate) fn list(&self, real: &str) -> Result<Vec<(String, Entry)>, Error> {
        self.budget
            .spend(1)
            .map_err(|error| self.error(real, error))?;
        self.note(Read::Directory(real.to_owned()));
        self.tree().list(real).map_err(|e| self.tree_error(&e))
    }
}
