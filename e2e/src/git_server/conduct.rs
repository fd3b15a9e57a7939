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
    /// Does what a push asks for and breaks the connection instead of answering.
    LosingAnswers,
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
            Conduct::Good
            | Conduct::Throttled(_)
            | Conduct::Failing(_)
            | Conduct::Cutting(_)
            | Conduct::LosingAnswers => return current,
        }
    }
}

/// Gives out the bytes of one answer as the conduct allows.
#[derive(Debug)]
pub(super) struct Pace {
    conduct: Conduct,
    sent: u64,
    /// Whether the bytes that come are the answer to a push.
    is_answer: bool,
}

impl Pace {
    pub(super) fn new(conduct: Conduct) -> Self {
        Self {
            conduct,
            sent: 0,
            is_answer: false,
        }
    }

    /// From now on, the bytes are the answer to a push.
    pub(super) fn begin_answer(&mut self) {
        self.is_answer = true;
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
            Conduct::LosingAnswers if self.is_answer => 0,
            Conduct::Good
            | Conduct::Slow(_)
            | Conduct::Failing(_)
            | Conduct::Hanging
            | Conduct::LosingAnswers => length,
        };
        self.sent += length_now as u64;
        length_now
    }
}
