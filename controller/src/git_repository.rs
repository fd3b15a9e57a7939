//! `GitRepository`: follows one reference of a git repository and serves its revision to Syncs.
//!
//! ```text
//!  gather (IO) ─► look, fetch (IO, a thread of its own) ─► serve ─► conclude (pure) ─► record (IO)
//! ```
//!
//! Whatever fails, the last good revision stays served.

mod actor;
mod fetch;
mod gather;
mod memory;
mod reconcile;
mod write;

pub(crate) use actor::run;
pub(crate) use write::fail;
