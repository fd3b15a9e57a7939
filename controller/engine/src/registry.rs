//! Image registries: the one place that talks to them.
//!
//! ```text
//!  Name + Access ─► Client ─tags────► Tags       page by page, one scan for all who ask at the same time
//!                          ─digest──► sha256:…   one HEAD
//!                          ─inspect─► Metadata   manifest ─► (index ─► platform) ─► configuration; kept by digest
//!
//!  each request: place in the host's queue ─► known way to be let in (ask once) ─► token ─► send ─► redirects ─► status
//! ```
//!
//! A registry is a stranger: answers have limits in bytes, pages and time, credentials go to the registry and its
//! token server only, and a registry that asks for patience (429) is not asked again before that time.

mod access;
mod address;
mod answer;
mod challenge;
mod client;
mod clients;
mod docker_config;
mod error;
mod exchange;
mod headers;
mod link;
mod metadata;
mod pace;
mod shelf;
mod tags;
mod token;

pub use access::{Access, Login};
pub use client::{Client, Options};
pub use docker_config::Error as DockerConfigError;
pub use error::{Class, Error};
pub(crate) use headers::retry_after;
pub use metadata::Metadata;
pub use tags::Tags;
