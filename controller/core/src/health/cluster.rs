//! Kinds around the workloads: networks, volumes, definitions.

use serde_json::Value;

use super::{Health, Status, condition, conditions};

pub(super) fn namespace(object: &Value) -> Health {
    match object["status"]["phase"].as_str() {
        Some("Terminating") => Health::new(Status::Terminating, "being deleted"),
        _ => Health::current("active"),
    }
}

pub(super) fn volume_claim(object: &Value) -> Health {
    match object["status"]["phase"].as_str() {
        Some("Bound") => Health::current("bound"),
        Some("Lost") => Health::failed("the volume is lost"),
        Some(phase) => Health::in_progress(format!("not bound, phase {phase}")),
        None => Health::in_progress("not bound yet"),
    }
}

/// A volume that nobody claims yet is as good as one that is bound.
pub(super) fn volume(object: &Value) -> Health {
    match object["status"]["phase"].as_str() {
        Some("Failed") => {
            let message = object["status"]["message"].as_str();
            Health::failed(message.unwrap_or("the volume could not be reclaimed"))
        }
        Some("Available" | "Bound" | "Released") => Health::current("there"),
        _ => Health::in_progress("not there yet"),
    }
}

/// A load balancer is of use when it has an address.
pub(super) fn service(object: &Value) -> Health {
    let addresses = object["status"]["loadBalancer"]["ingress"].as_array();
    let has_address = addresses.is_some_and(|addresses| !addresses.is_empty());
    match object["spec"]["type"].as_str() {
        Some("LoadBalancer") if !has_address => {
            Health::in_progress("the load balancer has no address yet")
        }
        _ => Health::current("applied"),
    }
}

/// An autoscaler without metrics still holds its target where it is, so that it is no failure;
/// the message says so.
pub(super) fn autoscaler(object: &Value) -> Health {
    if let Some(able) = condition(object, "AbleToScale").filter(|found| found.is("False")) {
        return Health::in_progress(able.text());
    }
    match condition(object, "ScalingActive").filter(|found| found.is("False")) {
        Some(inactive) => Health::current(format!("not scaling: {}", inactive.text())),
        None => Health::current("applied"),
    }
}

/// Too few healthy pods are what a budget is for; that it cannot be computed is a fault.
pub(super) fn disruption_budget(object: &Value) -> Health {
    conditions(object)
        .find(|found| found.is("False") && found.reason != "InsufficientPods")
        .map_or_else(
            || Health::current("applied"),
            |found| Health::in_progress(found.text()),
        )
}

pub(super) fn api_service(object: &Value) -> Health {
    match condition(object, "Available") {
        Some(available) if available.is("True") => Health::current("available"),
        Some(available) => Health::in_progress(available.text()),
        None => Health::in_progress("not available yet"),
    }
}

pub(super) fn definition(object: &Value) -> Health {
    if let Some(names) = condition(object, "NamesAccepted").filter(|found| found.is("False")) {
        return Health::failed(names.text());
    }
    match condition(object, "Established") {
        Some(established) if established.is("True") => Health::current("established"),
        Some(established) if established.is("False") && established.reason != "Installing" => {
            Health::failed(established.text())
        }
        _ => Health::in_progress("not established yet"),
    }
}

/// A request is of use when it is signed; approved alone, it still waits for its signer. The conditions are those of
/// `certificates.k8s.io/v1`, and no refusal is ever taken back.
pub(super) fn signing_request(object: &Value) -> Health {
    let mut refusal = ["Denied", "Failed"].into_iter();
    let refusal = refusal.find_map(|kind| condition(object, kind));
    if let Some(refusal) = refusal.filter(|found| !found.is("False")) {
        return Health::failed(refusal.text());
    }
    let is_signed = object["status"]["certificate"]
        .as_str()
        .is_some_and(|certificate| !certificate.is_empty());
    match condition(object, "Approved") {
        Some(_) if is_signed => Health::current("signed"),
        Some(_) => Health::in_progress("approved, not signed yet"),
        None => Health::in_progress("not approved yet"),
    }
}
