//! Files of a store.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use flux_core::git::ObjectId;
use gix_odb::store::init::{Options, Slots};

use super::MAX_OBJECT;
use crate::git::error::Error;

/// Room for [`super::TOO_MANY_PACKS`] and those that come meanwhile; looking at the disk is not needed then.
const SLOTS: Slots = Slots::Given(256);

/// A complete commit, and the annotated tag by which it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) commit_id: ObjectId,
    pub(crate) tag_id: Option<ObjectId>,
}

impl Kept {
    pub(super) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.tag_id.into_iter().chain([self.commit_id])
    }
}

/// Where the files of a store are.
pub(super) struct Layout(PathBuf);

impl Layout {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn packs(&self) -> PathBuf {
        self.0.join("objects/pack")
    }

    pub(super) fn shallow(&self) -> PathBuf {
        self.0.join("shallow")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.packs().join("tmp_collect")
    }

    /// Makes what is missing and removes what a killed process left behind.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        self.tried("prepare", || {
            fs::create_dir_all(self.packs())?;
            fs::create_dir_all(self.0.join("refs"))?;
            let config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
            for (name, text) in [("HEAD", "ref: refs/heads/main\n"), ("config", config)] {
                if !self.0.join(name).is_file() {
                    fs::write(self.0.join(name), text)?;
                }
            }
            remove_if_there(&self.0.join("shallow.lock"))?;
            remove_if_there(&self.0.join("kept.new"))?;
            self.remove_garbage()
        })
    }

    /// A pack without its index, an index without its pack, and everything else is garbage.
    fn remove_garbage(&self) -> io::Result<()> {
        let mut names = HashSet::new();
        for entry in fs::read_dir(self.packs())? {
            names.insert(entry?.file_name());
        }
        for name in &names {
            let path = self.packs().join(name);
            let other = match path.extension().and_then(|end| end.to_str()) {
                Some("pack") => path.with_extension("idx"),
                Some("idx") => path.with_extension("pack"),
                _ => PathBuf::new(),
            };
            if !other.file_name().is_some_and(|other| names.contains(other)) {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    pub(super) fn objects(&self) -> Result<Arc<gix_odb::Store>, Error> {
        let options = Options {
            slots: SLOTS,
            use_multi_pack_index: false,
            alloc_limit_bytes: Some(MAX_OBJECT),
            ..Options::default()
        };
        let directory = self.0.join("objects");
        self.tried("open", || {
            let store = gix_odb::Store::at_opts(
                directory,
                gix_hash::Kind::Sha1,
                &mut std::iter::empty(),
                options,
            )?;
            Ok(Arc::new(store))
        })
    }

    /// Reads the list of complete commits. An unreadable list is an empty one: it is only a cache.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let text = fs::read_to_string(self.0.join("kept")).unwrap_or_default();
        let read = |line: &str| {
            let (commit, tag) = line
                .split_once(' ')
                .map_or((line, None), |(commit, tag)| (commit, Some(tag)));
            Some(Kept {
                commit_id: commit.parse().ok()?,
                tag_id: tag.and_then(|tag| tag.parse().ok()),
            })
        };
        text.lines().filter_map(read).collect()
    }

    pub(super) fn write_kept(&self, kept: &[Kept]) -> Result<(), Error> {
        let line = |kept: &Kept| {
            let tag = kept.tag_id.map(|tag| format!(" {tag}")).unwrap_or_default();
            format!("{}{tag}\n", kept.commit_id)
        };
        let text: String = kept.iter().map(line).collect();
        self.tried("write the list of commits", || {
            fs::write(self.0.join("kept.new"), text)?;
            fs::rename(self.0.join("kept.new"), self.0.join("kept"))
        })
    }

    /// Tells the server, through gix, that the parents of these commits are not here.
    pub(super) fn write_shallow(&self, commits: &[ObjectId]) -> Result<(), Error> {
        let lines: Vec<_> = commits.iter().map(ObjectId::to_string).collect();
        let text = lines.join("\n") + "\n";
        self.tried("write the list of shallow commits", || {
            remove_if_there(&self.0.join("shallow.lock"))?;
            if commits.is_empty() {
                return remove_if_there(&self.shallow());
            }
            fs::write(self.shallow(), text)
        })
    }

    /// Returns the packs, without their extension.
    pub(super) fn list_packs(&self) -> Result<Vec<PathBuf>, Error> {
        self.tried("list packs", || {
            let mut packs = Vec::new();
            for entry in fs::read_dir(self.packs())? {
                let path = entry?.path();
                if path.extension().is_some_and(|end| end == "pack") {
                    packs.push(path.with_extension(""));
                }
            }
            Ok(packs)
        })
    }

    /// Removes packs, unless one of them was just written again under the same name.
    pub(super) fn remove_packs(
        &self,
        packs: &[PathBuf],
        written: Option<&Path>,
    ) -> Result<(), Error> {
        let written = written.map(|path| path.with_extension(""));
        self.tried("remove packs", || {
            remove_if_there(&self.temporary())?;
            for pack in packs.iter().filter(|pack| Some(*pack) != written.as_ref()) {
                // The index first: without it, the rest is garbage that the next start removes.
                remove_if_there(&pack.with_extension("idx"))?;
                remove_if_there(&pack.with_extension("pack"))?;
            }
            Ok(())
        })
    }

    pub(super) fn remove(&self, path: &Path) -> Result<(), Error> {
        self.tried("remove a file", || remove_if_there(path))
    }

    /// Starts afresh. The list goes first: a process killed in the middle leaves garbage only.
    pub(super) fn clear(&self) -> Result<(), Error> {
        self.tried("clear", || {
            remove_if_there(&self.0.join("kept"))?;
            remove_if_there(&self.shallow())?;
            for entry in fs::read_dir(self.packs())? {
                remove_if_there(&entry?.path())?;
            }
            Ok(())
        })
    }

    fn tried<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Error> {
        work().map_err(|error| Error::Store {
            doing,
            path: self.0.clone(),
            message: error.to_string(),
        })
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
