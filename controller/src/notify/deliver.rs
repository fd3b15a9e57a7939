//! Delivering one notice: again and again for a while, less and less often, and never faster than the receiver allows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_core::notify::{self, Commit, Notice, Sink, Verdict, judge, render};
use flux_engine::post::Poster;
use tokio_util::sync::CancellationToken;

use super::queue::{Letter, Origin};
use super::warn::Warnings;
use crate::metrics::Metrics;
use crate::report::chain;
use crate::secrets::{self, Data};
use crate::status::Publisher;
use crate::turns::Turns;

/// Requests under way at once.
const AT_ONCE: usize = 32;
/// Those of one namespace.
const OF_ONE: usize = 8;
/// First delay after a failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest delay between two tries.
const LAST_RETRY: Duration = Duration::from_mins(1);
/// Age at which a notice is news no more.
const LIFETIME: Duration = Duration::from_mins(15);
/// Failed tries after which the object says so.
const PATIENCE: u32 = 3;

/// How a receiver wants to be treated, from one notice to the next.
#[derive(Default)]
pub(super) struct Pace {
    /// Failures in a row.
    failures: u32,
    /// Not before this.
    until: Option<Instant>,
}

impl Pace {
    /// Notes a failure and returns how long to wait.
    fn slow_down(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let wait = asked.unwrap_or_default().max(doubled.min(LAST_RETRY));
        self.until = Some(Instant::now() + wait);
        wait
    }
}

/// Delivers letters.
pub(super) struct Courier {
    pub(super) metrics: Arc<Metrics>,
    warnings: Warnings,
    poster: Poster,
    turns: Turns,
    shutdown: CancellationToken,
}

/// How one try ended.
enum Tried {
    Delivered,
    Later(String, Option<Duration>),
    Refused(String),
}

impl Courier {
    pub(super) fn new(
        metrics: Arc<Metrics>,
        events: Publisher,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            metrics,
            warnings: Warnings::new(events),
            poster: Poster::default(),
            turns: Turns::new(AT_ONCE, OF_ONE),
            shutdown,
        }
    }

    /// Delivers a letter, or gives it up.
    pub(super) async fn deliver(&self, letter: &Letter, pace: &mut Pace) {
        let kind = letter.kind();
        let notice = complete(&letter.origin).await;
        loop {
            if !self.is_time(letter, pace).await {
                self.metrics.notified(kind, "failed");
                return;
            }
            match self.attempt(letter, &notice).await {
                Tried::Delivered => {
                    *pace = Pace::default();
                    self.metrics.notified(kind, "delivered");
                    self.warnings.settle(letter);
                    return;
                }
                Tried::Refused(why) => {
                    self.metrics.notified(kind, "refused");
                    self.warnings.warn(letter, &why);
                    return;
                }
                Tried::Later(why, asked) => {
                    let wait = pace.slow_down(asked);
                    self.metrics.notified(kind, "retried");
                    tracing::debug!(receiver = kind, error = %why, wait_ms = wait.as_millis(), "notification not delivered");
                    if pace.failures >= PATIENCE || asked.is_some_and(|asked| asked > LIFETIME) {
                        self.warnings.warn(letter, &why);
                    }
                }
            }
        }
    }

    /// Waits until the receiver may be asked again. Returns whether the letter is still worth it.
    async fn is_time(&self, letter: &Letter, pace: &Pace) -> bool {
        let now = Instant::now();
        let at = pace.until.map_or(now, |until| until.max(now));
        if at.duration_since(letter.since) > LIFETIME {
            return false;
        }
        if at == now {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep_until(at.into()) => true,
            () = self.shutdown.cancelled() => false,
        }
    }

    async fn attempt(&self, letter: &Letter, notice: &Notice) -> Tried {
        let secret = match self.secret(letter).await {
            Ok(secret) => secret,
            Err(why) => return Tried::Later(why, None),
        };
        let sink = Sink::new(
            &letter.notification,
            &secret,
            letter.origin.trusts_repository,
        );
        let request = match render(&sink, notice) {
            Ok(request) => request,
            Err(error) => return Tried::Refused(chain(&error)),
        };
        let _turn = self
            .turns
            .take(&letter.origin.notice.object.namespace)
            .await;
        let answer = match self.poster.send(request, &secret).await {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => return Tried::Later(chain(&error), None),
            Err(error) => return Tried::Refused(chain(&error)),
        };
        match judge(&sink, answer.status, &answer.body) {
            Verdict::Delivered => Tried::Delivered,
            Verdict::Later(why) => Tried::Later(why, answer.retry_after),
            Verdict::Refused(why) => Tried::Refused(why),
        }
    }

    async fn secret(&self, letter: &Letter) -> Result<Data, String> {
        let Some(reference) = &letter.notification.secret_ref else {
            return Ok(Data::new());
        };
        let namespace = &letter.origin.notice.object.namespace;
        secrets::read_with(&letter.origin.reader, namespace, &reference.name)
            .await
            .map_err(|outcome| outcome.finding().message.clone())
    }
}

/// Returns the notice with its commit, which is read from the repository's store.
async fn complete(origin: &Origin) -> notify::Notice {
    let mut notice = origin.notice.clone();
    let Some(snapshot) = origin.snapshot.clone().filter(|_| notice.commit.is_none()) else {
        return notice;
    };
    let read = tokio::task::spawn_blocking(move || snapshot.tree.commit());
    if let Ok(Ok(commit)) = read.await {
        notice.commit = Some(Commit {
            author: commit.author,
            subject: commit.subject,
        });
    }
    notice
}
