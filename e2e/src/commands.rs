//! What `flux-e2e` can be told to do.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod fuzz;
pub(crate) mod ssh;
pub(crate) mod up;
