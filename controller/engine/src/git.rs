//! Git repositories: the one place that talks to git servers and reads git objects.
//!
//! ```text
//! Remote ─► Client::connect ─► Session ─resolve─► Resolved ─fetch─► Store ─► GitTree (a FileTree), Commit
//! GitTree ─► Draft ─► write_back ─► one commit on a branch of the remote, and in the Store
//! ```
//!
//! Everything here blocks: call it from a thread that may wait. A [`Deadline`] ends each wait, also
//! one for a server that has fallen silent in the middle of a pack. No other program is started,
//! and no configuration of the machine is read.

mod bases;
mod client;
mod commit;
mod credentials;
mod deadline;
mod error;
mod file;
mod http;
mod id;
mod ignore;
mod line;
mod push;
mod remote;
mod session;
mod signature;
mod ssh;
mod store;
mod submodule;
mod tree;
mod write;

pub use bases::Bases;
pub use client::{Client, Options};
pub use commit::Commit;
pub use credentials::{Credentials, Error as CredentialsError};
pub use deadline::Deadline;
pub(crate) use error::chain;
pub use error::{Class, Error};
pub use remote::{Proxy, Remote};
pub use session::{Fetched, Session};
pub use signature::{Error as SignatureError, Keyring, Signer, Verified, verify};
pub use store::Store;
pub use submodule::Submodules;
pub use tree::GitTree;
pub use write::{Destination, Draft, Error as WriteError, Person, Pushed, write_back};
