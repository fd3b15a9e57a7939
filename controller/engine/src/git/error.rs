//! What can go wrong with a repository, and whether trying again may help.

use std::path::PathBuf;

use flux_core::git::{reference, url, verify};

use super::{credentials, signature};

/// Failure of work on a git repository.
///
/// No variant holds a password or a key; addresses in texts are free of credentials by their type.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is malformed or dangerous.
    #[error(transparent)]
    Url(#[from] url::Error),
    /// The scheme of the address needs an option of the controller.
    #[error("{scheme} repositories are not allowed here: start with {option} to allow them")]
    SchemeNotAllowed {
        /// The scheme in the address.
        scheme: &'static str,
        /// The option that allows it.
        option: &'static str,
    },
    /// The ref is malformed, missing or matches nothing.
    #[error(transparent)]
    Reference(#[from] reference::Error),
    /// The Secret does not hold what is needed.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The signature policy cannot be met by this ref.
    #[error(transparent)]
    Policy(#[from] verify::Error),
    /// A signature is missing, bad, or by an unknown key.
    #[error(transparent)]
    Signature(#[from] signature::Error),
    /// No connection.
    #[error("connect to {server}: {message}")]
    Connect {
        /// Host and port.
        server: String,
        /// What happened.
        message: String,
    },
    /// The server wants other credentials, or any.
    #[error("{server} refused the credentials: {hint}")]
    Unauthorized {
        /// Host and port.
        server: String,
        /// What to do.
        hint: &'static str,
    },
    /// The server does not let us write, or not this.
    #[error("{server} refuses the push: {reason}")]
    Refused {
        /// Host and port.
        server: String,
        /// What the server says.
        reason: String,
    },
    /// The server has no such repository, or hides it.
    #[error("{url} was not found: check spec.url, and spec.secretRef if the repository is private")]
    NotFound {
        /// The repository.
        url: String,
    },
    /// Any other answer.
    #[error("{server} answered {status}")]
    Status {
        /// Host and port.
        server: String,
        /// The HTTP status.
        status: u16,
    },
    /// A redirect that must not be followed.
    #[error("{server} redirects in a way that is not followed: {why}")]
    Redirect {
        /// Host and port.
        server: String,
        /// Why not.
        why: &'static str,
    },
    /// The host key is not the known one.
    #[error("{0}")]
    HostKey(String),
    /// The time is over.
    #[error("{doing} did not end within the time allowed (spec.timeout)")]
    TimedOut {
        /// What was done.
        doing: &'static str,
    },
    /// The caller cancelled.
    #[error("{doing} was cancelled")]
    Cancelled {
        /// What was done.
        doing: &'static str,
    },
    /// The answer is larger than allowed.
    #[error("the repository sends more than the {limit} bytes allowed")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The server does not speak as expected.
    #[error("{doing}: {message}")]
    Protocol {
        /// What was done.
        doing: &'static str,
        /// What happened.
        message: String,
    },
    /// The object store on disk.
    #[error("{doing} in the object store {}: {message}", path.display())]
    Store {
        /// What was done.
        doing: &'static str,
        /// The directory of the store.
        path: PathBuf,
        /// What happened.
        message: String,
    },
    /// An object is not in the store or cannot be read.
    #[error("git object {id} cannot be read: {message}")]
    Object {
        /// Its id.
        id: String,
        /// What happened.
        message: String,
    },
    /// A submodule cannot be fetched.
    #[error("submodule {path}: {source}")]
    Submodule {
        /// Where it is.
        path: String,
        /// What happened to it.
        source: Box<Self>,
    },
    /// `.gitmodules` is malformed or misses a submodule.
    #[error("{path}: {message}")]
    Modules {
        /// The submodule or `.gitmodules`.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Later it may work without anyone doing anything.
    Transient,
    /// Someone has to change the repository, its Secret or the object first.
    Permanent,
}

impl Error {
    /// Returns whether trying again may help.
    pub fn class(&self) -> Class {
        match self {
            Self::Url(_)
            | Self::SchemeNotAllowed { .. }
            | Self::Credentials(_)
            | Self::Policy(verify::Error::NeedsTag)
            | Self::Reference(reference::Error::Name(_) | reference::Error::NotFull(_)) => {
                Class::Permanent
            }
            Self::Submodule { source, .. } => source.class(),
            // A push, a repaired server or a changed Secret mends the others.
            Self::Reference(_)
            | Self::Policy(_)
            | Self::Signature(_)
            | Self::Connect { .. }
            | Self::Unauthorized { .. }
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Status { .. }
            | Self::Redirect { .. }
            | Self::HostKey(_)
            | Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::TooLarge { .. }
            | Self::Protocol { .. }
            | Self::Store { .. }
            | Self::Object { .. }
            | Self::Modules { .. } => Class::Transient,
        }
    }
}

/// Joins an error and its causes into one line, leaving out repetitions.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !more.is_empty() && !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}
