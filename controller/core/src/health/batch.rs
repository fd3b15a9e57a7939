//! Jobs and what creates them.

use serde_json::Value;

use super::{Health, condition, count};

/// A Job is there to be done: unlike in kstatus it is current when it is complete.
pub(super) fn job(object: &Value) -> Health {
    let is_true = |kind| condition(object, kind).filter(|found| found.is("True"));
    if is_true("Complete").is_some() {
        let succeeded = count(object, "succeeded");
        return Health::current(format!("completed, succeeded pods: {succeeded}"));
    }
    if let Some(failed) = is_true("Failed").or_else(|| is_true("FailureTarget")) {
        return Health::failed(failed.text());
    }
    if object["spec"]["suspend"].as_bool() == Some(true) || is_true("Suspended").is_some() {
        return Health::current("suspended");
    }
    if object["status"]["startTime"].is_null() {
        return Health::in_progress("not started yet");
    }
    Health::in_progress(format!(
        "running, active: {}, succeeded: {}, failed: {}",
        count(object, "active"),
        count(object, "succeeded"),
        count(object, "failed")
    ))
}

/// What its Jobs come to is no matter of the deployment.
pub(super) fn cron_job(object: &Value) -> Health {
    match object["spec"]["suspend"].as_bool() {
        Some(true) => Health::current("suspended"),
        _ => Health::current("scheduled"),
    }
}
