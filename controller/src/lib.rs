//! The controller: keeps clusters equal to git.
//!
//! ```text
//!  args ─► start ─► registry (a watch a kind) ─► a task an object ─► git_repository │ sync
//!                                                                       │            │
//!                                                                    sources ──────► │
//!                                              status, events ◄──────────────────────┘
//! ```
//!
//! Effects on git servers and clusters are in `flux-engine`, decisions in `flux-core`. Here is the wiring: what wakes an
//! object, in which order its steps run, and what is written about it.

pub mod args;
mod claims;
mod context;
mod git_repository;
mod hash_key;
mod image_policy;
mod key;
mod leader;
mod metrics;
mod notify;
mod references;
mod registry;
mod remotes;
mod report;
mod secrets;
mod serve;
mod sources;
pub mod start;
mod status;
mod sync;
mod turns;
mod updates;
mod watches;
mod webhook;
