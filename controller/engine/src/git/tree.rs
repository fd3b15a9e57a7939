//! The files of a commit, read straight from the object store.

mod directory;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use flux_core::git::ObjectId;
use flux_kustomize::{Entry, FileTree, TreeError};
use gix_object::{CommitRefIter, Find, Kind, tree::EntryKind};
use gix_odb::HandleArc;
use sha1::{Digest, Sha1};

use self::directory::Directory;
pub(crate) use self::directory::{Directories, Node};
use super::{
    commit::Commit,
    error::{Error, chain},
    id::{from_gix, to_gix},
    ignore::Rules,
    store::Store,
};

const HASH: gix_hash::Kind = gix_hash::Kind::Sha1;
/// A larger file is not read: it is no manifest.
const MAX_FILE: u64 = 64 << 20;
/// Bytes of the path that a symlink leads to, as in Linux (`PATH_MAX`).
const MAX_LINK: u64 = 4096;

/// The files of one commit as a build sees them. Clones share it; it may be used from many threads.
#[derive(Clone)]
pub struct GitTree(Arc<Shared>);

struct Shared {
    store: Store,
    commit_id: ObjectId,
    root: ObjectId,
    rules: Rules,
    submodules: BTreeMap<String, GitTree>,
    /// Readers that no thread uses at the moment.
    handles: Mutex<Vec<HandleArc>>,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GitTree").field(&self.0.commit_id).finish()
    }
}

impl GitTree {
    /// Opens the files of a commit; `ignore` are rules in gitignore syntax on top of `.sourceignore`.
    pub fn open(store: &Store, commit_id: ObjectId, ignore: Option<&str>) -> Result<Self, Error> {
        Self::with_submodules(store, commit_id, ignore, BTreeMap::new())
    }

    pub(crate) fn with_submodules(
        store: &Store,
        commit_id: ObjectId,
        ignore: Option<&str>,
        submodules: BTreeMap<String, Self>,
    ) -> Result<Self, Error> {
        let handle = store.handle();
        let mut buffer = Vec::new();
        let data = find(&handle, commit_id, Kind::Commit, &mut buffer)?;
        let root = CommitRefIter::from_bytes(data, HASH).tree_id();
        let root = root.map_err(|error| unreadable(commit_id, &chain(&error)))?;
        let root =
            from_gix(&root).ok_or_else(|| unreadable(commit_id, "its tree has no SHA-1 id"))?;
        Ok(Self(Arc::new(Shared {
            store: store.clone(),
            commit_id,
            root,
            rules: Rules::new(ignore),
            submodules,
            handles: Mutex::new(vec![handle]),
        })))
    }

    /// Returns the commit.
    pub fn commit_id(&self) -> ObjectId {
        self.0.commit_id
    }

    /// Reads who made the commit and what it says.
    pub fn commit(&self) -> Result<Commit, Error> {
        Commit::read(&self.0.store, self.0.commit_id)
    }

    /// Returns an id that changes when what a build can see at a path changes, and only then.
    ///
    /// It is git's own id of the file or directory; of a directory below which `.sourceignore` or
    /// `spec.ignore` rules from outside hold, it is a digest of that id and of the rules.
    pub fn object_id(&self, path: &str) -> Result<Option<ObjectId>, TreeError> {
        if let Some((tree, rest)) = self.submodule(path)? {
            return tree.object_id(rest);
        }
        let Some(node) = self.visible(path)? else {
            return Ok(None);
        };
        if node.kind != EntryKind::Tree {
            return Ok(Some(node.id));
        }
        let digest = self.0.rules.digest(path, &|path| self.read_raw(path));
        Ok(Some(digest.map_or(node.id, |digest| mix(node.id, digest))))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Returns the id of the top directory.
    pub(crate) fn root(&self) -> ObjectId {
        self.0.root
    }

    /// Returns the top directory.
    pub(crate) fn top(&self) -> Node {
        Node {
            name: Box::default(),
            kind: EntryKind::Tree,
            id: self.0.root,
        }
    }

    /// Lists the submodules of the commit: path and pinned commit.
    pub(crate) fn links(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        let mut links = Vec::new();
        let mut open = vec![(String::new(), self.0.root)];
        while let Some((path, id)) = open.pop() {
            for node in &self.directory(id)?.0 {
                let path = join(&path, &node.name);
                match node.kind {
                    EntryKind::Commit => links.push((path, node.id)),
                    EntryKind::Tree => open.push((path, node.id)),
                    EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {}
                }
            }
        }
        Ok(links)
    }

    /// Reads a file whether it is ignored or not.
    pub(crate) fn read_raw(&self, path: &str) -> Option<Vec<u8>> {
        let node = self.node(path).ok().flatten()?;
        let is_file = matches!(node.kind, EntryKind::Blob | EntryKind::BlobExecutable);
        is_file.then(|| self.blob(node.id).ok()).flatten()
    }

    /// Finds what stands at a path, unless a rule hides it.
    fn visible(&self, path: &str) -> Result<Option<Node>, TreeError> {
        let node = self
            .node(path)
            .map_err(|error| TreeError::new(path, error.to_string()))?;
        Ok(node.filter(|node| self.shows(path, node.kind)))
    }

    fn shows(&self, path: &str, kind: EntryKind) -> bool {
        let is_directory = matches!(kind, EntryKind::Tree | EntryKind::Commit);
        self.0
            .rules
            .shows(path, is_directory, &|path| self.read_raw(path))
    }

    pub(crate) fn node(&self, path: &str) -> Result<Option<Node>, Error> {
        let mut node = self.top();
        for name in path.split('/').filter(|_| !path.is_empty()) {
            if node.kind != EntryKind::Tree {
                return Ok(None);
            }
            let directory = self.directory(node.id)?;
            match directory.get(name) {
                Some(found) => node = found.clone(),
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The submodule that a path leads into, and the rest of the path.
    fn submodule<'a>(&self, path: &'a str) -> Result<Option<(&Self, &'a str)>, TreeError> {
        for (at, tree) in &self.0.submodules {
            let rest = path.strip_prefix(at.as_str());
            let rest = rest.and_then(|rest| {
                if rest.is_empty() {
                    Some(rest)
                } else {
                    rest.strip_prefix('/')
                }
            });
            if let Some(rest) = rest {
                return Ok(self.visible(at)?.map(|_| (tree, rest)));
            }
        }
        Ok(None)
    }

    pub(crate) fn directory(&self, id: ObjectId) -> Result<Arc<Directory>, Error> {
        if let Some(directory) = self.0.store.directories().get(id) {
            return Ok(directory);
        }
        let read =
            |data: &[u8]| Directory::decode(data).map_err(|message| unreadable(id, &message));
        let directory = Arc::new(self.with_object(id, Kind::Tree, read)??);
        self.0.store.directories().insert(id, directory.clone());
        Ok(directory)
    }

    fn blob(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        self.data(id, MAX_FILE, "it is larger than 64 MiB")
    }

    /// Returns where a symlink leads.
    fn link(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        self.data(id, MAX_LINK, "it leads to a path of more than 4096 bytes")
    }

    fn data(&self, id: ObjectId, most: u64, too_large: &str) -> Result<Vec<u8>, Error> {
        self.with_object(id, Kind::Blob, |data| {
            if data.len() as u64 > most {
                return Err(unreadable(id, too_large));
            }
            Ok(data.to_vec())
        })?
    }

    fn with_object<T>(
        &self,
        id: ObjectId,
        kind: Kind,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Error> {
        let idle = self
            .0
            .handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let handle = idle.unwrap_or_else(|| self.0.store.handle());
        let mut buffer = Vec::new();
        let outcome = find(&handle, id, kind, &mut buffer).map(read);
        self.0
            .handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
        if outcome.is_err() && self.0.store.keeps(self.0.commit_id) {
            self.0.store.mark_damaged();
        }
        outcome
    }

    fn entry_of(&self, path: &str, node: &Node) -> Result<Entry, TreeError> {
        Ok(match node.kind {
            EntryKind::Tree => Entry::Directory,
            EntryKind::Blob | EntryKind::BlobExecutable => Entry::File,
            EntryKind::Commit if self.0.submodules.contains_key(path) => Entry::Directory,
            EntryKind::Commit => Entry::Submodule,
            EntryKind::Link => {
                let target = self
                    .link(node.id)
                    .map_err(|error| TreeError::new(path, error.to_string()))?;
                Entry::Symlink(String::from_utf8_lossy(&target).into_owned())
            }
        })
    }
}

impl FileTree for GitTree {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        if let Some((tree, rest)) = self.submodule(path)? {
            return tree.entry(rest);
        }
        let node = self.visible(path)?;
        node.map(|node| self.entry_of(path, &node)).transpose()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        if let Some((tree, rest)) = self.submodule(path)? {
            return tree.read(rest);
        }
        match self.visible(path)? {
            Some(Node {
                kind: EntryKind::Blob | EntryKind::BlobExecutable,
                id,
                ..
            }) => self
                .blob(id)
                .map_err(|error| TreeError::new(path, error.to_string())),
            Some(_) => Err(TreeError::new(path, "it is not a file")),
            None => Err(TreeError::new(path, "there is no such file")),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        if let Some((tree, rest)) = self.submodule(path)? {
            return tree.list(rest);
        }
        let failed = |error: Error| TreeError::new(path, error.to_string());
        let node = self
            .visible(path)?
            .ok_or_else(|| TreeError::new(path, "there is no such directory"))?;
        if node.kind != EntryKind::Tree {
            return Err(TreeError::new(path, "it is not a directory"));
        }
        let mut names = Vec::new();
        for node in &self.directory(node.id).map_err(failed)?.0 {
            let path = join(path, &node.name);
            if self.shows(&path, node.kind) {
                names.push((node.name.to_string(), self.entry_of(&path, node)?));
            }
        }
        Ok(names)
    }
}

pub(crate) fn find<'a>(
    objects: &impl Find,
    id: ObjectId,
    kind: Kind,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Error> {
    let found = objects
        .try_find(&to_gix(id), buffer)
        .map_err(|error| unreadable(id, &chain(&error)))?;
    let found = found.ok_or_else(|| unreadable(id, "it is missing"))?;
    if found.kind != kind {
        return Err(unreadable(
            id,
            &format!("it is a {}, not a {kind}", found.kind),
        ));
    }
    Ok(found.data)
}

fn unreadable(id: ObjectId, message: &str) -> Error {
    Error::Object {
        id: id.to_string(),
        message: message.to_owned(),
    }
}

fn mix(id: ObjectId, digest: [u8; 20]) -> ObjectId {
    let mut hasher = Sha1::new();
    hasher.update(id.as_bytes());
    hasher.update(digest);
    ObjectId::from_bytes(hasher.finalize().into())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}
