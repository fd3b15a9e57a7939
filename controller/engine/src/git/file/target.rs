//! A push into a repository of this machine: loose objects, then the branch under git's own lock.
//!
//! Caveat: no process is started, so hooks of that repository do not run.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flux_core::git::ObjectId;
use gix_object::Write as _;

use super::Source;
use crate::git::{
    deadline::Deadline,
    error::{Error, chain},
    id::to_gix,
    push::{Answer, Sent, Update},
};

/// A repository in a directory, to push to.
pub(crate) struct Target(Source);

impl Target {
    pub(crate) fn open(path: &str, deadline: Deadline) -> Result<Self, Error> {
        Source::open(path, deadline).map(Self)
    }

    /// Objects first, the branch last: whatever happens in between leaves garbage only.
    pub(crate) fn update(&self, update: &Update<'_>) -> Result<Sent, Error> {
        if self.is_checked_out(update.ref_name) {
            let reason = format!("{} is checked out there", update.ref_name);
            return Ok(sent(Answer::Refused(reason), 0));
        }
        let bytes = self.write_objects(update)?;
        let path = self.0.directory.join(update.ref_name);
        let lock = match Lock::take(&path) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                let reason = format!("cannot lock {}", update.ref_name);
                return Ok(sent(Answer::Rejected(reason), bytes));
            }
            Err(error) => {
                let reason = format!("cannot lock {}: {error}", update.ref_name);
                return Ok(sent(Answer::Refused(reason), bytes));
            }
        };
        if self.current(update.ref_name)? != update.old {
            let reason = "the branch was moved meanwhile".to_owned();
            return Ok(sent(Answer::Rejected(reason), bytes));
        }
        lock.commit(&path, update.new)
            .map_err(|error| failed(&error))?;
        Ok(sent(Answer::Accepted, bytes))
    }

    fn current(&self, ref_name: &str) -> Result<Option<ObjectId>, Error> {
        let found = self.0.read(ref_name, &self.0.packed())?;
        Ok(found.map(|found| found.commit_id))
    }

    fn write_objects(&self, update: &Update<'_>) -> Result<u64, Error> {
        let objects = self.0.directory.join("objects");
        let store = gix_odb::loose::Store::at(objects, gix_hash::Kind::Sha1);
        let mut bytes = 0;
        for object in update.objects {
            let id = to_gix(object.id);
            let written = store.write_buf_with_known_id(object.kind, &object.data, id);
            written.map_err(|error| Error::Protocol {
                doing: "writing the new objects",
                message: chain(&error),
            })?;
            bytes += object.data.len() as u64;
        }
        Ok(bytes)
    }

    /// Whether a work tree shows this branch: it would not follow.
    fn is_checked_out(&self, ref_name: &str) -> bool {
        let directory = &self.0.directory;
        let has_work_tree = directory.file_name().is_some_and(|name| name == ".git");
        let head = fs::read_to_string(directory.join("HEAD")).unwrap_or_default();
        has_work_tree && head.trim().strip_prefix("ref: ") == Some(ref_name)
    }
}

fn sent(answer: Answer, bytes: u64) -> Sent {
    Sent { answer, bytes }
}

fn failed(error: &io::Error) -> Error {
    Error::Protocol {
        doing: "moving the branch",
        message: error.to_string(),
    }
}

/// The file `<ref>.lock`, as git takes it; it is removed if the branch is not moved.
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        match OpenOptions::new().write(true).create_new(true).open(&lock) {
            Ok(file) => Ok(Some(Self { path: lock, file })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn commit(mut self, path: &Path, id: ObjectId) -> io::Result<()> {
        self.file.write_all(format!("{id}\n").as_bytes())?;
        self.file.sync_all()?;
        fs::rename(&self.path, path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // After a rename it is not there any more.
        fs::remove_file(&self.path).ok();
    }
}
