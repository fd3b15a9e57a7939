//! From a new tag to a commit: the real controller, registry and git server.
//!
//! All tests share one control plane, one controller, one git server and one registry; each has a namespace, repositories
//! and images of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod choose;
mod killed;
mod notify;
mod stage;
mod trouble;
mod webhook;
mod write;
