//! The task of one Sync.

use std::sync::Arc;
use std::time::Duration;

use flux_core::conclude::is_true;
use flux_crds::{ConditionType, GitRepository, Sync};

use super::drift;
use super::memory::Memory;
use super::reconcile::{Cause, reconcile};
use super::wakeups::{Situation, Wakeups, source_key};
use crate::context::Context;
use crate::key::Key;

/// Time until a Sync looks again whether its source is served, at the start of the process.
const EARLY: Duration = Duration::from_secs(5);

/// Reconciles one Sync whenever it has to, until it is gone or the process ends.
pub(crate) async fn run(context: Arc<Context>, key: Key) {
    let mut wakeups = Wakeups::new(&context, &key);
    let mut memory = Memory::default();
    let mut cause = Cause::Verify;
    context.metrics.resources("Sync", 1);
    loop {
        let seen = wakeups.look();
        let Some(sync) = wakeups.object() else {
            context.claims.forget(&key);
            context.sources.forget(&key);
            break;
        };
        if context.shutdown.is_cancelled() {
            break;
        }
        if memory.uid != sync.metadata.uid {
            memory = Memory::of(&sync);
            cause = Cause::Verify;
        }
        if is_too_early(&context, &sync, &memory, &wakeups) {
            drop(sync);
            sleep(&context, &mut memory, &mut wakeups, (&seen, Some(EARLY))).await;
            continue;
        }
        let next = reconcile(&context, &sync, &mut memory, &mut wakeups, (cause, &seen)).await;
        drop(sync);
        if sleep(&context, &mut memory, &mut wakeups, (&seen, next)).await == Woken::ToVerify {
            cause = Cause::Verify;
            continue;
        }
        let source_only = wakeups.look().differs_only_in_source(&seen);
        cause = if source_only && memory.failures == 0 && !memory.lookout.is_unsure() {
            Cause::Moved
        } else {
            Cause::Verify
        };
    }
    context.metrics.resources("Sync", -1);
}

/// Tells whether the process has just begun and the source is about to be served: to say that it is not ready would be news
/// that is none.
fn is_too_early(context: &Context, sync: &Sync, memory: &Memory, wakeups: &Wakeups) -> bool {
    let knew = memory.status.last_attempted_revision.is_some();
    let follows = sync.metadata.deletion_timestamp.is_none() && !sync.spec.is_suspended();
    let is_next = |repository: &GitRepository| {
        let status = repository.status.as_ref();
        status.is_some_and(|status| is_true(&status.conditions, ConditionType::Ready))
            && !repository.spec.is_suspended()
    };
    let repository = context.repositories.get(&source_key(sync));
    knew && follows
        && wakeups.served().is_none()
        && repository.is_some_and(|repository| is_next(&repository))
}

/// What ended a sleep.
#[derive(PartialEq, Eq)]
enum Woken {
    /// Something that the Sync depends on has moved.
    ByChange,
    /// It is time to look at the cluster.
    ToVerify,
}

/// Sleeps until there is something to reconcile; drift of single objects is attended to on the way.
async fn sleep(
    context: &Context,
    memory: &mut Memory,
    wakeups: &mut Wakeups,
    (seen, next): (&Situation, Option<Duration>),
) -> Woken {
    let until = next.map(|delay| tokio::time::Instant::now() + delay);
    loop {
        let rest = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = wakeups.changed(seen) => return Woken::ByChange,
            () = rest => return Woken::ToVerify,
            () = memory.lookout.due() => {}
        }
        let Some(sync) = wakeups.object() else {
            return Woken::ByChange;
        };
        let attended = drift::attend(context, &sync, memory, wakeups.served()).await;
        // A Sync that failed or waits is tried again in its own time; drift must not hurry it.
        if attended == drift::Next::Reconcile && memory.is_ready() {
            return Woken::ToVerify;
        }
    }
}
