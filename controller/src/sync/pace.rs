//! Waiting in the middle of a transaction, between waves and for hooks.

use flux_core::conclude::{Finding, Outcome};
use flux_core::health::Rules;
use flux_crds::Reason;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::halt::Halt;
use super::health::{Targets, Verdict, Wait};
use super::memory::Memory;
use super::wakeups::{Situation, Wakeups};

/// What a wait needs to know, and the turn to work that it gives up meanwhile.
pub(crate) struct Pace<'a> {
    wakeups: &'a mut Wakeups,
    seen: &'a Situation,
    rules: &'a Rules,
    turns: &'a Semaphore,
    turn: Option<SemaphorePermit<'a>>,
}

impl<'a> Pace<'a> {
    /// Takes a turn to work.
    pub(crate) async fn begin(
        (wakeups, seen): (&'a mut Wakeups, &'a Situation),
        rules: &'a Rules,
        turns: &'a Semaphore,
    ) -> Self {
        Self {
            wakeups,
            seen,
            rules,
            turns,
            turn: turns.acquire().await.ok(),
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
        let verdict = wait.run(memory, targets, self.wakeups, self.seen).await;
        if had_turn {
            self.turn = self.turns.acquire().await.ok();
        }
        verdict
    }

    /// Returns when objects are healthy.
    pub(crate) fn rules(&self) -> &'a Rules {
        self.rules
    }
}

/// Ends a reconcile whose wait was over for something newer.
pub(crate) fn superseded() -> Halt {
    let message = "the wait for health ended because something newer came";
    let finding = Finding::new(Reason::HealthCheckCancelled, message);
    Halt::new(Outcome::Progressing(finding))
}
