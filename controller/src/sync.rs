//! `Sync`: keeps a cluster equal to a path of a repository.
//!
//! ```text
//!  gather (IO) ─► build (pure) ─► plan (pure) ─► transact (IO) ─► wait (IO) ─► conclude (pure) ─► record (IO)
//! ```
//!
//! Each Sync has a task of its own ([`actor::run`]) that sleeps until one of its [`wakeups`] says that something moved.

mod actor;
mod build;
mod course;
mod dependency;
mod drift;
mod finalize;
mod gather;
mod halt;
mod health;
mod hooks;
mod inputs;
mod memory;
mod moved;
mod pace;
mod plan;
mod reconcile;
mod record;
mod rollback;
mod target;
mod transact;
mod wakeups;

pub(crate) use actor::run;
pub(crate) use gather::account;
pub(crate) use memory::claimed;
pub(crate) use target::place;
pub(crate) use wakeups::{source_key, token};
