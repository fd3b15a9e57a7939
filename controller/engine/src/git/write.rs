//! Writing to a branch: edits on the fetched commit in memory, one commit, one push.
//!
//! ```text
//!  look at the remote ─► base commit ─► edit (GitTree → Draft) ─► new objects ─► push, compare and swap
//!        ▲                                                                              │
//!        └────────── rejected: someone else was faster, edit again on theirs ───────────┤
//!        └────────── broken off: is our commit there? if not, push the same again ──────┘
//! ```
//!
//! Guarantees: a branch moves only from the commit that we looked at, so no one's commit is lost;
//! nothing is committed twice, for what broke off is looked at before anything is sent again; a
//! commit counts, and is in the store, only when the remote has accepted it. Tags and notes are
//! never touched.

mod branch;
mod change;
mod commit;
mod effort;
mod error;
mod merged;

use flux_core::git::{Reference, Resolved};
use jiff::Zoned;

pub use self::error::Error;
use self::{change::Change, effort::Effort};
use super::{
    client::Client, commit::Commit, deadline::Deadline, remote::Remote, signature::Signer,
    store::Store, tree::GitTree,
};

/// Where to write, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The way to git servers.
    pub client: &'a Client,
    /// The repository.
    pub remote: &'a Remote,
    /// Where its objects are kept.
    pub store: &'a Store,
    /// What the repository follows: the edits start from there.
    pub source: &'a Reference,
    /// The branch to push to; `None` is the source's own, which then has to be a branch.
    pub branch: Option<&'a str>,
    /// When to give up.
    pub deadline: &'a Deadline,
}

/// A person, or a program that acts as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// What shall be committed.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Paths from the root with what shall be in the files. Modes stay; new files are plain ones.
    pub files: Vec<(String, Vec<u8>)>,
    /// The message.
    pub message: String,
    /// Who wants it.
    pub author: Person,
    /// Who does it.
    pub committer: Person,
    /// When, with the time zone to show.
    pub time: Zoned,
    /// What signs the commit, if it shall be signed.
    pub signer: Option<&'a Signer>,
}

/// A commit that the remote has accepted. It is in the store, with all its files.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The branch and the commit.
    pub resolved: Resolved,
    /// The head of the commit.
    pub commit: Commit,
    /// How many pushes it took.
    pub attempts: u32,
    /// The bytes of the last push.
    pub bytes_sent: u64,
}

/// Commits what `edit` makes of the files, and pushes it; `None` if there is nothing to change.
///
/// `edit` is called again with the newer files when someone else was faster. The [`Resolved`] names
/// the branch that is written to and the commit whose files these are.
///
/// A push branch other than the source is created when it is missing. While it holds commits that
/// are not in the source, the edits go on top of it; when it has been merged, they start from the
/// source again.
pub fn write_back<'d, E: std::error::Error + 'static>(
    destination: &Destination<'_>,
    mut edit: impl FnMut(&GitTree, &Resolved) -> Result<Option<Draft<'d>>, E>,
) -> Result<Option<Pushed>, Error<E>> {
    let mut effort = Effort::new(*destination);
    loop {
        let base = branch::look(destination)?;
        if let Some(pushed) = effort.find_pending(&base)? {
            return Ok(Some(pushed));
        }
        let tree = GitTree::open(destination.store, base.resolved.commit_id, None)?;
        let Some(draft) = edit(&tree, &base.resolved).map_err(Error::Edit)? else {
            return Ok(None);
        };
        let Some(change) = Change::of(&tree, &draft)? else {
            return Ok(None);
        };
        if let Some(pushed) = effort.push(&base, change)? {
            return Ok(Some(pushed));
        }
    }
}
