//! How far the objects are that are waited for.

use flux_core::health::{Health, Status};
use flux_core::object::ObjectId;

use super::{NOT_SEEN, States};

/// The states, and how many there are of each sort: who counted all at each event would, with thousands of objects, do
/// little else.
pub(super) struct Progress<'a> {
    states: &'a mut States,
    pending: usize,
    failed: usize,
}

impl<'a> Progress<'a> {
    /// Begins with what is known already.
    pub(super) fn begin(states: &'a mut States) -> Self {
        let (mut pending, mut failed) = (0, 0);
        for health in states.values() {
            pending += usize::from(!health.is_current());
            failed += usize::from(health.status == Status::Failed);
        }
        Self {
            states,
            pending,
            failed,
        }
    }

    /// Adds an object that nobody has seen.
    pub(super) fn expect(&mut self, id: ObjectId) {
        let unseen = Health {
            status: Status::InProgress,
            message: NOT_SEEN.to_owned(),
        };
        self.count(sort(&unseen), 1);
        if let Some(old) = self.states.insert(id, unseen) {
            self.count(sort(&old), -1);
        }
    }

    /// Notes the state of an object; nothing for one that is not waited for.
    pub(super) fn note(&mut self, id: &ObjectId, health: Health) {
        let Some(known) = self.states.get_mut(id) else {
            return;
        };
        let new = sort(&health);
        let old = std::mem::replace(known, health);
        self.count(new, 1);
        self.count(sort(&old), -1);
    }

    /// Returns the states so far.
    pub(super) fn states(&self) -> &States {
        self.states
    }

    /// Tells whether nothing more is to be waited for: all are current, or one has failed.
    pub(super) fn is_settled(&self) -> bool {
        self.failed > 0 || self.pending == 0
    }

    fn count(&mut self, sort: Sort, by: isize) {
        if sort.is_pending {
            self.pending = self.pending.saturating_add_signed(by);
        }
        if sort.has_failed {
            self.failed = self.failed.saturating_add_signed(by);
        }
    }
}

/// What counts of a state.
#[derive(Clone, Copy)]
struct Sort {
    is_pending: bool,
    has_failed: bool,
}

fn sort(health: &Health) -> Sort {
    Sort {
        is_pending: !health.is_current(),
        has_failed: health.status == Status::Failed,
    }
}
