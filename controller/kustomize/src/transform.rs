//! The steps that change resources, each in its own file.

pub(crate) mod affix;
pub(crate) mod hash;
pub(crate) mod image;
pub(crate) mod metadata;
pub(crate) mod namespace;
pub(crate) mod order;
pub(crate) mod references;
pub(crate) mod replacement;
pub(crate) mod replicas;
pub(crate) mod variables;
