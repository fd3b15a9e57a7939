//! The webhook server: git servers and registries call it when something was pushed.
//!
//! ```text
//!  call ─► path known? ─► not too many? ─► read the body, bounded ─► verify, read (core) ─► wake the object's task
//! ```
//!
//! A call wakes tasks of this process and does nothing else. Paths cannot be guessed, and for a path that nobody has the
//! answer is always the same, so that strangers learn nothing of what there is.

mod bucket;
mod hooks;
mod serve;

pub(crate) use hooks::{Hooks, Object, hang};
pub(crate) use serve::serve;
