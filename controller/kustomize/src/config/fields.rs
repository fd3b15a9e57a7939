//! The fields that are known without any configuration.
//!
//! A kind is written `group/version/kind`; an empty part means any.

use super::references::{NAME_REFERENCES, VAR_REFERENCES};
use super::{Config, NameReference};
use crate::fieldspec::FieldSpec;
use crate::gvk::Gvk;

/// Kinds with a pod template, and where it is.
const TEMPLATES: [(&str, &str); 7] = [
    ("/v1/ReplicationController", "spec/template"),
    ("//Deployment", "spec/template"),
    ("//ReplicaSet", "spec/template"),
    ("//DaemonSet", "spec/template"),
    ("//StatefulSet", "spec/template"),
    ("batch//Job", "spec/template"),
    ("batch//CronJob", "spec/jobTemplate/spec/template"),
];

/// Selectors that are made where they are missing.
const SELECTORS: [(&str, &str); 6] = [
    ("/v1/Service", "spec/selector"),
    ("/v1/ReplicationController", "spec/selector"),
    ("//Deployment", "spec/selector/matchLabels"),
    ("//ReplicaSet", "spec/selector/matchLabels"),
    ("//DaemonSet", "spec/selector/matchLabels"),
    ("apps//StatefulSet", "spec/selector/matchLabels"),
];

/// Selectors that only get labels where they are.
const PRESENT_SELECTORS: [(&str, &str); 6] = [
    ("batch//Job", "spec/selector/matchLabels"),
    (
        "batch//CronJob",
        "spec/jobTemplate/spec/selector/matchLabels",
    ),
    ("policy//PodDisruptionBudget", "spec/selector/matchLabels"),
    (
        "networking.k8s.io//NetworkPolicy",
        "spec/podSelector/matchLabels",
    ),
    (
        "networking.k8s.io//NetworkPolicy",
        "spec/ingress/from/podSelector/matchLabels",
    ),
    (
        "networking.k8s.io//NetworkPolicy",
        "spec/egress/to/podSelector/matchLabels",
    ),
];

/// Selectors in the pods of a `Deployment` and a `StatefulSet`.
const POD_SELECTORS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "topologySpreadConstraints/labelSelector",
];

const IMAGES: [&str; 7] = [
    "spec/jobTemplate/spec/template/spec/volumes[]/image/reference",
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

const REPLICAS: [&str; 4] = [
    "//Deployment",
    "//ReplicationController",
    "//ReplicaSet",
    "//StatefulSet",
];

pub(super) fn built_in() -> Config {
    let name = || vec![FieldSpec::new("//", "metadata/name", false)];
    Config {
        name_prefix: name(),
        name_suffix: name(),
        namespace: namespace(),
        common_labels: common_labels(),
        labels: Vec::new(),
        template_labels: template_labels(),
        volume_claim_template_labels: volume_claim_template_labels(),
        common_annotations: common_annotations(),
        name_reference: name_references(),
        var_reference: specs(VAR_REFERENCES, false),
        images: IMAGES
            .iter()
            .map(|path| FieldSpec::new("//", *path, true))
            .collect(),
        replicas: REPLICAS
            .iter()
            .map(|gvk| FieldSpec::new(gvk, "spec/replicas", true))
            .collect(),
    }
}

fn specs(table: &'static [(&'static str, &'static str)], create: bool) -> Vec<FieldSpec> {
    table
        .iter()
        .map(|(gvk, path)| FieldSpec::new(gvk, *path, create))
        .collect()
}

fn namespace() -> Vec<FieldSpec> {
    vec![
        FieldSpec::new("//Namespace", "metadata/name", true),
        FieldSpec::new(
            "apiregistration.k8s.io//APIService",
            "spec/service/namespace",
            true,
        ),
        FieldSpec::new(
            "apiextensions.k8s.io//CustomResourceDefinition",
            "spec/conversion/webhook/clientConfig/service/namespace",
            false,
        ),
    ]
}

/// The field of the metadata of every object, of its pods, and of its jobs.
fn metadata(field: &str) -> Vec<FieldSpec> {
    let mut specs = vec![FieldSpec::new("//", format!("metadata/{field}"), true)];
    for (gvk, template) in TEMPLATES {
        if gvk == "batch//CronJob" {
            let path = format!("spec/jobTemplate/metadata/{field}");
            specs.push(FieldSpec::new(gvk, path, true));
        }
        specs.push(FieldSpec::new(
            gvk,
            format!("{template}/metadata/{field}"),
            true,
        ));
    }
    specs
}

fn common_annotations() -> Vec<FieldSpec> {
    metadata("annotations")
}

fn template_labels() -> Vec<FieldSpec> {
    let mut specs = metadata("labels");
    for spec in &mut specs {
        if spec.gvk.kind == "StatefulSet" {
            spec.gvk.group = "apps".into();
        }
    }
    specs
}

fn volume_claim_template_labels() -> Vec<FieldSpec> {
    vec![FieldSpec::new(
        "apps//StatefulSet",
        "spec/volumeClaimTemplates[]/metadata/labels",
        true,
    )]
}

fn common_labels() -> Vec<FieldSpec> {
    let mut all = specs(&SELECTORS, true);
    all.extend(specs(&PRESENT_SELECTORS, false));
    for gvk in ["apps//Deployment", "apps//StatefulSet"] {
        for selector in POD_SELECTORS {
            let path = format!("spec/template/spec/{selector}/matchLabels");
            all.push(FieldSpec::new(gvk, path, false));
        }
    }
    all.extend(template_labels());
    all.extend(volume_claim_template_labels());
    all
}

fn name_references() -> Vec<NameReference> {
    NAME_REFERENCES
        .iter()
        .map(|(gvk, referrers)| NameReference {
            gvk: Gvk::parse(gvk),
            referrers: specs(referrers, false),
        })
        .collect()
}
