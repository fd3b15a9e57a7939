//! Drift: what others did to the objects that we applied, seen from metadata alone.
//!
//! ```text
//!  event ─► records: same hash of our Apply entry? ─► sighting ─► examine (live metadata, manifest, rules) ─► drift
//!                    yes: nobody touched our fields                                                          │
//!                                                                                   fight: how soon to repair ┘
//! ```
//!
//! Every write by anyone that changes or removes a field that we applied takes that field out of *our* Apply entry in
//! `metadata.managedFields`. So an entry with the bytes (`fieldsV1`, `time`) that it had right after our apply means that
//! all our values are intact, and no body has to be read.
//!
//! What that stands on was settled by experiment on Kubernetes 1.37.2 and is pinned by `e2e/tests/ownership.rs`: writes of
//! the status, and of fields that are not ours, leave the bytes alone; a changed or removed value of ours changes them; the
//! same bytes come in the answer of an apply, in a LIST, in a watch, and after a restart of the API server, which writes
//! `fieldsV1` from a sorted set; an apply that changes nothing moves neither `time` nor `resourceVersion`.

use crate::live::Metadata;
use crate::managed_fields::{own_entry, thieves};
use crate::object::Desired;

mod fight;
mod ignore;
mod lost;
mod records;
#[cfg(test)]
mod tests;

pub use fight::Fight;
pub use ignore::{Error, Ignore};
pub use lost::Lost;
pub use records::{Records, Sighting, key};

/// Paths that are named of one object; the rest of a long list helps nobody.
const PATHS: usize = 20;

/// What others did to an object that we had applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// It is gone.
    Missing,
    /// Fields of it are no longer ours.
    Fields {
        /// The field managers that took them, as far as anybody has them.
        managers: Vec<String>,
        /// The fields, such as `spec.replicas`.
        paths: Vec<String>,
    },
}

impl Drift {
    /// Returns who did it; none when nobody is to be named, as for what was deleted.
    pub fn managers(&self) -> &[String] {
        match self {
            Self::Missing => &[],
            Self::Fields { managers, .. } => managers,
        }
    }

    /// Returns which fields were changed or removed.
    pub fn paths(&self) -> &[String] {
        match self {
            Self::Missing => &[],
            Self::Fields { paths, .. } => paths,
        }
    }
}

/// What the live metadata says about an object whose hash is another than the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The drift; none when all that was lost is nobody's business.
    pub drift: Option<Drift>,
    /// What was lost and is left to whoever has it.
    pub yielded: Vec<Lost>,
}

/// Says what became of our fields.
///
/// *Caveats*: a value that the API server does not keep as it was sent (an empty mapping, an unknown field) may be named
/// among the paths although nobody took it.
pub fn examine(desired: &Desired, live: &Metadata, ignore: &Ignore) -> Examined {
    let lost = lost::lost(&desired.value, &live.managed_fields);
    let nothing_found = lost.is_empty();
    let (yielded, lost): (Vec<_>, Vec<_>) = lost
        .into_iter()
        .partition(|lost| ignore.covers(desired, lost));
    if lost.is_empty() && !nothing_found {
        return Examined {
            drift: None,
            yielded,
        };
    }
    let mut managers: Vec<String> = lost
        .iter()
        .flat_map(|lost| lost.managers.iter().cloned())
        .collect();
    managers.sort();
    managers.dedup();
    if nothing_found {
        let since = own_entry(&live.managed_fields).and_then(|entry| entry.time.as_deref());
        managers = thieves(&live.managed_fields, since);
    }
    let paths = lost.into_iter().take(PATHS).map(|lost| lost.path).collect();
    Examined {
        drift: Some(Drift::Fields { managers, paths }),
        yielded,
    }
}

/// Returns an object without the fields that are left to whoever has them now.
///
/// *Caveats*: only what we have lost may be left out; a field that is ours and missing from an apply is removed.
#[must_use]
pub fn yielding(mut desired: Desired, yielded: &[Lost]) -> Desired {
    // From the end, so that the places of list items stay right.
    for lost in yielded.iter().rev() {
        lost::remove(&mut desired.value, &lost.place);
    }
    desired
}
