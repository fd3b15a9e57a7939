//! How long network and disk work may take, and how to stop it from another thread.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// A point in time at which work stops, and a switch that stops it earlier.
///
/// Clones share the switch: keep one, hand the other to a blocking call, and [`Deadline::cancel`]
/// interrupts that call even while it waits for a silent server.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    cancelled: AtomicBool,
    wake: Notify,
}

/// Why work stopped before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    TimedOut,
    Cancelled,
}

impl Deadline {
    /// Sets a deadline that far from now.
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        // A day stands for "never": adding a huge duration could overflow.
        let at = now
            .checked_add(time)
            .unwrap_or(now + Duration::from_hours(24));
        Self {
            at,
            shared: Arc::default(),
        }
    }

    /// Stops the work now; it returns an error that says that it was cancelled.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Release);
        self.shared.over.store(true, Ordering::Release);
        self.shared.wake.notify_waiters();
    }

    /// Returns the flag that long computations look at.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.shared.over
    }

    /// Returns why the work has to stop now, if it has to.
    pub(crate) fn interruption(&self) -> Option<Interruption> {
        if self.shared.cancelled.load(Ordering::Acquire) {
            return Some(Interruption::Cancelled);
        }
        (Instant::now() >= self.at).then_some(Interruption::TimedOut)
    }

    /// Waits for a future, but no longer than allowed.
    pub(crate) async fn limit<F: Future>(&self, future: F) -> Result<F::Output, Interruption> {
        let cancelled = self.shared.wake.notified();
        if let Some(interruption) = self.interruption() {
            return Err(interruption);
        }
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = cancelled => Err(Interruption::Cancelled),
            () = tokio::time::sleep_until(self.at.into()) => Err(Interruption::TimedOut),
        }
    }

    /// Raises the flag of [`Self::flag`] when the time is over; runs until then.
    pub(crate) async fn watch(self) {
        tokio::time::sleep_until(self.at.into()).await;
        self.shared.over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancelling_ends_a_wait_that_would_never_end() {
        let deadline = Deadline::after(Duration::from_hours(1));
        let other = deadline.clone();
        let cancel = tokio::spawn(async move { other.cancel() });
        let outcome = deadline.limit(std::future::pending::<()>()).await;
        assert_eq!(outcome, Err(Interruption::Cancelled));
        cancel.await.unwrap();
        assert_eq!(deadline.limit(async {}).await, Err(Interruption::Cancelled));
    }

    #[tokio::test]
    async fn a_deadline_ends_a_wait_that_would_never_end() {
        let deadline = Deadline::after(Duration::from_millis(5));
        let outcome = deadline.limit(std::future::pending::<()>()).await;
        assert_eq!(outcome, Err(Interruption::TimedOut));
    }
}
