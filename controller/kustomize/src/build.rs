//! The entry point: a directory becomes objects.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::budget::Budget;
use crate::error::{Error, Failure, Note};
use crate::explain::Change;
use crate::files::{Files, Found};
use crate::options::Options;
use crate::resource::Resource;
use crate::target::Builder;
use crate::{FileTree, path};

/// The objects of a directory, and what the build looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// The objects, in order.
    pub objects: Vec<Object>,
    /// Everything of the tree that the build depends on: as long as all of it is the same, so is
    /// the build.
    pub reads: BTreeSet<Read>,
    /// What was left out or found odd.
    pub notes: Vec<Note>,
}

/// One object of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The manifest.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// What kustomizations changed of it; empty unless [`Options::explain`] is set.
    pub changes: Vec<Change>,
}

/// Where an object comes from; its text reads `file:line`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The file, relative to the root of the tree.
    pub path: String,
    /// The line of its first field, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// Something of the tree that a build looked at; paths are real ones, after all links.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    /// The content of a file, or the target of a link.
    File(String),
    /// The names in a directory.
    Directory(String),
    /// A path where nothing is.
    Missing(String),
    /// All files of another repository at a ref: `https://host/repository@ref`. What is there can
    /// change unless the ref is the id of a commit.
    Remote(String),
}

/// Builds the directory `path` of a tree.
///
/// With a kustomization file it is built as kustomize does. Otherwise all manifests in it and
/// below are taken as they are; a directory below with a kustomization of its own is built.
///
/// # Errors
/// Everything that is wrong, each with file and line.
pub fn build(tree: &dyn FileTree, path: &str, options: &Options) -> Result<Build, Failure> {
    let files = Files::new(tree, &options.limits);
    let directory =
        path::join("", path).ok_or_else(|| Error::new(path, "the path leaves the repository"))?;
    let directory = match files.find(&directory)? {
        Found::Directory(real) => real,
        Found::File(_) => return Err(Error::new(path, "is a file, not a directory").into()),
        Found::Nothing => return Err(Error::new(path, "no such directory").into()),
    };
    let mut builder = Builder::new(&files, options);
    let resources = builder.run(&directory);
    let Builder { errors, notes, .. } = builder;
    if !errors.is_empty() {
        return Err(Failure {
            errors: until_over(errors, &files.budget),
        });
    }
    let objects = resources.into_list().into_iter().map(Object::from);
    Ok(Build {
        objects: objects.collect(),
        reads: files.into_reads(),
        notes,
    })
}

/// Leaves out what went wrong only because a limit of the build was met.
fn until_over(mut errors: Vec<Error>, budget: &Budget) -> Vec<Error> {
    let first = errors
        .iter()
        .position(|error| budget.is_over(&error.message));
    if let Some(first) = first {
        errors.truncate(first + 1);
    }
    errors
}

impl From<Resource> for Object {
    fn from(resource: Resource) -> Self {
        let Resource {
            value,
            origin,
            changes,
            ..
        } = resource;
        Self {
            value,
            origin,
            changes,
        }
    }
}
