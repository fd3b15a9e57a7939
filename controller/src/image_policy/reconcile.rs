//! One reconcile of a policy, as a list of steps.

use std::time::{Duration, Instant};

use flux_core::conclude::{Finding, Outcome, Pace};
use flux_core::edit::{PolicyName, Target};
use flux_core::image::Name;
use flux_crds::image_policy::UpdateStrategy;
use flux_crds::{ImagePolicy, Reason};
use jiff::Timestamp;
use tokio::sync::watch;

use super::gather::gather;
use super::look::{Failed, Look, Seen};
use super::memory::Memory;
use super::record::{self, STATUS_RETRY};
use crate::context::Context;
use crate::git_repository;
use crate::key::Key;
use crate::notify;
use crate::updates::{Answers, Place, Wanted};

/// Time that a repository gets to write before the policy says that it waits; most are faster, and need one status write.
const WRITE_AFTER: Duration = Duration::from_secs(2);
/// Time before a list of tags that is not believed is read again.
const SECOND_LOOK: Duration = Duration::from_secs(10);
/// Part of the interval within which policies on one repository share a scan.
const SHARED: u32 = 2;

/// Why a reconcile runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The interval is over.
    Interval,
    /// Something changed or someone asked at this time: only a look from then on will do.
    Request(Instant),
    /// A repository has answered: nothing has to be looked at.
    Answer,
}

/// Reconciles once and returns how long to sleep if nothing else happens.
pub(crate) async fn reconcile(
    context: &Context,
    policy: &ImagePolicy,
    memory: &mut Memory,
    answers: &mut watch::Receiver<Answers>,
    call: Call,
) -> Option<Duration> {
    let key = Key::of(&policy.metadata);
    if policy.spec.is_suspended() {
        context.updates.want(&key, None);
        return record::suspended(context, policy, memory)
            .await
            .then_some(STATUS_RETRY);
    }
    let started = Instant::now();
    notify::examine(context, policy, memory.status.observed_generation);
    let mut retry_after = None;
    if call != Call::Answer || memory.seen.is_none() {
        let looked = look(context, policy, memory, call).await;
        if let Err(Failed {
            retry_after: after, ..
        }) = &looked
        {
            retry_after = *after;
        }
        memory.seen = Some(looked.map_err(|failed| failed.outcome));
        hand_over(context, policy, memory, answers).await;
    }
    let answered = answers.borrow_and_update().clone();
    let outcome = record::outcome(policy, memory, &answered);
    memory.failures = match &outcome {
        Outcome::Transient(_) | Outcome::Failed(_) => memory.failures.saturating_add(1),
        _ => 0,
    };
    let reason = outcome.finding().reason;
    context
        .metrics
        .reconciled("ImagePolicy", reason, started.elapsed());
    if record::record(context, policy, memory, &outcome, &answered).await {
        return Some(STATUS_RETRY);
    }
    pace(policy, memory, &outcome, retry_after)
}

/// Looks at the registry. Repositories that may get something to write wait for the end of it.
async fn look(
    context: &Context,
    policy: &ImagePolicy,
    memory: &Memory,
    call: Call,
) -> Result<Seen, Failed> {
    let key = Key::of(&policy.metadata);
    context
        .updates
        .scanning(&key, repositories(policy).collect());
    let gathered = gather(context, policy).await.map_err(|outcome| Failed {
        outcome,
        retry_after: None,
    })?;
    let since = match call {
        Call::Request(time) => time,
        Call::Interval | Call::Answer => Instant::now()
            .checked_sub(gathered.interval / SHARED)
            .unwrap_or_else(Instant::now),
    };
    let look = Look {
        policy,
        status: &memory.status,
        client: context.registries.within(gathered.timeout),
        gathered: &gathered,
    };
    tokio::select! {
        seen = look.run(since) => seen,
        () = context.shutdown.cancelled() => Err(Failed {
            outcome: Outcome::Progressing(Finding::new(
                Reason::Progressing,
                "the controller is shutting down",
            )),
            retry_after: None,
        }),
    }
}

fn repositories(policy: &ImagePolicy) -> impl Iterator<Item = Key> + '_ {
    let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
    let updates = policy.spec.update.iter();
    updates.map(move |update| Key::new(namespace, &update.repository.name))
}

/// Hands the choice to the repositories that it shall be written to, and gives them a moment to do so.
async fn hand_over(
    context: &Context,
    policy: &ImagePolicy,
    memory: &Memory,
    answers: &mut watch::Receiver<Answers>,
) {
    let key = Key::of(&policy.metadata);
    let waiting = match &memory.seen {
        Some(Ok(seen)) => context.updates.want(&key, wanted(policy, seen)),
        // What was wanted stays wanted while the registry cannot be read.
        _ => context.updates.settled(&key),
    };
    for repository in &waiting {
        if context.repositories.get(repository).is_none() {
            let finding = Finding::new(Reason::SourceNotFound, "does not exist");
            git_repository::fail(context, repository, &Outcome::Waiting(finding));
        }
        context.repositories.wake(repository);
    }
    if waiting.is_empty() {
        return;
    }
    let all = |answers: &Answers| waiting.iter().all(|key| answers.contains_key(key));
    // Whoever does not answer in time does so later.
    tokio::time::timeout(WRITE_AFTER, answers.wait_for(all))
        .await
        .ok();
}

/// Returns what has to be written; nothing before the first choice.
fn wanted(policy: &ImagePolicy, seen: &Seen) -> Option<Wanted> {
    let latest = seen.latest.as_ref()?;
    let name: Name = latest.image.parse().ok()?;
    let key = Key::of(&policy.metadata);
    let places = policy.spec.update.iter().map(|update| {
        let strategy = update.strategy.unwrap_or_default();
        let tags = match strategy {
            UpdateStrategy::Annotations => seen.tags.clone(),
            UpdateStrategy::Markers | UpdateStrategy::Images => Vec::new(),
        };
        Place {
            repository: Key::new(&key.namespace, &update.repository.name),
            target: Target {
                policy: PolicyName {
                    namespace: key.namespace.to_string(),
                    name: key.name.to_string(),
                },
                name: name.clone(),
                tag: latest.tag.clone(),
                digest: latest.digest.clone(),
                mode: policy.spec.digest.unwrap_or_default(),
                strategy,
                tags,
                path: update.path.clone().unwrap_or_default(),
            },
        }
    });
    let places: Wanted = places.collect();
    (!places.is_empty()).then_some(places)
}

fn pace(
    policy: &ImagePolicy,
    memory: &Memory,
    outcome: &Outcome,
    retry_after: Option<Duration>,
) -> Option<Duration> {
    let interval = policy.spec.interval().unwrap_or(Duration::from_mins(5));
    let pace = Pace {
        interval,
        retry_interval: policy.spec.retry_interval().unwrap_or_default(),
        failures: memory.failures,
        jitter: Context::jitter(&Key::of(&policy.metadata)),
    };
    let next = pace.next(outcome)?;
    let next = match outcome {
        Outcome::Ready(_) => {
            let share = Context::jitter(&Key::new("", &policy.spec.image));
            until_the_common_time(Timestamp::now(), interval, share)
        }
        _ => next,
    };
    let doubtful = matches!(&memory.seen, Some(Ok(seen)) if seen.decision.wants_second_look());
    let next = if doubtful {
        next.min(SECOND_LOOK)
    } else {
        next
    };
    Some(next.max(retry_after.unwrap_or_default()))
}

/// Returns the time until policies on one image with one interval wake up together, whenever each was created, so that they
/// share a scan. `share` is the part of the interval by which the image differs from others: they do not all wake at once.
fn until_the_common_time(now: Timestamp, interval: Duration, share: f64) -> Duration {
    let whole = interval.as_nanos().max(1);
    let since_epoch = u128::try_from(now.as_nanosecond()).unwrap_or_default();
    let passed = (since_epoch + interval.mul_f64(1.0 - share).as_nanos()) % whole;
    Duration::from_nanos(u64::try_from(whole - passed).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_on_one_image_wake_up_at_the_same_time() {
        let minute = Duration::from_mins(1);
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let wakes = |after: u64, interval: Duration, share: f64| {
            let now = begin + Duration::from_secs(after);
            let wait = until_the_common_time(now, interval, share);
            assert!(!wait.is_zero() && wait <= interval, "{wait:?}");
            now + wait
        };
        for interval in [minute, 5 * minute] {
            assert_eq!(wakes(1, interval, 0.25), wakes(14, interval, 0.25));
            assert_ne!(wakes(1, interval, 0.25), wakes(1, interval, 0.75));
        }
        let first = wakes(1, minute, 0.25);
        assert_eq!(first, begin + Duration::from_secs(15));
        assert_eq!(wakes(15, minute, 0.25), first + minute, "an interval later");
    }
}
