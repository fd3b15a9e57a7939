//! Makes `src/schema/table.rs` from Kubernetes' `api/openapi-spec/swagger.json`:
//!
//! ```text
//! cargo run -p flux-kustomize --example generate-schema -- swagger.json > controller/kustomize/src/schema/table.rs
//! ```
#![allow(clippy::print_stdout, reason = "the table goes to standard output")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use serde_json::Value;

/// Versions that Kubernetes no longer serves, but manifests still use: kind and the version it is like.
const REMOVED: [(&str, &str); 12] = [
    ("batch/v1beta1/CronJob", "batch/v1/CronJob"),
    (
        "policy/v1beta1/PodDisruptionBudget",
        "policy/v1/PodDisruptionBudget",
    ),
    ("extensions/v1beta1/Ingress", "networking.k8s.io/v1/Ingress"),
    (
        "networking.k8s.io/v1beta1/Ingress",
        "networking.k8s.io/v1/Ingress",
    ),
    (
        "discovery.k8s.io/v1beta1/EndpointSlice",
        "discovery.k8s.io/v1/EndpointSlice",
    ),
    (
        "rbac.authorization.k8s.io/v1beta1/ClusterRole",
        "rbac.authorization.k8s.io/v1/ClusterRole",
    ),
    (
        "rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding",
        "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
    ),
    (
        "apiextensions.k8s.io/v1beta1/CustomResourceDefinition",
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
    ),
    (
        "admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
    ),
    (
        "admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
    ),
    (
        "storage.k8s.io/v1beta1/StorageClass",
        "storage.k8s.io/v1/StorageClass",
    ),
    (
        "scheduling.k8s.io/v1beta1/PriorityClass",
        "scheduling.k8s.io/v1/PriorityClass",
    ),
];

/// Kinds outside namespaces that kustomize does not know yet. It puts them into the namespace
/// of a kustomization; so does this build, and who applies objects takes the namespace away.
const UNKNOWN_TO_KUSTOMIZE: [&str; 13] = [
    "certificates.k8s.io/v1/ClusterTrustBundle",
    "certificates.k8s.io/v1beta1/",
    "flowcontrol.apiserver.k8s.io/v1/",
    "internal.apiserver.k8s.io/v1alpha1/",
    "networking.k8s.io/v1/IPAddress",
    "networking.k8s.io/v1/ServiceCIDR",
    "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1alpha1/",
    "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy",
    "resource.k8s.io/",
    "storage.k8s.io/v1/VolumeAttributesClass",
    "storagemigration.k8s.io/",
    "/v1/NodeProxyOptions",
];

/// Kinds outside namespaces that are gone for good.
const REMOVED_CLUSTER_SCOPED: [&str; 1] = ["policy/v1beta1/PodSecurityPolicy"];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: generate-schema swagger.json")?;
    let swagger: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut schema = Schema::read(&swagger).ok_or("the file has no definitions")?;
    for (removed, like) in REMOVED {
        if schema.cluster_scoped.contains(like) {
            schema.cluster_scoped.insert(removed.to_owned());
        }
        if let Some(kind) = schema.kinds.get(like).cloned() {
            schema.kinds.insert(removed.to_owned(), kind);
        }
    }
    schema
        .cluster_scoped
        .extend(REMOVED_CLUSTER_SCOPED.map(str::to_owned));
    schema.cluster_scoped.retain(|gvk| {
        !UNKNOWN_TO_KUSTOMIZE
            .iter()
            .any(|unknown| gvk.starts_with(unknown))
    });
    schema.print();
    Ok(())
}

#[derive(Default)]
struct Schema {
    kinds: BTreeMap<String, String>,
    cluster_scoped: BTreeSet<String>,
    types: BTreeMap<String, Vec<Field>>,
}

#[derive(Clone)]
struct Field {
    name: String,
    merge: Option<Vec<String>>,
    of: Option<String>,
}

impl Schema {
    fn read(swagger: &Value) -> Option<Self> {
        let mut schema = Self::default();
        for (name, definition) in swagger.get("definitions")?.as_object()? {
            for gvk in gvks(definition) {
                schema.kinds.insert(gvk, name.clone());
            }
            let properties = definition.get("properties").and_then(Value::as_object);
            let fields = properties
                .into_iter()
                .flatten()
                .map(|(name, field)| read_field(name, field));
            schema.types.insert(name.clone(), fields.collect());
        }
        let mut namespaced = BTreeSet::new();
        for (path, operations) in swagger.get("paths")?.as_object()? {
            for operation in operations.as_object()?.values() {
                let Some(gvk) = operation.get("x-kubernetes-group-version-kind") else {
                    continue;
                };
                let set = if path.contains("/namespaces/{namespace}/") {
                    &mut namespaced
                } else if path.contains("{name}") {
                    &mut schema.cluster_scoped
                } else {
                    continue;
                };
                set.insert(gvk_text(gvk));
            }
        }
        schema
            .cluster_scoped
            .retain(|gvk| !namespaced.contains(gvk));
        schema.prune();
        Some(schema)
    }

    /// Leaves out all types below which no list is merged.
    fn prune(&mut self) {
        let mut useful: BTreeSet<String> = BTreeSet::new();
        loop {
            let more: Vec<String> = self
                .types
                .iter()
                .filter(|(name, fields)| {
                    !useful.contains(*name)
                        && fields.iter().any(|field| {
                            field.merge.is_some()
                                || field.of.as_ref().is_some_and(|of| useful.contains(of))
                        })
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            useful.extend(more);
        }
        self.types.retain(|name, _| useful.contains(name));
        for fields in self.types.values_mut() {
            for field in fields.iter_mut() {
                field.of = field.of.take().filter(|of| useful.contains(of));
            }
            fields.retain(|field| field.merge.is_some() || field.of.is_some());
        }
        self.kinds.retain(|_, name| useful.contains(name));
    }

    fn print(&self) {
        let index: BTreeMap<&String, usize> = self
            .types
            .keys()
            .enumerate()
            .map(|(at, name)| (name, at))
            .collect();
        println!("//! Made by `examples/generate-schema.rs`; do not edit.\n");
        println!("use super::Field;\n");
        println!(
            "/// Kinds outside namespaces.\n#[rustfmt::skip]\npub(super) const CLUSTER_SCOPED: &[&str] = &["
        );
        for gvk in &self.cluster_scoped {
            println!("    {gvk:?},");
        }
        println!(
            "];\n\n/// Kinds with lists that are merged, and their types.\n#[rustfmt::skip]\npub(super) const KINDS: &[(&str, usize)] = &["
        );
        for (gvk, name) in &self.kinds {
            println!("    ({gvk:?}, {}),", index[name]);
        }
        println!(
            "];\n\n/// Types, sorted by name, with the fields that matter for merging.\n#[rustfmt::skip]\npub(super) const TYPES: &[(&str, &[Field])] = &["
        );
        for (name, fields) in &self.types {
            println!("    ({name:?}, &[");
            for field in fields {
                let of = field.of.as_ref().map(|of| index[of]);
                let merge = match &field.merge {
                    Some(keys) => format!("Some(&{keys:?})"),
                    None => "None".to_owned(),
                };
                println!(
                    "        Field {{ name: {:?}, merge: {merge}, of: {of:?} }},",
                    field.name
                );
            }
            println!("    ]),");
        }
        println!("];");
    }
}

fn read_field(name: &str, field: &Value) -> Field {
    let text = |key| field.get(key).and_then(Value::as_str);
    let merges = text("x-kubernetes-patch-strategy")
        .is_some_and(|strategy| strategy.split(',').any(|part| part == "merge"));
    let keys = match field
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array)
    {
        Some(keys) => keys
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => text("x-kubernetes-patch-merge-key")
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    let target = field
        .get("items")
        .or_else(|| field.get("additionalProperties"))
        .unwrap_or(field);
    let of = target.get("$ref").and_then(Value::as_str);
    Field {
        name: name.to_owned(),
        merge: merges.then_some(keys),
        of: of.map(|of| of.trim_start_matches("#/definitions/").to_owned()),
    }
}

fn gvks(definition: &Value) -> Vec<String> {
    let list = definition
        .get("x-kubernetes-group-version-kind")
        .and_then(Value::as_array);
    list.into_iter().flatten().map(gvk_text).collect()
}

fn gvk_text(gvk: &Value) -> String {
    let text = |key| gvk.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}/{}", text("group"), text("version"), text("kind"))
}
