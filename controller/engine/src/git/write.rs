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
mod error;
mod merged;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use flux_core::git::{ObjectId, Reference, Resolved};
use jiff::Zoned;

pub use self::error::Error;
use self::{branch::Base, change::Change};
use super::{
    client::Client,
    commit::Commit,
    deadline::Deadline,
    error::Error as GitError,
    push::{Answer, Update},
    remote::Remote,
    signature::Signer,
    store::Store,
    tree::GitTree,
};

/// The first pause after a rejection; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(25);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// So often a push may be rejected while nobody moves the branch; then something else is wrong.
const MAX_UNMOVED: u32 = 5;

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

/// The tries so far.
struct Effort<'a> {
    to: Destination<'a>,
    attempts: u32,
    bytes_sent: u64,
    /// What was sent and may have arrived without our knowing.
    pending: Option<Change>,
    /// Where the branch was at the last rejection, and how often it was there.
    unmoved: (Option<ObjectId>, u32),
}

impl<'a> Effort<'a> {
    fn new(to: Destination<'a>) -> Self {
        Self {
            to,
            attempts: 0,
            bytes_sent: 0,
            pending: None,
            unmoved: (None, 0),
        }
    }

    /// Pushes until it is clear what came of it; `None` means that someone else was faster.
    fn push<E: std::error::Error>(
        &mut self,
        base: &Base,
        change: Change,
    ) -> Result<Option<Pushed>, Error<E>> {
        loop {
            self.attempts += 1;
            match self.try_once(base, &change) {
                Ok(Answer::Rejected(reason)) if !base.follows && is_no_reset(&reason) => {
                    return Err(self.refused(format!(
                        "the branch was merged but cannot start afresh, delete it: {reason}"
                    )));
                }
                Ok(Answer::Accepted) => return self.keep(base, &change).map(Some),
                Ok(Answer::Refused(reason)) => return Err(self.refused(reason)),
                Ok(Answer::Rejected(reason)) => {
                    self.count_unmoved(base, reason)?;
                    self.pause()?;
                    return Ok(None);
                }
                Ok(Answer::Silent) => {}
                Err(error) if is_final(&error) => return Err(self.explain(error)),
                Err(error) => {
                    tracing::debug!(%error, attempt = self.attempts, "push broke off");
                }
            }
            self.pause()?;
            // Before anything is sent again: it may have arrived.
            match branch::head(&self.to, base)? {
                head if head == Some(change.commit_id) => {
                    return self.keep(base, &change).map(Some);
                }
                head if head == base.old => {}
                _ => {
                    self.pending = Some(change);
                    return Ok(None);
                }
            }
        }
    }

    fn try_once(&mut self, base: &Base, change: &Change) -> Result<Answer, GitError> {
        let push = self
            .to
            .client
            .connect_to_push(self.to.remote, self.to.deadline)?;
        let sent = push.update(&Update {
            ref_name: &base.ref_name,
            old: base.old,
            new: change.commit_id,
            objects: &change.objects,
        })?;
        self.bytes_sent = sent.bytes;
        Ok(sent.answer)
    }

    /// Returns what we had sent, if the branch turns out to have it; others may have gone on from there.
    fn find_pending<E: std::error::Error>(
        &mut self,
        base: &Base,
    ) -> Result<Option<Pushed>, Error<E>> {
        let (Some(change), Some(head)) = (&self.pending, base.old) else {
            return Ok(None);
        };
        let mut session = self.to.client.connect(self.to.remote, self.to.deadline)?;
        if head == change.commit_id
            || merged::leads_back(&self.to, &mut session, head, change.commit_id)?
        {
            return self.keep(base, change).map(Some);
        }
        self.pending = None;
        Ok(None)
    }

    fn keep<E: std::error::Error>(&self, base: &Base, change: &Change) -> Result<Pushed, Error<E>> {
        let resolved = Resolved {
            commit_id: change.commit_id,
            ..base.resolved.clone()
        };
        self.to.store.adopt(&resolved, &change.objects)?;
        Ok(Pushed {
            commit: Commit::read(self.to.store, resolved.commit_id)?,
            resolved,
            attempts: self.attempts,
            bytes_sent: self.bytes_sent,
        })
    }

    /// A server that rejects what nobody moved will go on doing so.
    fn count_unmoved<E: std::error::Error>(
        &mut self,
        base: &Base,
        reason: String,
    ) -> Result<(), Error<E>> {
        let count = match self.unmoved {
            (old, count) if old == base.old => count + 1,
            _ => 1,
        };
        self.unmoved = (base.old, count);
        if count > MAX_UNMOVED {
            return Err(self.refused(reason));
        }
        Ok(())
    }

    fn pause<E: std::error::Error>(&self) -> Result<(), Error<E>> {
        let doubled = PAUSE.saturating_mul(1 << self.attempts.min(10));
        // Between half and all of it, so that two writers do not meet again and again.
        let chance = RandomState::new().build_hasher().finish() % 100;
        let pause = doubled.min(MAX_PAUSE) * (50 + u32::try_from(chance / 2).unwrap_or(50)) / 100;
        Ok(self.to.client.pause(pause, self.to.deadline)?)
    }

    fn refused<E: std::error::Error>(&self, reason: String) -> Error<E> {
        let url = &self.to.remote.url;
        let server = match url.host() {
            "" => "the repository".to_owned(),
            host => format!("{host}:{}", url.port()),
        };
        self.explain(GitError::Refused { server, reason })
    }

    /// What a server says may hold what we showed to it.
    fn explain<E: std::error::Error>(&self, error: GitError) -> Error<E> {
        Error::Git(match error {
            GitError::Refused { server, reason } => GitError::Refused {
                server,
                reason: self.to.remote.credentials.redact(&reason),
            },
            error => error,
        })
    }
}

/// Whether a server says that a branch must not leave its commits behind.
fn is_no_reset(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("non-fast-forward")
}

/// Whether trying again within this deadline is of no use.
fn is_final(error: &GitError) -> bool {
    match error {
        GitError::Connect { .. } | GitError::Protocol { .. } => false,
        GitError::Status { status, .. } => *status < 500 && *status != 429,
        _ => true,
    }
}
