//! Drift of one Sync: the lookout for it, and the repair of single objects.
//!
//! ```text
//!  watches ─► sightings ─50 ms─► look (GET of metadata) ─► examine ─► fight ─► repair (apply of that object) ─► record
//! ```
//!
//! All of it runs in the Sync's own task, so that no repair meets a reconcile. A sighting is only a reason to look: what
//! was seen while we ourselves were writing is explained by the answer of the apply. Whole groups of objects, and whatever
//! a single apply cannot cure, are left to a reconcile.

mod cache;
mod calls;
mod conclude;
mod look;
mod lookout;
mod mend;
mod tell;
mod yielded;

pub(crate) use conclude::{conclude, is_listed};
pub(crate) use lookout::{Lookout, mode};
pub(crate) use mend::{Next, attend};
pub(crate) use tell::{Deed, tell, tell_repaired};
pub(crate) use yielded::leave;
