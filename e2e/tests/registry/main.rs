//! The engine's client against the real registry: every way in, every page, and every kind of trouble.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod metadata;
mod notify;
mod pages;
mod setting;
mod trouble;
