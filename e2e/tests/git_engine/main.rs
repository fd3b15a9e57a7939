//! The engine's git against the real git: every way in, good and bad.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod relay;
mod setting;
mod submodules;
mod transfer;
mod verify;
mod way;
