//! `ImagePolicy`: watches the tags of an image, chooses one, and has it written to git.
//!
//! ```text
//!  gather (IO) ─► scan (IO) ─► decide (pure) ─► want (updates) ─► conclude (pure) ─► record (IO)
//!                                                  │                  ▲
//!                                                  ▼                  │
//!                                       git_repository writes ─► answers
//! ```

mod actor;
mod gather;
mod look;
mod memory;
mod reconcile;
mod record;

pub(crate) use actor::run;
