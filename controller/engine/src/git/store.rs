//! The object store of one repository on disk: a cache that can be lost at any time.
//!
//! It is a bare repository with nothing but packs, so that git itself can look into it. Each fetch
//! adds one pack. The file `kept` names the commits that are complete, newest first: a fetch
//! writes it last, so that whatever a killed fetch leaves behind does not count, and is removed
//! when the store is opened next. Whoever finds an object unreadable marks the store as damaged;
//! the next fetch then starts it afresh.

mod adopt;
mod layout;
mod pack;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::BufRead,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use flux_core::git::{ObjectId, RepositoryUrl, Resolved};
use gix_object::Find;
use gix_odb::HandleArc;
use gix_pack::bundle::write as bundle;
use gix_utils::progress::{Discard, DynNestedProgress};
use sha1::{Digest, Sha1};

pub(crate) use self::layout::Kept;
use self::layout::Layout;
pub(crate) use self::pack::{reachable, write as write_objects};
use super::{
    error::{Error, chain},
    id::to_gix,
    session::{Fetched, Want},
    tree::Directories,
};

/// So many commits are kept besides those in use: a fetch after a revert then finds what it needs.
const KEPT: usize = 8;
/// From so many packs on, [`Store::collect`] makes them one.
const MANY_PACKS: usize = 16;
/// So many packs are made one by the fetch itself, if no one called [`Store::collect`].
const TOO_MANY_PACKS: usize = 64;
/// So many bytes of unpacked objects, on which others build, are kept by each reader.
const BASES: usize = 2 << 20;
/// A larger object is not read: it is no manifest.
const MAX_OBJECT: usize = 256 << 20;

/// The object store of one repository. Clones share it; it may be used from many threads.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    layout: Layout,
    state: Mutex<State>,
    /// Held by whoever adds or removes packs.
    writing: Mutex<()>,
    is_damaged: AtomicBool,
    directories: Directories,
    submodules: Mutex<HashMap<String, Store>>,
}

struct State {
    objects: Arc<gix_odb::Store>,
    kept: Vec<Kept>,
    used: HashSet<ObjectId>,
}

/// How much history a fetch brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    None,
    Since(ObjectId),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.path()).finish()
    }
}

impl Store {
    /// Tells whether nobody has it but the caller.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Opens the store in a directory, or makes an empty one. Garbage of a killed fetch is removed.
    ///
    /// Caveat: one directory must not be opened twice at the same time.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let layout = Layout::new(directory.into());
        layout.prepare()?;
        let store = Self(Arc::new(Shared {
            state: Mutex::new(State {
                objects: layout.objects()?,
                kept: layout.kept(),
                used: HashSet::new(),
            }),
            layout,
            writing: Mutex::default(),
            is_damaged: AtomicBool::new(false),
            directories: Directories::default(),
            submodules: Mutex::default(),
        }));
        if !store.looks_complete() {
            store.reset()?;
        }
        Ok(store)
    }

    /// Returns the directory of the store.
    pub fn path(&self) -> &Path {
        self.0.layout.path()
    }

    /// Whether the store holds this commit with all its files, and the tag if there is one.
    pub fn has(&self, resolved: &Resolved) -> bool {
        if self.0.is_damaged.load(Ordering::Acquire) {
            return false;
        }
        self.state().kept.iter().any(|kept| {
            kept.commit_id == resolved.commit_id
                && (resolved.tag_id.is_none() || kept.tag_id == resolved.tag_id)
        })
    }

    pub(crate) fn keeps(&self, commit_id: ObjectId) -> bool {
        self.state()
            .kept
            .iter()
            .any(|kept| kept.commit_id == commit_id)
    }

    /// Names the commits in use: they stay in the store, however many others come.
    pub fn retain(&self, used: impl IntoIterator<Item = ObjectId>) {
        self.state().used = used.into_iter().collect();
    }

    /// Makes one pack of many and drops objects that no kept commit needs, if it is worth it.
    ///
    /// Returns whether it did. Readers go on meanwhile.
    pub fn collect(&self) -> Result<bool, Error> {
        let _writing = self.lock_writing();
        self.collect_from(MANY_PACKS)
    }

    /// Opens the store of a submodule, below this one; the same one for each call.
    pub(crate) fn submodule(&self, url: &RepositoryUrl) -> Result<Self, Error> {
        let name = ObjectId::from_bytes(Sha1::digest(url.to_string()).into()).to_string();
        let mut submodules = self
            .0
            .submodules
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = submodules.get(&name) {
            return Ok(store.clone());
        }
        let store = Self::open(self.path().join("submodules").join(&name))?;
        submodules.insert(name, store.clone());
        Ok(store)
    }

    /// Marks the store as damaged: the next fetch starts it afresh.
    pub(crate) fn mark_damaged(&self) {
        self.0.is_damaged.store(true, Ordering::Release);
    }

    pub(crate) fn directories(&self) -> &Directories {
        &self.0.directories
    }

    pub(crate) fn shallow_file(&self) -> PathBuf {
        self.0.layout.shallow()
    }

    pub(crate) fn temporary_file(&self) -> PathBuf {
        self.0.layout.temporary()
    }

    pub(crate) fn remove_temporary_file(&self) -> Result<(), Error> {
        self.0.layout.remove(&self.0.layout.temporary())
    }

    /// Returns a reader of objects for one thread.
    pub(crate) fn handle(&self) -> HandleArc {
        let mut handle: HandleArc = self.state().objects.to_cache_arc();
        handle
            .set_pack_cache(|| Box::new(gix_pack::cache::lru::StaticLinkedList::<32>::new(BASES)));
        handle
    }

    /// Runs `download` with the store locked, and keeps the commit if it is complete afterwards.
    pub(crate) fn fetching(
        &self,
        resolved: &Resolved,
        history: History,
        mut download: impl FnMut(&Want) -> Result<Fetched, Error>,
    ) -> Result<Fetched, Error> {
        let _writing = self.lock_writing();
        self.reopen()?;
        if self.0.is_damaged.load(Ordering::Acquire) || !self.looks_complete() {
            self.reset()?;
        }
        let is_enough = match history {
            History::None => true,
            History::Since(known) => known == resolved.commit_id,
        };
        if is_enough && self.has(resolved) {
            return Ok(Fetched {
                bytes_received: 0,
                objects: 0,
            });
        }
        let mut fetched = self.attempt(resolved, history, &mut download);
        if matches!(fetched, Err(Error::Store { .. })) && !self.state().kept.is_empty() {
            // What we had may be damaged: without it, everything is sent again.
            self.reset()?;
            fetched = self.attempt(resolved, history, &mut download);
        }
        let fetched = fetched?;
        self.keep(resolved)?;
        self.collect_from(TOO_MANY_PACKS)?;
        Ok(fetched)
    }

    fn attempt(
        &self,
        resolved: &Resolved,
        history: History,
        download: &mut impl FnMut(&Want) -> Result<Fetched, Error>,
    ) -> Result<Fetched, Error> {
        let haves: Vec<_> = self
            .state()
            .kept
            .iter()
            .map(|kept| kept.commit_id)
            .collect();
        self.0.layout.write_shallow(&haves)?;
        let want = Want {
            id: resolved.tag_id.unwrap_or(resolved.commit_id),
            haves,
            history,
        };
        let fetched = download(&want)?;
        self.reopen()?;
        self.check_commit(resolved.commit_id)?;
        Ok(fetched)
    }

    /// Writes the pack that a server sends, with an index; returns how many objects it has.
    pub(crate) fn write_pack(
        &self,
        pack: &mut dyn BufRead,
        progress: &mut dyn DynNestedProgress,
        flag: &AtomicBool,
    ) -> Result<u64, Error> {
        let written = self.index_pack(pack, progress, flag)?;
        Ok(u64::from(written.index.num_objects))
    }

    fn index_pack(
        &self,
        pack: &mut dyn BufRead,
        progress: &mut dyn DynNestedProgress,
        flag: &AtomicBool,
    ) -> Result<bundle::Outcome, Error> {
        let options = bundle::Options {
            alloc_limit_bytes: Some(MAX_OBJECT),
            ..bundle::Options::default()
        };
        let bases = self.handle();
        let directory = self.0.layout.packs();
        let hash = gix_hash::Kind::Sha1;
        let written = gix_pack::Bundle::write_to_directory(
            pack,
            Some(&directory),
            progress,
            flag,
            Some(bases),
            hash,
            options,
        );
        let written = written.map_err(|error| self.failed("write a pack", &chain(&error)))?;
        if let Some(keep) = &written.keep_path {
            self.0.layout.remove(keep)?;
        }
        Ok(written)
    }

    fn keep(&self, resolved: &Resolved) -> Result<(), Error> {
        let new = Kept {
            commit_id: resolved.commit_id,
            tag_id: resolved.tag_id,
        };
        let mut state = self.state();
        let State { kept, used, .. } = &mut *state;
        kept.retain(|kept| kept.commit_id != new.commit_id);
        kept.insert(0, new);
        let mut count = 0;
        kept.retain(|kept| {
            count += 1;
            count <= KEPT || used.contains(&kept.commit_id)
        });
        self.0.layout.write_kept(kept)
    }

    /// Whether the root of every kept commit can be read.
    fn looks_complete(&self) -> bool {
        let kept = self.state().kept.clone();
        kept.iter()
            .all(|kept| self.check_commit(kept.commit_id).is_ok())
    }

    fn check_commit(&self, id: ObjectId) -> Result<(), Error> {
        let handle = self.handle();
        let mut buffer = Vec::new();
        let missing = |what: &str| self.failed("find what was fetched", what);
        let commit = handle.try_find(&to_gix(id), &mut buffer).ok().flatten();
        let commit = commit.ok_or_else(|| missing("the commit is missing"))?;
        let tree =
            gix_object::CommitRefIter::from_bytes(commit.data, gix_hash::Kind::Sha1).tree_id();
        let tree = tree.map_err(|error| missing(&chain(&error)))?;
        let mut buffer = Vec::new();
        match handle.try_find(&tree, &mut buffer) {
            Ok(Some(_)) => Ok(()),
            Ok(None) | Err(_) => Err(missing("the root directory of the commit is missing")),
        }
    }

    fn collect_from(&self, packs: usize) -> Result<bool, Error> {
        let old = self.0.layout.list_packs()?;
        if old.len() < packs || self.0.is_damaged.load(Ordering::Acquire) {
            return Ok(false);
        }
        let roots: Vec<_> = self.state().kept.iter().flat_map(Kept::ids).collect();
        let handle = self.handle();
        let packed = reachable(&handle, &roots, |_| false)
            .and_then(|ids| write_objects(&handle, &ids, &self.0.layout.temporary()));
        let written = packed
            .and_then(|mut file| self.index_pack(&mut file, &mut Discard, &AtomicBool::new(false)));
        match written {
            Ok(written) => self
                .0
                .layout
                .remove_packs(&old, written.data_path.as_deref())?,
            Err(error) => {
                self.mark_damaged();
                return Err(error);
            }
        }
        self.reopen()?;
        Ok(true)
    }

    fn reset(&self) -> Result<(), Error> {
        let mut state = self.state();
        self.0.layout.clear()?;
        state.kept.clear();
        state.objects = self.0.layout.objects()?;
        self.0.directories.clear();
        self.0.is_damaged.store(false, Ordering::Release);
        Ok(())
    }

    fn reopen(&self) -> Result<(), Error> {
        let objects = self.0.layout.objects()?;
        self.state().objects = objects;
        Ok(())
    }

    fn failed(&self, doing: &'static str, message: &str) -> Error {
        Error::Store {
            doing,
            path: self.path().to_owned(),
            message: message.to_owned(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_writing(&self) -> MutexGuard<'_, ()> {
        self.0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
