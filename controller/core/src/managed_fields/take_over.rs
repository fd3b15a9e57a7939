//! Folding the fields of earlier appliers into our entry.
//!
//! A field that `kubectl apply` set before us stays in the cluster for ever when it is deleted in
//! git, because its entry still holds it. So its ownership becomes ours before we apply.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::fields::{self, Fields};
use super::{MANAGER, ManagedField};
use crate::live::Metadata;
use crate::settings;

/// The annotation in which `kubectl apply` keeps the whole manifest.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An entry of `metadata.managedFields` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the managedFields entry of manager {manager:?} is not a set of fields")]
pub struct Error {
    /// Whose entry it is.
    pub manager: String,
    source: serde_json::Error,
}

/// The change that makes earlier appliers' fields ours.
#[derive(Debug, Clone)]
pub struct TakeOver {
    resource_version: String,
    managed_fields: Option<Vec<ManagedField>>,
    drop_last_applied: bool,
}

impl TakeOver {
    /// Returns the new `metadata.managedFields`, if they change.
    pub fn managed_fields(&self) -> Option<&[ManagedField]> {
        self.managed_fields.as_deref()
    }

    /// Returns the JSON patch to send.
    ///
    /// *Guarantees*: it names the version it was made for; if the object has changed since, the
    /// server answers 409 Conflict and nothing happens (a failing `test` would be a 422 instead,
    /// which looks like an invalid object).
    pub fn patch(&self) -> Value {
        let replacement =
            |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        let mut operations = vec![replacement(
            "/metadata/resourceVersion",
            json!(self.resource_version),
        )];
        if let Some(entries) = &self.managed_fields {
            operations.push(replacement("/metadata/managedFields", json!(entries)));
        }
        if self.drop_last_applied {
            let path = format!("/metadata/annotations/{}", LAST_APPLIED.replace('/', "~1"));
            operations.push(json!({"op": "remove", "path": path}));
        }
        Value::Array(operations)
    }
}

/// Returns what must change so that the fields of earlier appliers are ours; none if nothing.
///
/// Folded are, without subresource: `kubectl…`, `before-first-apply`, our own `Update` entries,
/// Flux v2's `kustomize-controller`, Flux v1's `fluxd`, and Argo CD's two managers. What a person
/// set on purpose stays theirs: the `restartedAt` of `kubectl rollout restart`, and our own
/// annotations set by hand, such as `flux.rs/prune: disabled`.
///
/// *Caveats*: `live` is what lives, never the answer of a dry-run. In a dry-run's answer our entry
/// has already let go of the fields that are to vanish; written back, nobody would own them and
/// they would stay for ever.
///
/// *Guarantees*: no path is lost: each is in our entry or still in that of its owner. A second
/// take-over finds nothing to do.
pub fn take_over(live: &Metadata) -> Result<Option<TakeOver>, Error> {
    let managed_fields = fold(&live.managed_fields)?;
    let drop_last_applied = live.annotations.contains_key(LAST_APPLIED);
    Ok(
        (managed_fields.is_some() || drop_last_applied).then(|| TakeOver {
            resource_version: live.resource_version.clone(),
            managed_fields,
            drop_last_applied,
        }),
    )
}

fn fold(entries: &[ManagedField]) -> Result<Option<Vec<ManagedField>>, Error> {
    let mut kept = Vec::with_capacity(entries.len());
    let mut folded: Vec<(&ManagedField, Fields)> = Vec::new();
    for entry in entries {
        if !is_folded(entry) {
            kept.push(entry.clone());
            continue;
        }
        let (stay, go) = fields::split(parse(entry)?, &|path| stays(entry, path));
        if go_is_all_scaffolding(&stay, &go) {
            kept.push(entry.clone());
            continue;
        }
        if !stay.is_empty() {
            kept.push(with_fields(entry, stay));
        }
        folded.push((entry, go));
    }
    if folded.is_empty() {
        return Ok(None);
    }
    let own = match kept.iter().position(ManagedField::is_own) {
        Some(place) => kept.remove(place),
        None => new_own(&folded),
    };
    let mut ours = parse(&own)?;
    for (_, fields) in folded {
        fields::unite(&mut ours, fields);
    }
    kept.insert(0, with_fields(&own, ours));
    Ok(Some(kept))
}

/// Says whether there is nothing to take but the maps around what stays.
fn go_is_all_scaffolding(stay: &Fields, go: &Fields) -> bool {
    go.iter().all(|(key, value)| {
        if key == "." {
            return !stay.is_empty();
        }
        let nested = stay.get(key).and_then(Value::as_object);
        match (nested, value.as_object()) {
            (Some(stay), Some(go)) if !go.is_empty() => go_is_all_scaffolding(stay, go),
            _ => false,
        }
    }) && !stay.is_empty()
}

fn is_folded(entry: &ManagedField) -> bool {
    let by_name = match entry.manager.as_str() {
        MANAGER => entry.operation == "Update",
        "before-first-apply"
        | "kustomize-controller"
        | "fluxd"
        | "argocd-controller"
        | "argocd-application-controller" => true,
        manager => manager.starts_with("kubectl"),
    };
    by_name && entry.subresource.is_empty()
}

/// Says whether a field stays with the person who set it.
fn stays(entry: &ManagedField, path: &[&str]) -> bool {
    let Some(leaf) = path.last().and_then(|key| key.strip_prefix("f:")) else {
        return false;
    };
    let by_hand = entry.operation == "Update" && entry.manager != "kubectl-client-side-apply";
    match path {
        [.., "f:annotations", _] if entry.manager == "kubectl-rollout" => {
            leaf == "kubectl.kubernetes.io/restartedAt"
        }
        ["f:metadata", "f:annotations" | "f:labels", _] => {
            by_hand && entry.manager.starts_with("kubectl") && settings::is_setting(leaf)
        }
        _ => false,
    }
}

fn new_own(folded: &[(&ManagedField, Fields)]) -> ManagedField {
    let newest = folded
        .iter()
        .map(|(entry, _)| *entry)
        .max_by_key(|entry| entry.time.as_deref());
    ManagedField {
        manager: MANAGER.to_owned(),
        operation: "Apply".to_owned(),
        api_version: newest.map_or_else(String::new, |entry| entry.api_version.clone()),
        time: newest.and_then(|entry| entry.time.clone()),
        fields_type: "FieldsV1".to_owned(),
        fields_v1: None,
        subresource: String::new(),
    }
}

fn parse(entry: &ManagedField) -> Result<Fields, Error> {
    let Some(raw) = &entry.fields_v1 else {
        return Ok(Map::new());
    };
    serde_json::from_str(raw.get()).map_err(|source| Error {
        manager: entry.manager.clone(),
        source,
    })
}

fn with_fields(entry: &ManagedField, fields: Fields) -> ManagedField {
    ManagedField {
        fields_v1: Some(raw(&Value::Object(fields))),
        ..entry.clone()
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value always serialises")
}
