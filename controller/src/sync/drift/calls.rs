//! The reconciles that drift asks for.

use std::time::Instant;

use flux_core::drift::Fight;

/// The reconciles that drift asks for: the first comes at once, and one after the other ever later.
#[derive(Default)]
pub(super) struct Calls {
    /// Whether something was seen that only a look at everything settles.
    pub(super) is_unsure: bool,
    in_a_row: Option<Fight>,
    at: Option<Instant>,
}

impl Calls {
    /// Asks for a reconcile.
    pub(super) fn call(&mut self, now: Instant) {
        self.is_unsure = true;
        if self.at.is_none() {
            let call = Fight::after(self.in_a_row, now);
            self.in_a_row = Some(call);
            self.at = Some(call.due());
        }
    }

    /// Returns when the next one is to begin.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Tells whether its time has come. It is told once.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }

    /// Notes that everything was looked at.
    pub(super) fn has_surveyed(&mut self) {
        self.is_unsure = false;
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_reconcile_comes_at_once_and_the_next_ever_later() {
        let mut calls = Calls::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..4 {
            calls.call(now);
            let at = calls.at().unwrap();
            waits.push(at.duration_since(now).as_secs());
            assert!(calls.take(at) && !calls.take(at), "it is told once");
            calls.has_surveyed();
            now = at + Duration::from_millis(100);
        }
        assert_eq!(waits, [0, 2, 6, 18]);
    }

    #[test]
    fn what_nobody_has_looked_at_stays_unsure_however_often_it_was_tried() {
        let mut calls = Calls::default();
        let now = Instant::now();
        calls.call(now);
        assert!(calls.take(now) && calls.is_unsure);
        calls.has_surveyed();
        assert!(!calls.is_unsure);
    }
}
