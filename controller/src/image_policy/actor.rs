//! The task of one policy.

use std::sync::Arc;
use std::time::Instant;

use flux_crds::ImagePolicy;

use super::memory::Memory;
use super::reconcile::{Call, reconcile};
use crate::context::Context;
use crate::key::Key;
use crate::sync::token;
use crate::webhook::Object;

/// Reconciles one policy whenever it has to, until it is gone or the process ends.
pub(crate) async fn run(context: Arc<Context>, key: Key) {
    let mut object = context.policies.subscribe(&key);
    let mut answers = context.updates.subscribe(&key);
    let wakes = context.policies.wakes(&key);
    let mut memory = Memory::default();
    let mut call = Call::Interval;
    context.metrics.resources("ImagePolicy", 1);
    loop {
        let Some(policy) = object.borrow_and_update().clone() else {
            break;
        };
        if context.shutdown.is_cancelled() {
            break;
        }
        if memory.uid != policy.metadata.uid {
            memory = Memory::of(&policy);
        }
        let seen = situation(&policy);
        let next = reconcile(&context, &policy, &mut memory, &mut answers, call).await;
        drop(policy);
        let rest = async {
            match next {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        let moved = object.wait_for(|object| {
            object
                .as_ref()
                .is_none_or(|object| situation(object) != seen)
        });
        call = tokio::select! {
            moved = moved => match moved {
                Ok(_) => Call::Request(Instant::now()),
                Err(_) => break,
            },
            () = wakes.notified() => Call::Request(Instant::now()),
            answered = answers.changed() => match answered {
                Ok(()) => Call::Answer,
                Err(_) => break,
            },
            () = rest => Call::Interval,
            () = context.shutdown.cancelled() => break,
        }
    }
    context.updates.forget(&key);
    context.hooks.forget(&Object::Policy(key.clone()));
    context.metrics.resources("ImagePolicy", -1);
}

/// What of the object decides that it has to be reconciled.
fn situation(policy: &ImagePolicy) -> (Option<String>, Option<i64>, Option<String>) {
    let metadata = &policy.metadata;
    (metadata.uid.clone(), metadata.generation, token(metadata))
}
