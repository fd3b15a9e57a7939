//! Why an object could not be applied.

use flux_core::managed_fields;
use flux_core::object::{Desired, ObjectId, Origin};

use super::Error;

/// An object that the API server refused, or that could not be applied.
#[derive(Debug)]
pub struct Failure {
    /// The object.
    pub id: ObjectId,
    /// Where in the repository it comes from.
    pub origin: Origin,
    /// Why.
    pub error: ItemError,
}

/// Why one object could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// The API server refused it or could not be asked.
    #[error(transparent)]
    Cluster(#[from] Error),
    /// It is on its way out, so that an apply would be lost with it.
    #[error("the live object is being deleted; it is applied again when it is gone")]
    Terminating,
    /// Its name or namespace is none that the API server could have.
    #[error("{name:?} is not a valid name for an object")]
    Name {
        /// The name or namespace in question.
        name: String,
    },
    /// The live object's own record of who owns which field cannot be read.
    #[error("failed to take over the fields of earlier appliers")]
    ManagedFields(#[source] managed_fields::Error),
    /// An immutable field was to be changed, and nothing allows to delete the object for it.
    #[error(
        "{0}; annotate the object with flux.rs/force: enabled, or set spec.force, to have it deleted and created again"
    )]
    Immutable(Error),
}

impl ItemError {
    /// Tells whether the actor lacks the right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_forbidden())
    }

    /// Tells whether the API server could not be asked.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Cluster(Error::Unreachable(_)))
    }
}

impl Failure {
    pub(super) fn of(desired: &Desired, error: ItemError) -> Self {
        Self {
            id: desired.id.clone(),
            origin: desired.origin.clone(),
            error,
        }
    }
}
