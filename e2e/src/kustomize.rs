//! Our kustomize build beside the real one: the same trees through both, and what differs.
//!
//! ```text
//!  seed ──► generate ──► Tree ──┬─► Real (kustomize, one long-lived process) ──┐
//!                 mutate ─┘     └─► ours (flux-kustomize, in this process) ────┴─► Difference? ──► shrink ──► directory
//! ```
//!
//! Everything follows from the seed. What differs on purpose is described in [`intended`], which looks at the tree or
//! the results and never at a name of a case.

mod chance;
mod compare;
mod generate;
mod hunt;
mod intended;
mod mutate;
mod ours;
mod real;
mod recorded;
mod shrink;
mod text;
mod tree;

pub use compare::{Difference, Outcome, Sort, compare};
pub use hunt::{Finding, Hunt, Tally};
pub use intended::intended;
pub use ours::ours;
pub use real::Real;
pub use recorded::{Recorded, record};
pub use tree::{Order, Tree};

/// Builds the real kustomize if it is missing, and returns its executable.
pub fn executable() -> anyhow::Result<std::path::PathBuf> {
    crate::binaries::kustomize()
}
