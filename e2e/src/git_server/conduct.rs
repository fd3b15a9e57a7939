//! How well the server behaves.

use std::time::Duration;

use tokio::sync::watch;

/// How the server treats those whom it lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conduct {
    /// As a server should.
    #[default]
    Good,
    /// Waits this long before each answer.
    Slow(Duration),
    /// Sends this many bytes a second.
    Throttled(u32),
    /// Answers with this HTTP status; over SSH with exit code 1.
    Failing(u16),
    /// Does not answer as long as this lasts.
    Hanging,
    /// Breaks the connection after this many bytes of an answer.
    Cutting(u64),
}

/// Waits as the conduct demands before an answer begins, and returns the conduct for the answer itself.
pub(super) async fn before_answer(mut conduct: watch::Receiver<Conduct>) -> Conduct {
    loop {
        let current = *conduct.borrow_and_update();
        match current {
            Conduct::Hanging => {
                if conduct.changed().await.is_err() {
                    return current;
                }
            }
            Conduct::Slow(delay) => {
                tokio::time::sleep(delay).await;
                return current;
            }
            Conduct::Good | Conduct::Throttled(_) | Conduct::Failing(_) | Conduct::Cutting(_) => {
                return current;
            }
        }
    }
}

/// Gives out the bytes of one answer as the conduct allows.
#[derive(Debug)]
pub(super) struct Pace {
    conduct: Conduct,
    sent: u64,
}

impl Pace {
    pub(super) fn new(conduct: Conduct) -> Self {
        Self { conduct, sent: 0 }
    }

    /// Waits until `length` more bytes may go, and returns how many of them; fewer means: break off.
    pub(super) async fn admit(&mut self, length: usize) -> usize {
        let length_now = match self.conduct {
            Conduct::Throttled(rate) => {
                tokio::time::sleep(Duration::from_secs(length as u64) / rate.max(1)).await;
                length
            }
            Conduct::Cutting(limit) => {
                length.min(usize::try_from(limit.saturating_sub(self.sent)).unwrap_or(usize::MAX))
            }
            Conduct::Good | Conduct::Slow(_) | Conduct::Failing(_) | Conduct::Hanging => length,
        };
        self.sent += length_now as u64;
        length_now
    }
}
