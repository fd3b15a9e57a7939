//! The guard against a revision that deletes too much.

use flux_crds::sync::PruneGuard;

use crate::inventory::Inventory;
use crate::object::{Desired, ObjectId};

/// How much one revision may delete.
///
/// Without a limit anything but everything: a build without any object is far more often a wrong
/// path or a bad merge than a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guard {
    max_percent: Option<u8>,
}

impl Guard {
    /// Reads the guard of a Sync; a percentage out of range counts as its nearest bound.
    pub fn of(spec: Option<&PruneGuard>) -> Self {
        let max_percent = spec.and_then(|guard| guard.max_percent);
        Self {
            max_percent: max_percent
                .map(|percent| u8::try_from(percent.clamp(0, 100)).unwrap_or(0)),
        }
    }

    /// Refuses a revision that deletes more than is allowed.
    pub fn check(self, old: &Inventory, desired: &[Desired]) -> Result<(), Refusal> {
        let deleted = old.difference(desired);
        let is_empty = desired.is_empty();
        let percent = usize::from(self.max_percent.unwrap_or(100));
        let is_too_much = deleted.len() * 100 > old.len() * percent;
        let is_everything = is_empty && self.max_percent != Some(100);
        if deleted.is_empty() || !(is_too_much || is_everything) {
            return Ok(());
        }
        let counts = Counts {
            deleted: deleted.len(),
            total: old.len(),
        };
        Err(match self.max_percent {
            Some(max_percent) if !is_empty => Refusal::TooMany {
                counts,
                max_percent,
                first: first(&deleted),
            },
            _ => Refusal::Everything { counts },
        })
    }
}

/// How many objects of how many would be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    deleted: usize,
    total: usize,
}

/// Why nothing is deleted at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no object in the build.
    #[error(
        "refused to delete all {} objects: the build has no objects; check spec.path and the last \
         commits, or set spec.pruneGuard.maxPercent to 100 to allow it",
        counts.total
    )]
    Everything {
        /// How many it would be.
        counts: Counts,
    },
    /// The part is larger than the limit.
    #[error(
        "refused to delete {} of {} objects ({first}): more than the {max_percent}% of \
         spec.pruneGuard.maxPercent; raise it to allow this revision",
        counts.deleted, counts.total
    )]
    TooMany {
        /// How many it would be.
        counts: Counts,
        /// The limit.
        max_percent: u8,
        /// Some of the objects.
        first: String,
    },
}

fn first(ids: &[ObjectId]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = ids.iter().take(SHOWN).map(ObjectId::to_string).collect();
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
