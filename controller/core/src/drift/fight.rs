//! How soon to put an object back that somebody changes again and again.

use std::time::{Duration, Instant};

/// Seconds to wait before the first repair, the second, and so on; the last for ever.
const DELAYS: [u64; 7] = [0, 2, 6, 18, 54, 162, 300];
/// From this round on, somebody else wants the object to be another.
const CONTESTED: usize = 2;
/// A change after this long a calm, or twice the last delay, is a new story.
const CALM: Duration = Duration::from_mins(1);

/// The fight about one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fight {
    round: usize,
    due: Instant,
}

impl Fight {
    /// Returns the fight after a change that was seen at `now`.
    pub fn after(previous: Option<Self>, now: Instant) -> Self {
        let round = match previous {
            Some(fight) if !fight.is_over(now) => (fight.round + 1).min(DELAYS.len() - 1),
            _ => 0,
        };
        Self {
            round,
            due: now + delay(round),
        }
    }

    /// Returns when to repair.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Tells whether this is no accident any more.
    pub fn is_contested(&self) -> bool {
        self.round >= CONTESTED
    }

    /// Tells whether it has been calm for so long that the next change is a new story.
    pub fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.due) > CALM.max(delay(self.round) * 2)
    }
}

fn delay(round: usize) -> Duration {
    Duration::from_secs(DELAYS.get(round).copied().unwrap_or(300))
}
