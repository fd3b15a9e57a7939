//! Why nothing was written.

use crate::git::{self, Class};

/// Failure to commit and push; `E` is the failure of the edit itself.
#[derive(Debug, thiserror::Error)]
pub enum Error<E: std::error::Error> {
    /// Work on the repository failed, or the remote refuses the push ([`git::Error::Refused`]).
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The files could not be edited.
    #[error(transparent)]
    Edit(E),
    /// There is no branch to push to.
    #[error("the repository follows {0}, not a branch: set spec.write.branch")]
    NoBranch(&'static str),
    /// A file that must not be written.
    #[error("{path:?} cannot be written: {why}")]
    Path {
        /// The path in the repository.
        path: String,
        /// What is in the way.
        why: &'static str,
    },
    /// The commit cannot be made as asked.
    #[error("the commit cannot be made: {0}")]
    Draft(&'static str),
}

impl<E: std::error::Error> Error<E> {
    /// Returns whether trying again may help; what the edit says about that is up to `of_edit`.
    pub fn class(&self, of_edit: impl FnOnce(&E) -> Class) -> Class {
        match self {
            Self::Git(error) => error.class(),
            Self::Edit(error) => of_edit(error),
            Self::NoBranch(_) | Self::Path { .. } | Self::Draft(_) => Class::Permanent,
        }
    }
}
