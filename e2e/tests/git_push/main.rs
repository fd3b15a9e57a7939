//! The engine's writing to git against the real git: over every way, in a race, and when things break.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod branches;
mod breaks;
mod commits;
mod large;
mod race;
mod refusal;
mod setting;
mod signed;
