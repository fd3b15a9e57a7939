//! What people and other systems are told, and how each of them wants to hear it.
//!
//! ```text
//! outcome, what was told ─► decide ─► Notice ─► wants ─► render ─► Request ─► (sent by the controller) ─► judge
//! ```
//!
//! *Guarantees*: the same revision fails once for the same reason, and its end is told once ([`decide`]). A text of others, such
//! as the subject of a commit, can neither format a message nor call anybody in it. No secret of a receiver appears in a
//! message, and none can be printed with a [`Request`].

mod alertmanager;
mod body;
mod chat;
mod commit_status;
mod decide;
mod examine;
mod flux_v1;
mod judge;
mod matrix;
mod request;
mod template;
mod text;
mod webhook;

#[cfg(test)]
mod tests;

use flux_crds::Reason;
use flux_crds::sync::Failure;
use jiff::Timestamp;

use crate::change::Change;
use crate::edit;
use crate::git::{RepositoryUrl, Revision};

pub use decide::{Seen, begin, decide};
pub use examine::{Invalid, examine};
pub use judge::{Verdict, judge};
pub use request::{Error, Method, Request, Sink, render, wants};
pub use template::check;

/// Changed objects that a notice names; of more it knows the number.
pub const MAX_CHANGES: usize = 100;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A revision begins to be applied. Only the status of its commit shows it.
    Progressing,
    /// A revision was applied.
    Applied,
    /// A reconcile failed.
    Failed,
    /// The last good revision was restored.
    RolledBack,
    /// All is well again after a failure that was told.
    Recovered,
    /// The cluster was changed by others.
    Drift,
    /// A newer image was committed.
    ImageUpdate,
}

impl Kind {
    /// Returns the word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Progressing => "Progressing",
            Self::Applied => "Applied",
            Self::Failed => "Failed",
            Self::RolledBack => "RolledBack",
            Self::Recovered => "Recovered",
            Self::Drift => "Drift",
            Self::ImageUpdate => "ImageUpdate",
        }
    }

    /// Returns how much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::Failed | Self::RolledBack => Severity::Error,
            Self::Drift => Severity::Warning,
            Self::Progressing | Self::Applied | Self::Recovered | Self::ImageUpdate => {
                Severity::Info
            }
        }
    }
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Someone may want to look.
    Warning,
    /// Someone has to look.
    Error,
}

impl Severity {
    /// Returns the word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The object that a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// `Sync`, `GitRepository` or `ImagePolicy`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, which no other object has, in this cluster or another.
    pub uid: String,
}

/// The commit of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Who wrote it: `Ada <ada@example.com>`.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
    pub kind: Kind,
    /// To what.
    pub object: Subject,
    /// The name of the cluster; empty if the operator gave it none.
    pub cluster: String,
    /// The revision that it is about, such as `main@sha1:…`.
    pub revision: Option<String>,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, in words.
    pub message: String,
    /// When.
    pub time: Timestamp,
    /// Which objects were changed, at most [`MAX_CHANGES`].
    pub changes: Vec<Change>,
    /// How many objects were changed.
    pub changed: usize,
    /// Which images were committed.
    pub images: Vec<edit::Change>,
    /// What failed, object by object.
    pub failures: Vec<Failure>,
    /// The commit of the revision, if it is known.
    pub commit: Option<Commit>,
    /// The repository of the revision.
    pub repository: Option<RepositoryUrl>,
    /// Whether nothing was ever told of the object before.
    pub is_first: bool,
}

impl Notice {
    /// Returns the id of the commit.
    pub fn commit_id(&self) -> Option<String> {
        let revision: Revision = self.revision.as_deref()?.parse().ok()?;
        Some(revision.commit_id.to_string())
    }

    /// Returns a text that is the same for the same news, however often it is sent.
    pub fn key(&self) -> String {
        use sha2::Digest as _;
        let Self {
            kind,
            object,
            revision,
            reason,
            message,
            time,
            ..
        } = self;
        let text = format!("{kind:?} {object:?} {revision:?} {reason} {message} {time}");
        format!("{:x}", sha2::Sha256::digest(text))
    }
}
