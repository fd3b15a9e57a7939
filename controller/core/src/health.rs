//! Says whether a live object has become what its spec asks for.
//!
//! The rules are those of kstatus, so that `kubectl wait` and other tools agree with us: generic
//! ones first (deletion, observed generation, `Reconciling` and `Stalled`), then those of the
//! built-in kinds, then the `Ready` condition. Where kstatus calls a thing current before it is
//! of use, ours is stricter: a Job must complete, a load balancer must have an address.

use std::fmt;

use serde_json::Value;

use crate::object::split_api_version;

mod batch;
mod cluster;
mod pods;
mod rules;
#[cfg(test)]
mod tests;
mod workloads;

pub use pods::failing_containers;
pub use rules::{Invalid, Rules};

/// The state of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It is what its spec asks for.
    Current,
    /// It is on the way.
    InProgress,
    /// It is being deleted.
    Terminating,
    /// It will not get there without a change.
    Failed,
    /// It has no shape that the rules understand.
    Unknown,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Terminating => "Terminating",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        })
    }
}

/// The state of an object, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub status: Status,
    /// One line for people.
    pub message: String,
}

impl Health {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, message)
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, message)
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::new(Status::Failed, message)
    }

    /// Says whether nothing more is to be waited for.
    pub fn is_current(&self) -> bool {
        self.status == Status::Current
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

/// Returns the health of a live object.
pub fn assess(object: &Value) -> Health {
    if !object.is_object() {
        return Health::new(Status::Unknown, "not an object");
    }
    generic(object)
        .or_else(|| built_in(object))
        .or_else(|| ready(object))
        .unwrap_or_else(|| Health::current("applied"))
}

/// Says whether the cluster deletes an object of this kind when it is done: a Job with `ttlSecondsAfterFinished`. That it is
/// gone then is no change by anyone.
pub fn is_transient(kind: &str, object: &Value) -> bool {
    kind == "Job" && object["spec"]["ttlSecondsAfterFinished"].is_number()
}

/// Rules for every kind.
fn generic(object: &Value) -> Option<Health> {
    let true_condition = |kind| condition(object, kind).filter(|found| found.is("True"));
    unsettled(object)
        .or_else(|| true_condition("Reconciling").map(|found| Health::in_progress(found.text())))
        .or_else(|| true_condition("Stalled").map(|found| Health::failed(found.text())))
}

/// An object that goes, or whose newest spec nobody has looked at.
fn unsettled(object: &Value) -> Option<Health> {
    let metadata = &object["metadata"];
    if !metadata["deletionTimestamp"].is_null() {
        return Some(Health::new(Status::Terminating, terminating(metadata)));
    }
    if let (Some(generation), Some(observed)) = (
        metadata["generation"].as_i64(),
        object["status"]["observedGeneration"].as_i64(),
    ) && generation != observed
    {
        return Some(Health::in_progress(format!(
            "generation {generation} is not handled yet, the latest handled one is {observed}"
        )));
    }
    None
}

fn terminating(metadata: &Value) -> String {
    let finalizers: Vec<&str> = metadata["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match finalizers.as_slice() {
        [] => "being deleted".to_owned(),
        finalizers => format!("being deleted, waits for {}", finalizers.join(", ")),
    }
}

/// Rules for the kinds of Kubernetes itself; none for a kind that has no rule.
fn built_in(object: &Value) -> Option<Health> {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, _) = split_api_version(api_version);
    let health = match (group, object["kind"].as_str().unwrap_or_default()) {
        ("apps" | "extensions", "Deployment") => workloads::deployment(object),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workloads::daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => workloads::replica_set(object),
        ("", "ReplicationController") => workloads::replication_controller(object),
        ("", "Pod") => pods::pod(object),
        ("batch", "Job") => batch::job(object),
        ("batch", "CronJob") => batch::cron_job(object),
        ("", "Namespace") => cluster::namespace(object),
        ("", "PersistentVolumeClaim") => cluster::volume_claim(object),
        ("", "PersistentVolume") => cluster::volume(object),
        ("", "Service") => cluster::service(object),
        ("networking.k8s.io" | "extensions", "Ingress") => Health::current("applied"),
        ("autoscaling", "HorizontalPodAutoscaler") => cluster::autoscaler(object),
        ("policy", "PodDisruptionBudget") => cluster::disruption_budget(object),
        ("certificates.k8s.io", "CertificateSigningRequest") => cluster::signing_request(object),
        ("apiregistration.k8s.io", "APIService") => cluster::api_service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => cluster::definition(object),
        _ => return None,
    };
    Some(health)
}

/// The last resort for kinds of others: what their conditions say, `Ready` before `Failed` before `Available`. Jobs of others
/// know no `Ready`, and neither do many operators.
fn ready(object: &Value) -> Option<Health> {
    if let Some(ready) = condition(object, "Ready") {
        return Some(match ready.status {
            "True" => Health::current(ready.text_or("ready")),
            _ => Health::in_progress(ready.text_or("not ready")),
        });
    }
    if let Some(failed) = condition(object, "Failed").filter(|found| found.is("True")) {
        return Some(Health::failed(failed.text()));
    }
    let available = condition(object, "Available")?;
    Some(match available.status {
        "True" => Health::current(available.text_or("available")),
        _ => Health::in_progress(available.text_or("not available")),
    })
}

/// One of `status.conditions`.
#[derive(Debug, Clone, Copy)]
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl Condition<'_> {
    fn is(&self, status: &str) -> bool {
        self.status == status
    }

    fn text(&self) -> String {
        self.text_or(self.kind)
    }

    fn text_or(&self, otherwise: &str) -> String {
        match (self.reason, self.message) {
            ("", "") => otherwise.to_owned(),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().map(|found| Condition {
        kind: text_of(&found["type"]),
        status: text_of(&found["status"]),
        reason: text_of(&found["reason"]),
        message: text_of(&found["message"]),
    })
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|found| found.kind == kind)
}

/// Returns a number of the status; what the server leaves out is zero.
fn count(object: &Value, field: &str) -> i64 {
    object["status"][field].as_i64().unwrap_or(0)
}
