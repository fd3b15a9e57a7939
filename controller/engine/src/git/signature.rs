//! Signatures of commits and tags.

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("{what} is not signed")]
    Unsigned {
        /// Which commit or tag.
        what: String,
    },
}
