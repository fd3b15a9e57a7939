//! How fast each host is asked, and when not at all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Error;

/// How fast one host is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Requests a second in the long run.
    pub(super) rate: u32,
    /// Requests that may come at once.
    pub(super) burst: u32,
    /// Operations under way.
    pub(super) at_once: usize,
}

/// So many hosts are remembered; users choose them.
const MAX_HOSTS: usize = 1024;

/// The hosts that were asked lately.
pub(super) struct Hosts {
    pace: Pace,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// One host and its queue.
pub(super) struct Host {
    name: String,
    pace: Pace,
    bucket: Mutex<Bucket>,
    places: Semaphore,
}

impl Hosts {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            hosts: Mutex::default(),
        }
    }

    /// Returns a host by the name that messages use.
    pub(super) fn get(&self, name: &str) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        if hosts.len() >= MAX_HOSTS {
            let now = Instant::now();
            hosts.retain(|_, host| {
                Arc::strong_count(host) > 1 || !lock(&host.bucket).is_idle(now, self.pace)
            });
        }
        let host = Arc::new(Host {
            name: name.to_owned(),
            pace: self.pace,
            bucket: Mutex::new(Bucket::full(Instant::now(), self.pace)),
            places: Semaphore::new(self.pace.at_once),
        });
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Host {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Waits for a place among the operations under way; fails at once while the host wants peace.
    ///
    /// An operation makes one request after the other, so that this limits requests too.
    pub(super) async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>, Error> {
        self.check()?;
        // The semaphore is never closed; without a permit the requests would only be unlimited.
        let turn = self.places.acquire().await.ok();
        self.check()?;
        Ok(turn)
    }

    /// Waits until the rate allows one more request; fails at once while the host wants peace.
    pub(super) async fn admit(&self) -> Result<(), Error> {
        self.check()?;
        let wait = lock(&self.bucket).take(Instant::now(), self.pace);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
            self.check()?;
        }
        Ok(())
    }

    /// Takes note that the host wants peace for so long, and returns the error for the request that learned it.
    pub(super) fn hold(&self, wait: Duration) -> Error {
        lock(&self.bucket).hold(Instant::now(), wait);
        self.too_many(wait)
    }

    fn check(&self) -> Result<(), Error> {
        match lock(&self.bucket).peace(Instant::now()) {
            Some(left) => Err(self.too_many(left)),
            None => Ok(()),
        }
    }

    fn too_many(&self, retry_after: Duration) -> Error {
        Error::TooManyRequests {
            host: self.name.clone(),
            retry_after,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token bucket that can be in debt: who takes more than there is waits until the debt is paid.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    counted: Instant,
    peace_until: Option<Instant>,
}

impl Bucket {
    fn full(now: Instant, pace: Pace) -> Self {
        Self {
            tokens: f64::from(pace.burst),
            counted: now,
            peace_until: None,
        }
    }

    /// Takes one token and returns how long to wait for it.
    fn take(&mut self, now: Instant, pace: Pace) -> Duration {
        let rate = f64::from(pace.rate.max(1));
        self.refill(now, pace);
        self.tokens -= 1.0;
        Duration::try_from_secs_f64((-self.tokens / rate).max(0.0)).unwrap_or_default()
    }

    fn refill(&mut self, now: Instant, pace: Pace) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        let rate = f64::from(pace.rate.max(1));
        self.tokens = (self.tokens + passed * rate).min(f64::from(pace.burst.max(1)));
        self.counted = now;
    }

    fn hold(&mut self, now: Instant, wait: Duration) {
        let until = now.checked_add(wait);
        self.peace_until = self.peace_until.max(until);
    }

    /// Returns how long the host still wants peace.
    fn peace(&mut self, now: Instant) -> Option<Duration> {
        let left = self.peace_until?.saturating_duration_since(now);
        if left.is_zero() {
            self.peace_until = None;
            return None;
        }
        Some(left)
    }

    fn is_idle(&mut self, now: Instant, pace: Pace) -> bool {
        self.refill(now, pace);
        self.peace(now).is_none() && self.tokens >= f64::from(pace.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        rate: 10,
        burst: 3,
        at_once: 2,
    };

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start, PACE);
        let waits: Vec<u128> = (0..6)
            .map(|_| bucket.take(start, PACE).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        let later = start + Duration::from_secs(10);
        assert!(
            bucket.is_idle(later, PACE),
            "time fills the bucket, and not more than that"
        );
        let waits: Vec<u128> = (0..4)
            .map(|_| bucket.take(later, PACE).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 100]);
    }

    #[test]
    fn peace_lasts_as_long_as_the_longest_that_was_asked_for() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start, PACE);
        bucket.hold(start, Duration::from_secs(30));
        bucket.hold(start, Duration::from_secs(5));
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(bucket.peace(after(10)), Some(Duration::from_secs(20)));
        assert_eq!(bucket.peace(after(30)), None);
    }

    #[tokio::test]
    async fn a_host_that_wants_peace_is_not_asked_while_others_are() {
        let hosts = Hosts::new(PACE);
        hosts.get("busy.example").hold(Duration::from_mins(1));
        let error = hosts.get("busy.example").admit().await.unwrap_err();
        assert!(
            matches!(&error, Error::TooManyRequests { host, .. } if host == "busy.example"),
            "{error}"
        );
        assert!(error.retry_after() > Some(Duration::from_secs(50)));
        assert!(hosts.get("other.example").admit().await.is_ok());
    }

    #[test]
    fn hosts_without_business_are_forgotten() {
        let hosts = Hosts::new(PACE);
        hosts.get("busy.example").hold(Duration::from_mins(1));
        for number in 0..2 * MAX_HOSTS {
            hosts.get(&format!("{number}.example"));
        }
        let known = lock(&hosts.hosts);
        assert!(known.len() <= MAX_HOSTS && known.contains_key("busy.example"));
    }
}
