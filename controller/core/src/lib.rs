//! Every decision of the controller and the plugin, without IO.
//!
//! ```text
//! built objects ─► normalize ─► owner, settings ─► hash ─► plan ─► (apply) ─► health
//!                                                          ▲                     │
//!                               inventory, live metadata ──┘          diff ◄─────┘
//! ```
//!
//! Nothing here is async, reads a clock, a file, the environment or a socket: a decision is a
//! function of its arguments, and is tested by tables in milliseconds.

pub mod cel;
pub mod change;
pub mod choose;
pub mod conclude;
pub mod desire;
pub mod diff;
pub mod drift;
pub mod edit;
pub mod git;
pub mod hash;
pub mod health;
pub mod image;
pub mod inputs;
pub mod inventory;
pub mod kubeconfig;
pub mod live;
pub mod managed_fields;
pub mod message;
pub mod normalize;
pub mod notify;
pub mod object;
pub mod order;
pub mod overlay;
pub mod owner;
pub mod plan;
pub mod printable;
pub mod redact;
mod rendered;
pub mod sequence;
pub mod settings;
pub mod sops;
pub mod substitute;
pub mod webhook;
