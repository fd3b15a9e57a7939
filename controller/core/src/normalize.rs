//! Brings manifests into the form in which server-side apply takes them without surprise.
//!
//! Without it the same manifest looks changed at every apply, or is refused: list items without
//! their key, fields that only the server may set, parts that another controller fills in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::object::split_api_version;

#[cfg(test)]
mod tests;

/// Fields of `metadata` that only the server sets; manifests have them when they were exported.
const SERVER_FIELDS: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Normalises one object in place; what it does not understand it leaves alone.
///
/// *Guarantees*: a second call changes nothing.
pub fn normalize(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    fields.shift_remove("status");
    let group = fields.get("apiVersion").and_then(Value::as_str);
    let group = group.map_or("", |version| split_api_version(version).0);
    let group = group.to_owned();
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or("");
    let kind = kind.to_owned();
    clean_metadata(object.get_mut("metadata"));
    match (group.as_str(), kind.as_str()) {
        ("", "Secret") => merge_string_data(object),
        ("", "Service") => default_protocols(object.pointer_mut("/spec/ports")),
        ("autoscaling", "HorizontalPodAutoscaler") => drop_repeated_metrics(object),
        ("rbac.authorization.k8s.io", "ClusterRole") => drop_aggregated_rules(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            drop_invalid_bundle(object.pointer_mut("/spec/conversion/webhook/clientConfig"));
        }
        ("apiregistration.k8s.io", "APIService") => {
            drop_invalid_bundle(object.pointer_mut("/spec"));
        }
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => each(object.get_mut("webhooks"), |webhook| {
            drop_invalid_bundle(webhook.get_mut("clientConfig"));
        }),
        (group, kind) => normalize_workload(object, group, kind),
    }
}

/// Returns the place of the pod template in the kinds that have one.
fn pod_path(group: &str, kind: &str) -> Option<&'static str> {
    match (group, kind) {
        ("", "Pod") => Some(""),
        ("", "PodTemplate") => Some("/template"),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job") => Some("/spec/template"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

fn normalize_workload(object: &mut Value, group: &str, kind: &str) {
    let Some(pod) = pod_path(group, kind).and_then(|path| object.pointer_mut(path)) else {
        return;
    };
    clean_metadata(pod.get_mut("metadata"));
    for containers in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = pod
            .get_mut("spec")
            .and_then(|spec| spec.get_mut(containers));
        each(containers, |container| {
            default_protocols(container.get_mut("ports"));
        });
    }
    clean_metadata(object.pointer_mut("/spec/jobTemplate/metadata"));
    each(object.pointer_mut("/spec/volumeClaimTemplates"), |claim| {
        clean_metadata(claim.get_mut("metadata"));
        remove(claim, "status");
    });
}

fn clean_metadata(metadata: Option<&mut Value>) {
    let Some(metadata) = metadata.and_then(Value::as_object_mut) else {
        return;
    };
    for field in SERVER_FIELDS {
        metadata.shift_remove(field);
    }
    for field in ["labels", "annotations"] {
        if metadata.get(field).is_some_and(Value::is_null) {
            metadata.shift_remove(field);
        }
    }
}

/// The protocol is part of the key of a port, and the key must be in the manifest.
fn default_protocols(ports: Option<&mut Value>) {
    each(ports, |port| {
        if let Some(port) = port.as_object_mut()
            && port.get("protocol").is_none_or(Value::is_null)
        {
            port.insert("protocol".to_owned(), json!("TCP"));
        }
    });
}

/// `stringData` is write-only; what is applied must be what is stored, or it never compares equal.
fn merge_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.get("stringData") else {
        return;
    };
    // A value that is not text is refused by the server, with the name of the field.
    if !plain.values().all(Value::is_string) {
        return;
    }
    let Some(Value::Object(plain)) = fields.shift_remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    if let Some(data) = data.as_object_mut() {
        for (key, value) in plain {
            let text = value.as_str().unwrap_or_default();
            data.insert(key, STANDARD.encode(text).into());
        }
    }
}

fn drop_repeated_metrics(autoscaler: &mut Value) {
    if let Some(Value::Array(metrics)) = autoscaler.pointer_mut("/spec/metrics") {
        let mut seen: Vec<Value> = Vec::with_capacity(metrics.len());
        for metric in metrics.drain(..) {
            if !seen.contains(&metric) {
                seen.push(metric);
            }
        }
        *metrics = seen;
    }
}

/// The rules of an aggregated role are the work of a controller, which would fight us for them.
fn drop_aggregated_rules(role: &mut Value) {
    if role.get("aggregationRule").is_some_and(Value::is_object) {
        remove(role, "rules");
    }
}

/// Generators write placeholders here that the server refuses, and injectors fill it in later.
fn drop_invalid_bundle(config: Option<&mut Value>) {
    let Some(config) = config else { return };
    let is_invalid = match config.get("caBundle") {
        None => false,
        Some(Value::String(bundle)) => !is_certificate_bundle(bundle),
        Some(_) => true,
    };
    if is_invalid {
        remove(config, "caBundle");
    }
}

fn is_certificate_bundle(base64: &str) -> bool {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let decoded = STANDARD.decode(base64.trim()).unwrap_or_default();
    let Ok(pem) = String::from_utf8(decoded) else {
        return false;
    };
    let body = pem
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END));
    body.is_some_and(|(body, _)| {
        let body: String = body.split_whitespace().collect();
        // DER of a certificate is a SEQUENCE.
        STANDARD
            .decode(body)
            .is_ok_and(|der| der.first() == Some(&0x30))
    })
}

fn each(list: Option<&mut Value>, mut change: impl FnMut(&mut Value)) {
    for item in list.and_then(Value::as_array_mut).into_iter().flatten() {
        change(item);
    }
}

fn remove(value: &mut Value, field: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.shift_remove(field);
    }
}
