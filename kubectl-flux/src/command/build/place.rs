//! What is built: a directory of a tree, or what comes from stdin.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use flux_core::inputs::{Failure, Inputs};
use flux_kustomize::{DirectoryTree, FileTree, MemoryTree, Options};

use crate::error::Error;

/// The file that stdin is, in errors and explanations.
const STDIN: &str = "<stdin>";

/// Bytes that stdin may bring.
const MAX_STDIN: u64 = 32 << 20;

/// A directory to build, in the tree that the build must not leave.
#[derive(Debug)]
pub(crate) struct Place {
    tree: Tree,
    path: String,
    shown: String,
}

#[derive(Debug)]
enum Tree {
    Directory(DirectoryTree),
    /// What came from stdin, as a file.
    Memory(MemoryTree),
}

impl Place {
    /// Finds the tree of a path: the given one, its git repository, or the whole file system.
    pub(crate) fn of(path: &Path, root: Option<&Path>) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let absolute = |path: &Path| {
            fs::canonicalize(path).map_err(|source| Error::File {
                path: path.to_owned(),
                source,
            })
        };
        let directory = absolute(path)?;
        let root = match root {
            Some(root) => absolute(root)?,
            None => directory
                .ancestors()
                .find(|ancestor| ancestor.join(".git").exists())
                .or_else(|| directory.ancestors().last())
                .unwrap_or(&directory)
                .to_owned(),
        };
        let inside = directory.strip_prefix(&root).map_err(|_| {
            Error::usage(
                format!("{shown} is not in {}", root.display()),
                "name a directory around it with --root",
            )
        })?;
        let names: Vec<_> = inside
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        Ok(Self {
            path: names.join("/"),
            tree: Tree::Directory(DirectoryTree::new(root)),
            shown,
        })
    }

    /// Reads a stream of manifests from stdin.
    pub(crate) fn of_stdin() -> Result<Self, Error> {
        let mut content = Vec::new();
        let read = io::stdin()
            .take(MAX_STDIN + 1)
            .read_to_end(&mut content)
            .map_err(|source| Error::File {
                path: STDIN.into(),
                source,
            })?;
        if u64::try_from(read).is_ok_and(|read| read > MAX_STDIN) {
            let message = format!("{STDIN} has more than {MAX_STDIN} bytes");
            return Err(Error::usage(message, "build a directory instead"));
        }
        let kustomization = format!("resources: ['{STDIN}']\n");
        Ok(Self {
            tree: Tree::Memory(
                MemoryTree::new()
                    .file("kustomization.yaml", kustomization)
                    .file(STDIN, content),
            ),
            path: String::new(),
            shown: STDIN.to_owned(),
        })
    }
}

/// Builds a directory with the controller's own code.
pub(crate) fn build(place: &Place, options: &Options) -> Result<flux_kustomize::Build, Error> {
    flux_kustomize::build(place.tree(), &place.path, options)
        .map_err(|failure| place.explain(&failure))
}

/// Builds a directory as a Sync with these variables and keys would.
pub(crate) fn build_with(
    place: &Place,
    options: &Options,
    inputs: &Inputs,
) -> Result<flux_kustomize::Build, Error> {
    let built = inputs.build(place.tree(), &place.path, options);
    let error = |failure| match failure {
        Failure::Build(failure) => place.explain(&failure),
        Failure::Objects(problems) => Error::Build {
            path: place.shown.clone(),
            count: problems.len(),
            details: problems.iter().map(ToString::to_string).collect(),
        },
    };
    built.map_err(|failure| error(failure).without(&inputs.secrets()))
}

impl Place {
    fn tree(&self) -> &dyn FileTree {
        match &self.tree {
            Tree::Directory(tree) => tree,
            Tree::Memory(tree) => tree,
        }
    }

    fn explain(&self, failure: &flux_kustomize::Failure) -> Error {
        Error::Build {
            path: self.shown.clone(),
            count: failure.errors.len(),
            details: failure.errors.iter().map(ToString::to_string).collect(),
        }
    }
}
