//! The target cluster: who acts, which kinds it serves, what lives, and every write to it.
//!
//! ```text
//!  Connection ──acting_as──► Cluster ──resolve──► Resource
//!                               │
//!                               ├── live::list / live::get      metadata only
//!                               ├── apply::dry_run / apply / delete
//!                               ├── follow                       metadata only, for drift
//!                               └── wait::until_healthy          watches, no polling
//! ```
//!
//! One [`Connection`] holds the HTTP connections and what discovery found; a [`Cluster`] is that connection seen through
//! the rights of one actor. The cluster is our own, or one that a kubeconfig names ([`remote`]). Writes to target objects stand in [`apply`] and nowhere else.

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BufferUnordered};

pub mod apply;
mod connection;
mod error;
pub mod follow;
pub mod hook;
mod kinds;
pub mod live;
pub mod prune;
pub mod remote;
pub mod repair;
mod request;
mod scopes;
pub mod survey;
mod take_over;
pub mod term;
pub mod transaction;
pub mod wait;

pub use connection::{Actor, Cluster, Connection};
pub use error::{Class, Error, Rejection};
pub use kinds::{Kinds, Resource};
pub use scopes::scopes;

/// Runs futures, at most `limit` of them at a time, and yields their results as they come.
///
/// They come boxed and collected: a stream that maps borrowed items to futures is not `Send` in the eyes of the compiler
/// (rust-lang/rust#102211).
fn at_once<'a, T: 'a>(
    futures: impl Iterator<Item = BoxFuture<'a, T>>,
    limit: usize,
) -> BufferUnordered<stream::Iter<std::vec::IntoIter<BoxFuture<'a, T>>>> {
    stream::iter(futures.collect::<Vec<_>>()).buffer_unordered(limit)
}
