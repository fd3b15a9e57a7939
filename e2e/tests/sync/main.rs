//! What a Sync does to a cluster: the real controller, API server, workloads and git server.
//!
//! All tests share one control plane and one controller; each has a namespace, a repository and an account of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
mod calm;
mod clusters;
mod drift;
mod elsewhere;
mod end;
mod faults;
mod guard;
mod hands;
mod health;
mod hooks;
mod leader;
mod notify;
mod plugin;
mod refusal;
mod resilience;
mod restart;
mod rollback;
mod secrets;
mod stage;
mod tenancy;
mod waves;
