//! Who made a commit, when, and what about.

use flux_core::git::ObjectId;
use gix_object::{CommitRef, Kind};
use jiff::Timestamp;

use super::{
    error::{Error, chain},
    store::Store,
    tree::find,
};

/// The head of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Name and address of the author, for example `Jane Doe <jane@example.com>`.
    pub author: String,
    /// The first line of the message.
    pub subject: String,
    /// When it was committed.
    pub time: Timestamp,
    /// The commit it follows, then those it merges.
    pub parents: Vec<ObjectId>,
}

impl Commit {
    /// Reads a commit of the store.
    pub fn read(store: &Store, id: ObjectId) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        let handle = store.handle();
        let data = find(&handle, id, Kind::Commit, &mut buffer)?;
        let malformed = |error: gix_error::Error| Error::Object {
            id: id.to_string(),
            message: chain(&error),
        };
        let commit = CommitRef::from_bytes(data, gix_hash::Kind::Sha1).map_err(malformed)?;
        let author = commit.author().map_err(malformed)?;
        let seconds = commit
            .committer()
            .ok()
            .map_or(0, |committer| committer.seconds());
        Ok(Self {
            author: format!("{} <{}>", author.name, author.email),
            subject: commit.message().title.to_string().trim().to_owned(),
            time: Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH),
            parents: commit
                .parents()
                .filter_map(|id| super::id::from_gix(&id))
                .collect(),
        })
    }
}
