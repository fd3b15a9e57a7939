//! Kinds that keep a number of pods running.

use serde_json::Value;

use super::{Condition, Health, condition, count};

/// Returns the first shortfall as `message: have/want`.
fn shortfall(want: i64, counts: &[(&str, i64)]) -> Option<Health> {
    let (what, have) = counts.iter().find(|(_, have)| *have < want)?;
    Some(Health::in_progress(format!("{what}: {have}/{want}")))
}

fn surplus(replicas: i64, want: i64) -> Option<Health> {
    let old = replicas - want;
    (old > 0).then(|| Health::in_progress(format!("old replicas pending termination: {old}")))
}

fn replicas(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

/// Adds why pods cannot be created (a quota, a refused service account) to what is missing.
fn explain(health: Health, object: &Value) -> Health {
    let cause = condition(object, "ReplicaFailure").filter(|found| found.is("True"));
    match cause.as_ref().map(Condition::text) {
        Some(cause) if !health.is_current() => Health {
            message: format!("{}; {cause}", health.message),
            ..health
        },
        _ => health,
    }
}

pub(super) fn deployment(object: &Value) -> Health {
    let progressing = condition(object, "Progressing");
    if let Some(progressing) = &progressing
        && progressing.reason == "ProgressDeadlineExceeded"
    {
        return explain(Health::failed(progressing.text()), object);
    }
    explain(rollout(object, progressing), object)
}

fn rollout(object: &Value, progressing: Option<Condition<'_>>) -> Health {
    let want = replicas(object);
    let (have, updated) = (count(object, "replicas"), count(object, "updatedReplicas"));
    let is_paused = object["spec"]["paused"].as_bool() == Some(true);
    if is_paused && updated < want {
        return Health::in_progress(format!("paused; updated replicas: {updated}/{want}"));
    }
    let available = count(object, "availableReplicas");
    let ready = count(object, "readyReplicas");
    let unfinished = shortfall(want, &[("replicas", have), ("updated replicas", updated)])
        .or_else(|| surplus(have, want))
        .or_else(|| shortfall(updated, &[("available replicas", available)]))
        .or_else(|| shortfall(want, &[("ready replicas", ready)]));
    if let Some(health) = unfinished {
        return health;
    }
    let has_deadline = !object["spec"]["progressDeadlineSeconds"].is_null();
    let is_rolled_out = progressing
        .is_some_and(|found| found.is("True") && found.reason == "NewReplicaSetAvailable");
    if has_deadline && !is_rolled_out && !is_paused {
        return Health::in_progress("the new replica set is not available yet");
    }
    match condition(object, "Available") {
        Some(found) if found.is("True") => Health::current(format!("available, replicas: {want}")),
        Some(found) => Health::in_progress(found.text()),
        None => Health::in_progress("not available yet"),
    }
}

pub(super) fn stateful_set(object: &Value) -> Health {
    let strategy = &object["spec"]["updateStrategy"];
    if strategy["type"] == "OnDelete" {
        return Health::current("pods are replaced when they are deleted (OnDelete)");
    }
    let want = replicas(object);
    let (have, updated) = (count(object, "replicas"), count(object, "updatedReplicas"));
    let unfinished = shortfall(
        want,
        &[
            ("replicas", have),
            ("ready replicas", count(object, "readyReplicas")),
        ],
    )
    .or_else(|| surplus(have, want));
    if let Some(health) = unfinished {
        return health;
    }
    if let Some(partition) = strategy["rollingUpdate"]["partition"].as_i64() {
        let want = want - partition;
        return shortfall(want, &[("updated replicas", updated)]).unwrap_or_else(|| {
            Health::current(format!("rolled out, updated replicas: {updated}"))
        });
    }
    let status = &object["status"];
    shortfall(
        want,
        &[("current replicas", count(object, "currentReplicas"))],
    )
    .or_else(|| {
        (status["currentRevision"] != status["updateRevision"])
            .then(|| Health::in_progress("pods of the old revision are being replaced"))
    })
    .unwrap_or_else(|| Health::current(format!("ready, replicas: {want}")))
}

pub(super) fn daemon_set(object: &Value) -> Health {
    let Some(want) = object["status"]["desiredNumberScheduled"].as_i64() else {
        return Health::in_progress("the number of nodes is not known yet");
    };
    let on_delete = object["spec"]["updateStrategy"]["type"] == "OnDelete";
    let updated = if on_delete {
        want
    } else {
        count(object, "updatedNumberScheduled")
    };
    let counts = [
        ("pods", count(object, "currentNumberScheduled")),
        ("updated pods", updated),
        ("available pods", count(object, "numberAvailable")),
        ("ready pods", count(object, "numberReady")),
    ];
    shortfall(want, &counts).unwrap_or_else(|| Health::current(format!("ready, pods: {want}")))
}

pub(super) fn replica_set(object: &Value) -> Health {
    let labelled = ("labelled replicas", count(object, "fullyLabeledReplicas"));
    replicated(object, &[labelled])
}

pub(super) fn replication_controller(object: &Value) -> Health {
    replicated(object, &[])
}

fn replicated(object: &Value, first: &[(&str, i64)]) -> Health {
    let want = replicas(object);
    let counts = [
        ("available replicas", count(object, "availableReplicas")),
        ("ready replicas", count(object, "readyReplicas")),
    ];
    let health = shortfall(want, first)
        .or_else(|| shortfall(want, &counts))
        .or_else(|| surplus(count(object, "replicas"), want))
        .unwrap_or_else(|| Health::current(format!("ready, replicas: {want}")));
    explain(health, object)
}
