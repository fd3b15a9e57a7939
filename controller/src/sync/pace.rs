//! Waiting in the middle of a transaction, between waves and for hooks.

use std::time::{Duration, Instant};

use flux_core::conclude::{Finding, Outcome};
use flux_core::health::Rules;
use flux_crds::Reason;

use super::halt::Halt;
use super::health::{Targets, Verdict, Wait};
use super::memory::Memory;
use super::wakeups::{Situation, Wakeups};
use crate::turns::{Turn, Work};

/// Time that a wait gets in any case: to see that all is healthy already when the applies took long.
const GLANCE: Duration = Duration::from_secs(2);

/// Where to work, and the turns for it.
#[derive(Clone, Copy)]
pub(crate) struct Workplace<'a> {
    /// The turns.
    pub(crate) work: &'a Work,
    /// The cluster, if it is another than ours.
    pub(crate) cluster: Option<&'a str>,
}

impl<'a> Workplace<'a> {
    async fn turn(self) -> Turn<'a> {
        self.work.turn(self.cluster).await
    }
}

/// What a wait needs to know, and the turn to work that it gives up meanwhile.
pub(crate) struct Pace<'a> {
    wakeups: &'a mut Wakeups,
    seen: &'a Situation,
    rules: &'a Rules,
    work: Workplace<'a>,
    turn: Option<Turn<'a>>,
    budget: Budget,
}

impl<'a> Pace<'a> {
    /// Takes a turn to work. From then on, `limit` is the time for everything.
    pub(crate) async fn begin(
        (wakeups, seen): (&'a mut Wakeups, &'a Situation),
        (rules, limit): (&'a Rules, Duration),
        work: Workplace<'a>,
    ) -> Self {
        let turn = Some(work.turn().await);
        Self {
            wakeups,
            seen,
            rules,
            work,
            turn,
            budget: Budget::begin(limit, Instant::now()),
        }
    }

    /// Gives up the turn.
    pub(crate) fn rest(&mut self) {
        self.turn = None;
    }

    /// Waits for health, and has a turn again afterwards if it had one before.
    pub(crate) async fn wait(
        &mut self,
        wait: &Wait<'_>,
        memory: &mut Memory,
        targets: Targets,
    ) -> Result<Verdict, Halt> {
        let had_turn = self.turn.take().is_some();
        let limits = self.budget.next_wait(Instant::now());
        let news = (&mut *self.wakeups, self.seen);
        let verdict = wait.run(memory, targets, news, limits).await;
        if had_turn {
            let asked = Instant::now();
            self.turn = Some(self.work.turn().await);
            self.budget.excuse(asked.elapsed());
        }
        verdict
    }

    /// Returns when objects are healthy.
    pub(crate) fn rules(&self) -> &'a Rules {
        self.rules
    }
}

/// How long one wait may take, and how long that makes all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The time that is left.
    pub(crate) left: Duration,
    /// The time that everything gets, as the spec has it.
    pub(crate) whole: Duration,
}

/// The time for one revision: for its applies, its hooks and all its waits together.
#[derive(Clone, Copy, Debug)]
struct Budget {
    whole: Duration,
    begun: Instant,
    /// Time in which nothing could be done because it was not our turn.
    excused: Duration,
}

impl Budget {
    fn begin(whole: Duration, now: Instant) -> Self {
        Self {
            whole,
            begun: now,
            excused: Duration::ZERO,
        }
    }

    fn excuse(&mut self, time: Duration) {
        self.excused += time;
    }

    fn next_wait(&self, now: Instant) -> Limits {
        let used = now.saturating_duration_since(self.begun);
        let used = used.saturating_sub(self.excused);
        let least = GLANCE.min(self.whole);
        Limits {
            left: self.whole.saturating_sub(used).max(least),
            whole: self.whole,
        }
    }
}

/// Ends a reconcile whose wait was over for something newer.
pub(crate) fn superseded() -> Halt {
    let message = "the wait for health ended because something newer came";
    let finding = Finding::new(Reason::HealthCheckCancelled, message);
    Halt::new(Outcome::Progressing(finding))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn all_waits_of_a_revision_share_one_timeout() {
        let begun = Instant::now();
        let mut budget = Budget::begin(5 * MINUTE, begun);
        let left = |budget: &Budget, after| budget.next_wait(begun + after).left;
        assert_eq!(left(&budget, Duration::ZERO), 5 * MINUTE);
        assert_eq!(
            left(&budget, 3 * MINUTE),
            2 * MINUTE,
            "the first wait took 3"
        );
        budget.excuse(MINUTE);
        assert_eq!(left(&budget, 3 * MINUTE), 3 * MINUTE, "queueing is free");
        assert_eq!(left(&budget, 9 * MINUTE), GLANCE, "one look at the end");
        assert_eq!(budget.next_wait(begun + MINUTE).whole, 5 * MINUTE);
    }

    #[test]
    fn a_look_at_the_end_is_no_longer_than_the_timeout() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let budget = Budget::begin(second, begun);
        assert_eq!(budget.next_wait(begun + MINUTE).left, second);
    }
}
