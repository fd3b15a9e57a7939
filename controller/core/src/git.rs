//! What a `GitRepository` means: its address, the ref to follow, the revision found.
//!
//! ```text
//! spec.url ─► RepositoryUrl          spec.ref ─► Reference ─► prefixes ─► (ls-refs) ─► choose ─► Resolved ─► Revision
//! ```

pub mod range;
pub mod reference;
pub mod revision;
pub mod url;
pub mod verify;

pub use range::Range;
pub use reference::{Reference, RemoteRef, Resolved};
pub use revision::{Error as RevisionError, ObjectId, Revision};
pub use url::{RepositoryUrl, Scheme};
pub use verify::{Mode, Target};
