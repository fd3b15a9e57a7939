//! What a look and the repositories' answers came to: outcome, status, events.

use std::time::Duration;

use flux_core::choose;
use flux_core::conclude::{self, Event, Finding, Outcome};
use flux_core::notify::Kind;
use flux_crds::image_policy::ImageReference;
use flux_crds::{ImagePolicy, ImagePolicyStatus, Reason};
use jiff::Timestamp;

use super::look::Seen;
use super::memory::Memory;
use crate::context::Context;
use crate::key::Key;
use crate::notify::{self, News};
use crate::report::chain;
use crate::status;
use crate::sync::token;
use crate::updates::{Answer, Answers};
use crate::webhook::Object;

/// Time until a status that could not be written is tried again.
pub(crate) const STATUS_RETRY: Duration = Duration::from_secs(1);
/// Age at which the time of the last scan is written again though nothing else changed.
const SCAN_SHOWN: Duration = Duration::from_hours(1);

/// A suspended policy only echoes the token. Returns whether the write failed.
pub(crate) async fn suspended(
    context: &Context,
    policy: &ImagePolicy,
    memory: &mut Memory,
) -> bool {
    let mut status = memory.status.clone();
    status.observed_generation = policy.metadata.generation;
    write(context, policy, memory, status).await
}

/// Returns how the reconcile ended.
pub(crate) fn outcome(policy: &ImagePolicy, memory: &Memory, answers: &Answers) -> Outcome {
    let seen = match &memory.seen {
        Some(Ok(seen)) => seen,
        Some(Err(outcome)) => return still(outcome.clone(), memory.status.latest.as_ref()),
        None => {
            let finding = Finding::new(Reason::Progressing, "the registry is being looked at");
            return Outcome::Progressing(finding);
        }
    };
    let Seen {
        decision, latest, ..
    } = seen;
    let reason = &decision.reason;
    let Some(latest) = latest else {
        return Outcome::Failed(Finding::new(Reason::NoMatch, reason.to_string()));
    };
    let image = format!("{}:{}", latest.image, latest.tag);
    if let choose::Reason::Empty | choose::Reason::NoMatch { .. } = reason {
        let message = format!("{reason}; {image} stays");
        return Outcome::Failed(Finding::new(Reason::NoMatch, message));
    }
    let failed = answers.values().find_map(|answer| match answer {
        Answer::Failed(outcome) => Some(outcome.clone()),
        Answer::Written { .. } => None,
    });
    if let Some(outcome) = failed {
        return outcome;
    }
    let repositories = repositories(policy);
    let missing = repositories.iter().filter(|key| !answers.contains_key(key));
    let missing: Vec<String> = missing.map(|key| format!("GitRepository {key}")).collect();
    if !missing.is_empty() {
        let message = format!("{image} waits to be written to {}", missing.join(", "));
        return Outcome::Waiting(Finding::new(Reason::Progressing, message));
    }
    let mut message = format!("{image} of {} tags", seen.scan.tags);
    if !matches!(reason, choose::Reason::Unchanged) && !reason.is_move() {
        message = format!("{message}; {reason}");
    }
    for (repository, answer) in answers {
        if let Answer::Written {
            places, skipped, ..
        } = answer
        {
            let left = match skipped.as_slice() {
                [] => String::new(),
                skipped => format!(", left alone: {}", skipped.join("; ")),
            };
            message = format!("{message}; in {places} places of {}{left}", repository.name);
        }
    }
    Outcome::Ready(Finding::new(Reason::Succeeded, message))
}

fn repositories(policy: &ImagePolicy) -> Vec<Key> {
    let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
    let updates = policy.spec.update.iter();
    updates
        .map(|update| Key::new(namespace, &update.repository.name))
        .collect()
}

/// Adds to a failure that the last choice stays.
fn still(outcome: Outcome, latest: Option<&ImageReference>) -> Outcome {
    let Some(latest) = latest else {
        return outcome;
    };
    outcome.with_note(&format!("{}:{} stays", latest.image, latest.tag))
}

/// Writes status and events. Returns whether the write failed.
pub(crate) async fn record(
    context: &Context,
    policy: &ImagePolicy,
    memory: &mut Memory,
    outcome: &Outcome,
    answers: &Answers,
) -> bool {
    let before = &memory.status;
    let generation = policy.metadata.generation;
    let mut status = before.clone();
    status.observed_generation = generation;
    if let Some(Ok(seen)) = &memory.seen {
        show(&mut status, seen, answers, repositories(policy).len());
    }
    let key = Key::of(&policy.metadata);
    status.webhook_path = context.hooks.path(&Object::Policy(key.clone()));
    for event in events(before, &status, outcome) {
        context.events.publish(policy, &event);
        if event.finding.reason == Reason::ImageUpdated {
            send(context, policy, &status, &event.finding);
        }
    }
    let ended = notify::Ended {
        outcome,
        revision: None,
        failures_in_a_row: memory.failures,
        changes: &[],
        failures: &[],
    };
    notify::conclude(context, policy, &mut memory.notified, &ended);
    status.conditions =
        conclude::conditions(&before.conditions, outcome, generation, Timestamp::now());
    let Finding { reason, message } = outcome.finding();
    match outcome {
        Outcome::Ready(_) | Outcome::Progressing(_) | Outcome::Waiting(_) => {
            tracing::debug!(object = %key, %reason, %message, "image looked at");
        }
        Outcome::Transient(_) | Outcome::Failed(_) => {
            tracing::warn!(object = %key, %reason, error = %message, "image policy failed");
        }
        Outcome::Stalled(_) => {
            tracing::error!(object = %key, %reason, error = %message, "image policy stalled");
        }
    }
    write(context, policy, memory, status).await
}

/// Tells the receivers in `spec.notify` of a commit.
fn send(context: &Context, policy: &ImagePolicy, status: &ImagePolicyStatus, finding: &Finding) {
    let revision = status.last_update.as_ref().map(|update| &*update.revision);
    let latest = status.latest.as_ref();
    let message = latest.map(|latest| format!("{}:{}", latest.image, latest.tag));
    let finding = Finding::new(
        finding.reason,
        message.unwrap_or_else(|| finding.message.clone()),
    );
    let news = News {
        revision,
        ..News::new(Kind::ImageUpdate, &finding)
    };
    notify::send(context, policy, news);
}

/// Puts the choice into the status.
fn show(status: &mut ImagePolicyStatus, seen: &Seen, answers: &Answers, updates: usize) {
    let Seen {
        decision,
        latest,
        scan,
        ..
    } = seen;
    let moved = |old: &ImageReference| {
        latest
            .as_ref()
            .is_none_or(|new| old.image != new.image || old.tag != new.tag)
    };
    if let Some(old) = status.latest.take_if(|old| moved(old)) {
        status.previous = Some(old);
    }
    status.latest.clone_from(latest);
    status.rules.clone_from(&decision.rules);
    let is_same = |old: &flux_crds::image_policy::Scan| {
        let age = scan.time.0.duration_since(old.time.0);
        old.digest == scan.digest && old.choice == scan.choice && age.unsigned_abs() < SCAN_SHOWN
    };
    if !status.scan.as_ref().is_some_and(is_same) {
        status.scan = Some(scan.clone());
    }
    let written = answers.values().filter_map(|answer| match answer {
        Answer::Written { update, .. } => Some(update),
        Answer::Failed(_) => None,
    });
    let newest = written.clone().flatten().max_by_key(|update| update.time.0);
    if let Some(newest) = newest {
        status.last_update = Some(newest.clone());
    }
    let held = decision.pending.as_ref().map(|tag| ImageReference {
        image: latest
            .as_ref()
            .map(|latest| latest.image.clone())
            .unwrap_or_default(),
        tag: tag.clone(),
        ..ImageReference::default()
    });
    let unwritten = latest.clone().filter(|_| written.count() < updates);
    status.pending = held.or(unwritten);
}

/// Returns what is worth telling: a newer image, its commit, and that readiness moved.
fn events(before: &ImagePolicyStatus, after: &ImagePolicyStatus, outcome: &Outcome) -> Vec<Event> {
    let mut events = Vec::new();
    let normal = |reason, message| Event {
        warning: false,
        finding: Finding::new(reason, message),
    };
    let tag = |status: &ImagePolicyStatus| status.latest.as_ref().map(|latest| latest.tag.clone());
    if let (Some(latest), true) = (&after.latest, tag(before) != tag(after)) {
        let mut message = format!("{}:{}", latest.image, latest.tag);
        if let Some(old) = tag(before) {
            message = format!("{message} follows {old}");
        }
        events.push(normal(Reason::NewImage, message));
    }
    if let (Some(update), true) = (&after.last_update, before.last_update != after.last_update) {
        let message = format!("committed {}", update.revision);
        events.push(normal(Reason::ImageUpdated, message));
    }
    match outcome {
        Outcome::Ready(_) | Outcome::Waiting(_) => {
            let ready = conclude::condition(&before.conditions, flux_crds::ConditionType::Ready);
            let was_failing = ready.is_some_and(|ready| {
                ready.status == "False" && ready.reason != Reason::Progressing.as_str()
            });
            if was_failing && matches!(outcome, Outcome::Ready(_)) {
                events.extend(conclude::event(&before.conditions, outcome));
            }
        }
        _ => events.extend(conclude::event(&before.conditions, outcome)),
    }
    events
}

async fn write(
    context: &Context,
    policy: &ImagePolicy,
    memory: &mut Memory,
    mut status: ImagePolicyStatus,
) -> bool {
    let key = Key::of(&policy.metadata);
    status.last_handled_reconcile = token(&policy.metadata).or(status.last_handled_reconcile);
    status.notified.clone_from(&memory.notified);
    match status::write::<ImagePolicy, _>(&context.client, &key, &memory.status, &status).await {
        Ok(()) => {
            memory.status = status;
            false
        }
        Err(error) => {
            tracing::warn!(object = %key, error = %chain(&error), "status not written");
            true
        }
    }
}
