//! A repository in a directory of this machine, read directly: no process is started for it.

mod target;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use flux_core::git::{ObjectId, RemoteRef};
use gix_object::{Find, Kind, TagRefIter};
use gix_odb::HandleArc;
use gix_utils::progress::Discard;

use super::{
    deadline::Deadline,
    error::{Error, chain},
    id::{from_gix, to_gix},
    session::{Fetched, Want},
    store::{Store, reachable, write_objects},
};

pub(crate) use self::target::Target;

/// A tag may point to a tag, but not for ever.
const MAX_TAGS: usize = 8;
const MAX_SYMBOLIC: usize = 5;

/// A repository in a directory.
pub(crate) struct Source {
    directory: PathBuf,
    objects: HandleArc,
    deadline: Deadline,
}

impl Source {
    pub(crate) fn open(path: &str, deadline: Deadline) -> Result<Self, Error> {
        let not_found = || Error::NotFound {
            url: format!("file://{path}"),
        };
        let path = Path::new(path);
        let candidates = [path.join(".git"), path.to_owned()];
        let directory = candidates
            .into_iter()
            .find(|path| path.join("objects").is_dir());
        let directory = directory.ok_or_else(not_found)?;
        let options = gix_odb::store::init::Options::default();
        let opened = gix_odb::Store::at_opts(
            directory.join("objects"),
            gix_hash::Kind::Sha1,
            &mut std::iter::empty(),
            options,
        );
        let store = opened.map_err(|_| not_found())?;
        Ok(Self {
            objects: Arc::new(store).to_cache_arc(),
            directory,
            deadline,
        })
    }

    pub(crate) fn objects(&self) -> &HandleArc {
        &self.objects
    }

    pub(crate) fn list(&self) -> Result<Vec<RemoteRef>, Error> {
        let mut names = Vec::new();
        self.loose_names("refs", &mut names);
        let packed = self.packed();
        names.extend(packed.iter().map(|(name, _)| name.clone()));
        names.sort();
        names.dedup();
        names.insert(0, "HEAD".to_owned());
        let refs: Result<Vec<_>, _> = names.iter().map(|name| self.read(name, &packed)).collect();
        Ok(refs?.into_iter().flatten().collect())
    }

    pub(crate) fn fetch(&self, store: &Store, want: &Want) -> Result<Fetched, Error> {
        let known = store.handle();
        let is_known = |id: &gix_hash::oid| gix_object::Exists::exists(&known, id);
        let roots: Vec<_> = [want.id].into_iter().collect();
        let ids = reachable(&self.objects, &roots, is_known)?;
        if let Some(interruption) = self.deadline.interruption() {
            return Err(super::line::interrupted(interruption, "copying objects"));
        }
        let mut pack = write_objects(&self.objects, &ids, &store.temporary_file())?;
        let objects = store.write_pack(&mut pack, &mut Discard, &AtomicBool::new(false));
        store.remove_temporary_file()?;
        Ok(Fetched {
            bytes_received: 0,
            objects: objects?,
        })
    }

    fn loose_names(&self, directory: &str, names: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(self.directory.join(directory)) else {
            return;
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let name = format!("{directory}/{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.loose_names(&name, names),
                Ok(kind) if kind.is_file() => names.push(name),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn packed(&self) -> Vec<(String, ObjectId)> {
        let text = fs::read_to_string(self.directory.join("packed-refs")).unwrap_or_default();
        let read = |line: &str| {
            let (id, name) = line.split_once(' ')?;
            Some((name.to_owned(), id.parse().ok()?))
        };
        text.lines().filter_map(read).collect()
    }

    fn read(&self, name: &str, packed: &[(String, ObjectId)]) -> Result<Option<RemoteRef>, Error> {
        let mut target = None;
        let mut current = name.to_owned();
        for _ in 0..MAX_SYMBOLIC {
            let text = fs::read_to_string(self.directory.join(&current)).ok();
            let text = text.as_deref().map(str::trim);
            if let Some(next) = text.and_then(|text| text.strip_prefix("ref: ")) {
                if next.contains("..") || !next.starts_with("refs/") {
                    return Ok(None);
                }
                next.clone_into(&mut current);
                target = Some(current.clone());
                continue;
            }
            let in_file = text.and_then(|text| text.parse().ok());
            let in_pack = || {
                packed
                    .iter()
                    .find(|(name, _)| *name == current)
                    .map(|(_, id)| *id)
            };
            let Some(id) = in_file.or_else(in_pack) else {
                return Ok(None);
            };
            return self.peel(name, target, id).map(Some);
        }
        Ok(None)
    }

    fn peel(&self, name: &str, target: Option<String>, id: ObjectId) -> Result<RemoteRef, Error> {
        let mut current = to_gix(id);
        for _ in 0..MAX_TAGS {
            let mut buffer = Vec::new();
            let failed = |message: String| Error::Object {
                id: id.to_string(),
                message,
            };
            let found = self
                .objects
                .try_find(&current, &mut buffer)
                .map_err(|error| failed(chain(&error)))?;
            let found = found.ok_or_else(|| failed("it is missing".to_owned()))?;
            if found.kind != Kind::Tag {
                break;
            }
            let next = TagRefIter::from_bytes(found.data, gix_hash::Kind::Sha1).target_id();
            current = next.map_err(|error| failed(chain(&error)))?;
        }
        let commit_id = from_gix(&current).unwrap_or(id);
        Ok(RemoteRef {
            name: name.to_owned(),
            commit_id,
            tag_id: (commit_id != id).then_some(id),
            target,
        })
    }
}
