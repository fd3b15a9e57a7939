//! Workloads: what has a pod template or is a Helm release, by the names that Flux v1 gave them.

mod elsewhere;
mod find;
mod policy;

use std::{collections::BTreeMap, fmt};

use flux_core::{
    edit,
    health::{self, Status},
    image::Image,
    object::ObjectId,
};
use flux_crds::names;
use serde_json::Value;

use crate::error::Error;

pub(crate) use elsewhere::{Elsewhere, elsewhere, in_scope};
pub(crate) use find::{image_policies, workloads};
pub(crate) use policy::{Policies, TagFilter, spellings};

/// The kinds whose images are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WorkloadKind {
    /// Runs jobs by the clock.
    CronJob,
    /// Runs on every node.
    DaemonSet,
    /// Runs any number of equal pods.
    Deployment,
    /// Installs a chart, whose values name images.
    HelmRelease,
    /// Runs pods with names and disks.
    StatefulSet,
}

impl WorkloadKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 5] = [
        Self::CronJob,
        Self::DaemonSet,
        Self::Deployment,
        Self::HelmRelease,
        Self::StatefulSet,
    ];

    /// Returns the `kind` of manifests.
    pub(crate) fn in_manifests(self) -> &'static str {
        match self {
            Self::CronJob => "CronJob",
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::HelmRelease => "HelmRelease",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// Returns the API group.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::CronJob => "batch",
            Self::DaemonSet | Self::Deployment | Self::StatefulSet => "apps",
            Self::HelmRelease => "helm.toolkit.fluxcd.io",
        }
    }

    /// Returns the version of the API.
    pub(crate) fn version(self) -> &'static str {
        if self == Self::HelmRelease {
            "v2"
        } else {
            "v1"
        }
    }

    /// Tells whether a cluster may do without the kind.
    pub(crate) fn is_optional(self) -> bool {
        self == Self::HelmRelease
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| {
            let name = kind.in_manifests().to_ascii_lowercase();
            text == name || text.strip_suffix('s') == Some(&name)
        })
    }

    /// Returns the specification of the pods, if it has one.
    fn pod_spec(self, object: &Value) -> Option<&Value> {
        object.pointer(match self {
            Self::CronJob => "/spec/jobTemplate/spec/template/spec",
            Self::DaemonSet | Self::Deployment | Self::StatefulSet => "/spec/template/spec",
            Self::HelmRelease => return None,
        })
    }
}

/// Which workload; its text is that of Flux v1, `shop:deployment/web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkloadId {
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its kind.
    pub(crate) kind: WorkloadKind,
    /// Its name.
    pub(crate) name: String,
}

impl WorkloadId {
    /// Reads `[NAMESPACE:]KIND/NAME`.
    pub(crate) fn read(text: &str, namespace: &str) -> Result<Self, Error> {
        let (namespace, rest) = text.split_once(':').unwrap_or((namespace, text));
        let parts = rest
            .split_once('/')
            .and_then(|(kind, name)| Some((WorkloadKind::read(kind)?, name)));
        match parts {
            Some((kind, name)) if !name.is_empty() && !namespace.is_empty() => Ok(Self {
                namespace: namespace.to_owned(),
                kind,
                name: name.to_owned(),
            }),
            _ => Err(Error::usage(
                format!("\"{text}\" is no workload"),
                "write [NAMESPACE:]KIND/NAME, as in shop:deployment/web; kinds are cronjob, daemonset, deployment, helmrelease and statefulset",
            )),
        }
    }

    /// Returns the identity of its object.
    pub(crate) fn object(&self) -> ObjectId {
        ObjectId {
            group: self.kind.group().to_owned(),
            kind: self.kind.in_manifests().to_owned(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.in_manifests().to_ascii_lowercase();
        write!(f, "{}:{kind}/{}", self.namespace, self.name)
    }
}

/// A container and its image; of a Helm release, the part of its values that names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its name.
    pub(crate) name: String,
    /// Its image, as the object has it.
    pub(crate) image: String,
}

/// A workload of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workload {
    /// Which.
    pub(crate) id: WorkloadId,
    /// Its containers, the first ones initialise.
    pub(crate) containers: Vec<Container>,
    /// Its annotations.
    pub(crate) annotations: BTreeMap<String, String>,
    /// The Sync that applied it: namespace and name.
    pub(crate) sync: Option<(String, String)>,
    /// The object.
    pub(crate) object: Value,
}

impl Workload {
    /// Reads an object of the cluster or of a build.
    pub(crate) fn read(kind: WorkloadKind, object: Value) -> Self {
        let text = |pointer: &str| {
            let value = object.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let labels = texts(&object, "/metadata/labels");
        let label = |key: &str| labels.get(key).cloned();
        Self {
            id: WorkloadId {
                namespace: text("/metadata/namespace"),
                kind,
                name: text("/metadata/name"),
            },
            containers: containers(kind, &object),
            annotations: texts(&object, "/metadata/annotations"),
            sync: label(names::LABEL_SYNC_NAMESPACE).zip(label(names::LABEL_SYNC)),
            object,
        }
    }

    /// Returns how its rollout fares, in the words of Flux v1.
    pub(crate) fn release(&self) -> &'static str {
        let number = |pointer| self.object.pointer(pointer).and_then(Value::as_i64);
        match health::assess(&self.object).status {
            Status::Current => "ready",
            Status::Failed => "error",
            Status::InProgress
                if number("/status/observedGeneration") < number("/metadata/generation") =>
            {
                "started"
            }
            Status::InProgress => "updating",
            Status::Terminating => "terminating",
            Status::Unknown => "unknown",
        }
    }

    /// Returns how many of its pods are new and run, and how many there should be.
    pub(crate) fn replicas(&self) -> String {
        let number = |pointer| self.object.pointer(pointer).and_then(Value::as_i64);
        let (updated, wanted) = match self.id.kind {
            WorkloadKind::CronJob | WorkloadKind::HelmRelease => return "-".into(),
            WorkloadKind::DaemonSet => (
                number("/status/updatedNumberScheduled"),
                number("/status/desiredNumberScheduled"),
            ),
            WorkloadKind::Deployment | WorkloadKind::StatefulSet => (
                number("/status/updatedReplicas"),
                number("/spec/replicas").or(Some(1)),
            ),
        };
        format!("{}/{}", updated.unwrap_or(0), wanted.unwrap_or(0))
    }

    /// Returns the names of the pull secrets of its pods, and of their service account.
    pub(crate) fn pull_secrets(&self) -> (Vec<String>, String) {
        let pod = self.id.kind.pod_spec(&self.object);
        let secrets = pod.and_then(|pod| pod.get("imagePullSecrets")?.as_array());
        let names = secrets
            .into_iter()
            .flatten()
            .filter_map(|secret| Some(secret.get("name")?.as_str()?.to_owned()));
        let account = pod.and_then(|pod| pod.get("serviceAccountName")?.as_str());
        (names.collect(), account.unwrap_or("default").to_owned())
    }
}

fn texts(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let pairs = object.pointer(pointer).and_then(Value::as_object);
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    pairs.into_iter().flatten().filter_map(text).collect()
}

fn containers(kind: WorkloadKind, object: &Value) -> Vec<Container> {
    if kind == WorkloadKind::HelmRelease {
        let (images, _) = edit::take_images(object.clone());
        let container = |(name, image): (String, Image)| Container {
            name,
            image: image.to_string(),
        };
        return images.into_iter().map(container).collect();
    }
    let pod = kind.pod_spec(object);
    let list = |field: &str| pod.and_then(|pod| pod.get(field)?.as_array());
    let text = |container: &Value, field: &str| Some(container.get(field)?.as_str()?.to_owned());
    [list("initContainers"), list("containers")]
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|container| {
            Some(Container {
                name: text(container, "name")?,
                image: text(container, "image")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workload_is_named_as_flux_v1_named_it() {
        for (text, expected) in [
            ("shop:deployment/web", "shop:deployment/web"),
            ("Deployment/web", "default:deployment/web"),
            ("cronjobs/backup", "default:cronjob/backup"),
        ] {
            let id = WorkloadId::read(text, "default").expect("a workload");
            assert_eq!(id.to_string(), expected);
        }
        for text in [
            "web",
            "deployment/",
            "pod/web",
            ":deployment/web",
            "a:b:deployment/c",
        ] {
            assert!(WorkloadId::read(text, "default").is_err(), "{text}");
        }
    }

    #[test]
    fn the_containers_of_a_cron_job_and_those_that_initialise_are_found() {
        let pod = json!({
            "imagePullSecrets": [{"name": "pull"}],
            "initContainers": [{"name": "init", "image": "busybox:1"}],
            "containers": [{"name": "app", "image": "app:2"}, {"name": "broken"}],
        });
        let template = json!({"template": {"spec": pod}});
        let object = json!({
            "metadata": {"name": "backup", "namespace": "shop", "labels": {"flux.rs/sync": "apps", "flux.rs/sync-namespace": "flux"}},
            "spec": {"jobTemplate": {"spec": template}},
        });

        let workload = Workload::read(WorkloadKind::CronJob, object);

        let images: Vec<_> = workload
            .containers
            .iter()
            .map(|one| (&*one.name, &*one.image))
            .collect();
        assert_eq!(images, [("init", "busybox:1"), ("app", "app:2")]);
        assert_eq!(workload.sync, Some(("flux".into(), "apps".into())));
        assert_eq!(
            workload.pull_secrets(),
            (vec!["pull".into()], "default".into())
        );
    }

    #[test]
    fn the_images_of_a_helm_release_are_those_in_its_values() {
        let object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "front", "namespace": "shop"},
            "spec": {"values": {
                "image": {"repository": "ghcr.io/org/web", "tag": "1.2"},
                "cache": {"image": "redis:7", "port": 6379},
            }},
        });

        let workload = Workload::read(WorkloadKind::HelmRelease, object);

        let images: Vec<_> = workload
            .containers
            .iter()
            .map(|one| (&*one.name, &*one.image))
            .collect();
        let expected = [("chart-image", "ghcr.io/org/web:1.2"), ("cache", "redis:7")];
        assert_eq!(images, expected);
        assert_eq!(workload.replicas(), "-");
        assert_eq!(workload.pull_secrets(), (vec![], "default".into()));
    }

    #[test]
    fn a_rollout_that_nobody_began_is_started() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 1},
        });

        assert_eq!(
            Workload::read(WorkloadKind::Deployment, object).release(),
            "started"
        );
    }
}
