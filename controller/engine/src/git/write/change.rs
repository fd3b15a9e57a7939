//! The new objects of a commit: changed files, the directories above them, and the commit itself.

use std::collections::BTreeMap;

use flux_core::git::ObjectId;
use gix_object::{
    FindExt, Kind, Tree, WriteTo,
    tree::{Editor, EntryKind},
};
use gix_odb::HandleArc;

use super::{Draft, Error, commit};
use crate::git::{
    error::{Error as GitError, chain},
    id::{from_gix, to_gix},
    push::Object,
    tree::GitTree,
};

const HASH: gix_hash::Kind = gix_hash::Kind::Sha1;
const MAX_PATH: usize = 4096;

/// A commit that is not in any store yet, with what it adds.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) commit_id: ObjectId,
    pub(super) objects: Vec<Object>,
}

impl Change {
    /// Makes the objects of a draft on top of a commit; `None` if all files are so already.
    pub(super) fn of<E: std::error::Error>(
        base: &GitTree,
        draft: &Draft<'_>,
    ) -> Result<Option<Self>, Error<E>> {
        let mut files = BTreeMap::new();
        for (path, content) in &draft.files {
            let kind = writable(base, path)?;
            if files.insert(path.as_str(), (kind, content)).is_some() {
                let why = "it is there twice";
                return Err(Error::Path {
                    path: path.clone(),
                    why,
                });
            }
        }
        let mut objects = Vec::new();
        let handle = base.store().handle();
        let mut editor = Editor::new(root(&handle, base)?, &handle, HASH);
        for (path, (kind, content)) in files {
            let blob = object(Kind::Blob, content.clone())?;
            let edited = editor.upsert(path.split('/').map(bstr::BStr::new), kind, to_gix(blob.id));
            edited.map_err(|error| unreadable(base.root(), &error))?;
            objects.push(blob);
        }
        let tree_id = editor.write(|tree| {
            let new = tree_object(tree)?;
            let id = new.id;
            objects.push(new);
            Ok::<_, GitError>(to_gix(id))
        })?;
        let tree_id = from_gix(&tree_id).unwrap_or(base.root());
        if tree_id == base.root() {
            return Ok(None);
        }
        let commit = object(
            Kind::Commit,
            commit::bytes(draft, tree_id, base.commit_id())?,
        )?;
        let commit_id = commit.id;
        objects.push(commit);
        Ok(Some(Self { commit_id, objects }))
    }
}

/// Returns the kind that a file has or gets; what is no file, or behind a link, is left alone.
fn writable<E: std::error::Error>(base: &GitTree, path: &str) -> Result<EntryKind, Error<E>> {
    let refused = |why| Error::Path {
        path: path.chars().take(200).collect(),
        why,
    };
    if let Some(why) = forbidden(path) {
        return Err(refused(why));
    }
    for (at, _) in path.match_indices('/') {
        let above = path.get(..at).unwrap_or_default();
        match base.node(above)?.map(|node| node.kind) {
            Some(EntryKind::Tree) => {}
            None => break,
            Some(EntryKind::Link) => return Err(refused("it is behind a symbolic link")),
            Some(EntryKind::Commit) => return Err(refused("it is in a submodule")),
            Some(EntryKind::Blob | EntryKind::BlobExecutable) => {
                return Err(refused("a file is where a directory would have to be"));
            }
        }
    }
    match base.node(path)?.map(|node| node.kind) {
        None => Ok(EntryKind::Blob),
        Some(kind @ (EntryKind::Blob | EntryKind::BlobExecutable)) => Ok(kind),
        Some(EntryKind::Link) => Err(refused("it is a symbolic link")),
        Some(EntryKind::Tree) => Err(refused("it is a directory")),
        Some(EntryKind::Commit) => Err(refused("it is a submodule")),
    }
}

fn forbidden(path: &str) -> Option<&'static str> {
    let is_git = |name: &str| {
        let name = name.to_ascii_lowercase();
        matches!(name.as_str(), ".git" | "git~1")
    };
    if path.is_empty() || path.len() > MAX_PATH {
        return Some("it is empty or too long");
    }
    if path.contains(['\0', '\\']) {
        return Some("it has a character that not every machine can store");
    }
    if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Some("it is not a plain path from the root of the repository");
    }
    path.split('/').any(is_git).then_some("it is git's own")
}

fn root(handle: &HandleArc, base: &GitTree) -> Result<Tree, GitError> {
    let mut buffer = Vec::new();
    let tree = handle.find_tree(&to_gix(base.root()), &mut buffer);
    let tree = tree.map_err(|error| unreadable(base.root(), &error))?;
    Ok(tree.into())
}

fn tree_object(tree: &Tree) -> Result<Object, GitError> {
    let mut data = Vec::new();
    tree.write_to(&mut data)
        .map_err(|error| GitError::Protocol {
            doing: "writing a directory",
            message: error.to_string(),
        })?;
    object(Kind::Tree, data)
}

fn object(kind: Kind, data: Vec<u8>) -> Result<Object, GitError> {
    let failed = |message: String| GitError::Protocol {
        doing: "naming a new object",
        message,
    };
    let id = gix_object::compute_hash(HASH, kind, &data);
    let id = id.map_err(|error| failed(chain(&error)))?;
    let id = from_gix(&id).ok_or_else(|| failed("its id is not a SHA-1".to_owned()))?;
    Ok(Object { id, kind, data })
}

fn unreadable(id: ObjectId, error: &gix_error::Error) -> GitError {
    GitError::Object {
        id: id.to_string(),
        message: chain(error),
    }
}
