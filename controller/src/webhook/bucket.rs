//! A token bucket.

use std::time::Instant;

/// Lets through so many calls at once, and so many a second after that.
#[derive(Debug)]
pub(super) struct Bucket {
    burst: f64,
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// Returns a full bucket.
    pub(super) fn full(burst: f64, per_second: f64, now: Instant) -> Self {
        Self {
            burst,
            per_second,
            left: burst,
            at: now,
        }
    }

    /// Takes one token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.left = (self.left + passed * self.per_second).min(self.burst);
        let is_enough = self.left >= 1.0;
        if is_enough {
            self.left -= 1.0;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_as_much_as_flows_in() {
        let start = Instant::now();
        let mut bucket = Bucket::full(3.0, 2.0, start);
        let taken = (0..10).filter(|_| bucket.take(start)).count();
        assert_eq!(taken, 3);
        let later = start + Duration::from_secs(1);
        let taken = (0..10).filter(|_| bucket.take(later)).count();
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_bucket_never_holds_more_than_a_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::full(3.0, 2.0, start);
        let later = start + Duration::from_hours(1);
        assert_eq!((0..10).filter(|_| bucket.take(later)).count(), 3);
    }
}
