//! The task of one Sync.

use std::sync::Arc;

use super::memory::Memory;
use super::reconcile::{Cause, reconcile};
use super::wakeups::Wakeups;
use crate::context::Context;
use crate::key::Key;

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
        let next = reconcile(&context, &sync, &mut memory, &mut wakeups, (cause, &seen)).await;
        drop(sync);
        let rest = async {
            match next {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wakeups.changed(&seen) => {}
            () = rest => {
                cause = Cause::Verify;
                continue;
            }
        }
        let source_only = wakeups.look().differs_only_in_source(&seen);
        cause = if source_only && memory.failures == 0 {
            Cause::Moved
        } else {
            Cause::Verify
        };
    }
    context.metrics.resources("Sync", -1);
}
