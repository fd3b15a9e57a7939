//! Every effect that controller and plugin share.
//!
//! ```text
//!  git remote ──► git: object store ──► FileTree          (the only user of gix)
//!  image registry ──► registry: tags, digests             (the only client of registries)
//!  Desired ──► cluster: dry-run, apply, prune, wait       (the only writer of target objects)
//!  ConfigMaps, Secrets ──► inputs: variables and keys
//!  notify::Request ──► post: an answer, or none
//! ```

pub mod cluster;
pub mod git;
pub mod inputs;
pub mod post;
pub mod registry;
pub mod tls;
