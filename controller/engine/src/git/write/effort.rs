//! The tries to push: until the remote has the commit, someone was faster, or there is no use.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use flux_core::git::{ObjectId, Resolved};

use super::{
    Destination, Error, Pushed,
    branch::{self, Base},
    change::Change,
    merged,
};
use crate::git::{
    commit::Commit,
    error::Error as GitError,
    push::{Answer, Update},
};

/// The first pause after a rejection; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(25);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// So often the branch is looked at after a push broke off.
const MAX_LOOKS: u32 = 5;
/// So many pushes may break off.
const MAX_BROKEN: u32 = 6;
/// So often a push may be rejected while nobody moves the branch; then something else is wrong.
const MAX_UNMOVED: u32 = 5;

/// The tries so far.
pub(super) struct Effort<'a> {
    to: Destination<'a>,
    attempts: u32,
    /// How many of them broke off.
    broken: u32,
    bytes_sent: u64,
    /// What was sent last, if it may be on the branch without our knowing.
    pending: Option<(Change, Doubt)>,
    /// Where the branch was at the last rejection, and how often it was there.
    unmoved: (Option<ObjectId>, u32),
}

/// How likely it is that what was sent has arrived after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It was rejected. Only something between us and the server that sends twice could have done that.
    Slight,
    /// The connection broke off.
    Strong,
}

impl<'a> Effort<'a> {
    pub(super) fn new(to: Destination<'a>) -> Self {
        Self {
            to,
            attempts: 0,
            broken: 0,
            bytes_sent: 0,
            pending: None,
            unmoved: (None, 0),
        }
    }

    /// Pushes until it is clear what came of it; `None` means that someone else was faster.
    pub(super) fn push<E: std::error::Error>(
        &mut self,
        base: &Base,
        change: Change,
    ) -> Result<Option<Pushed>, Error<E>> {
        loop {
            self.attempts += 1;
            let failure = match self.try_once(base, &change) {
                Ok(Answer::Accepted) => return self.keep(base, &change).map(Some),
                Ok(Answer::Refused(reason)) => return Err(self.refused(reason)),
                Ok(Answer::Rejected(reason)) => {
                    self.take_rejection(base, reason)?;
                    self.pending = Some((change, Doubt::Slight));
                    return Ok(None);
                }
                Ok(Answer::Silent) => GitError::Protocol {
                    doing: "pushing",
                    message: "the server does not say what came of it".to_owned(),
                },
                Err(failure) if is_final(&failure) => return Err(self.explain(failure)),
                Err(failure) => failure,
            };
            tracing::debug!(error = %failure, attempt = self.attempts, "push broke off");
            self.broken += 1;
            self.pause()?;
            // Before anything is sent again: it may have arrived.
            let head = self.look_again(base)?;
            if head == Some(change.commit_id) {
                return self.keep(base, &change).map(Some);
            }
            if head != base.old {
                self.pending = Some((change, Doubt::Strong));
                return Ok(None);
            }
            if self.broken >= MAX_BROKEN {
                return Err(self.explain(failure));
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

    /// Asks where the branch is after something broke: that, too, may break.
    fn look_again(&self, base: &Base) -> Result<Option<ObjectId>, GitError> {
        let mut pause = PAUSE;
        for _ in 1..MAX_LOOKS {
            match branch::head(&self.to, base) {
                Err(error) if !is_final(&error) => {}
                seen => return seen,
            }
            self.to.client.pause(pause, self.to.deadline)?;
            pause = pause.saturating_mul(3);
        }
        branch::head(&self.to, base)
    }

    /// Returns what we had sent, if the branch turns out to have it; others may have gone on from there.
    pub(super) fn find_pending<E: std::error::Error>(
        &mut self,
        base: &Base,
    ) -> Result<Option<Pushed>, Error<E>> {
        let (Some((change, doubt)), Some(head)) = (self.pending.take(), base.old) else {
            return Ok(None);
        };
        let is_there = head == change.commit_id
            || doubt == Doubt::Strong && self.is_below(head, change.commit_id)?;
        if is_there {
            return self.keep(base, &change).map(Some);
        }
        Ok(None)
    }

    fn is_below(&self, head: ObjectId, commit_id: ObjectId) -> Result<bool, GitError> {
        let mut session = self.to.client.connect(self.to.remote, self.to.deadline)?;
        merged::leads_back(&self.to, &mut session, head, commit_id)
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

    /// Waits a little, so that the next try may succeed; or gives up, if it cannot.
    fn take_rejection<E: std::error::Error>(
        &mut self,
        base: &Base,
        reason: String,
    ) -> Result<(), Error<E>> {
        if !base.follows && reason.to_ascii_lowercase().contains("non-fast-forward") {
            let what = "the branch was merged but cannot start afresh, delete it";
            return Err(self.refused(format!("{what}: {reason}")));
        }
        // A server that rejects what nobody moved will go on doing so.
        let count = match self.unmoved {
            (old, count) if old == base.old => count + 1,
            _ => 1,
        };
        self.unmoved = (base.old, count);
        if count > MAX_UNMOVED {
            return Err(self.refused(reason));
        }
        self.pause()
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

/// Whether trying again within this deadline is of no use.
fn is_final(error: &GitError) -> bool {
    match error {
        GitError::Connect { .. } | GitError::Protocol { .. } => false,
        GitError::Status { status, .. } => *status < 500 && *status != 429,
        _ => true,
    }
}
