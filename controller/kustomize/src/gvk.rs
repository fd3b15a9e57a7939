//! Names of kinds and of objects.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use crate::schema;

/// Kinds that come first in the order of the `kustomize` command.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Group, version and kind; as a selector, an empty part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gvk {
    pub(crate) group: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) kind: Cow<'static, str>,
}

impl Gvk {
    pub(crate) fn new(group: String, version: String, kind: String) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// Reads `group/version/kind`, in which every part may be empty.
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut parts = text.rsplitn(3, '/');
        let mut next = || Cow::Borrowed(parts.next().unwrap_or_default());
        let (kind, version, group) = (next(), next(), next());
        Self {
            group,
            version,
            kind,
        }
    }

    pub(crate) fn as_ref(&self) -> GvkRef<'_> {
        GvkRef {
            group: &self.group,
            version: &self.version,
            kind: &self.kind,
        }
    }
}

/// Group, version and kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GvkRef<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
}

impl<'a> GvkRef<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        Self::new(text("apiVersion"), text("kind"))
    }

    pub(crate) fn new(api_version: &'a str, kind: &'a str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group,
            version,
            kind,
        }
    }

    /// Whether a selector, in which an empty part means any, selects this.
    pub(crate) fn is_selected(self, selector: &Gvk) -> bool {
        let fits = |pattern: &str, part: &str| pattern.is_empty() || pattern == part;
        fits(&selector.group, self.group)
            && fits(&selector.version, self.version)
            && fits(&selector.kind, self.kind)
    }

    /// Whether objects of this kind stand outside namespaces, as far as known.
    pub(crate) fn is_cluster_scoped(self) -> bool {
        schema::is_cluster_scoped(self)
    }

    pub(crate) fn rank(self) -> i32 {
        let position = |kinds: &[&str]| kinds.iter().position(|kind| *kind == self.kind);
        if let Some(at) = position(&FIRST) {
            return i32::try_from(at).unwrap_or_default() - 22;
        }
        position(&LAST).map_or(0, |at| i32::try_from(at).unwrap_or_default() + 1)
    }

    /// Compares as the `kustomize` command orders kinds.
    pub(crate) fn legacy_cmp(self, other: Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| {
            let bytes = |gvk: Self| gvk.stable_parts().into_iter().flat_map(str::bytes);
            bytes(self).cmp(bytes(other))
        })
    }

    pub(crate) fn stable_text(self) -> String {
        self.stable_parts().concat()
    }

    fn stable_parts(self) -> [&'a str; 5] {
        let or = |part: &'a str, empty: &'static str| if part.is_empty() { empty } else { part };
        [
            or(self.group, "~G"),
            "_",
            or(self.version, "~V"),
            "_",
            or(self.kind, "~K"),
        ]
    }
}

impl fmt::Display for GvkRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or<'a>(part: &'a str, empty: &'static str) -> &'a str {
            if part.is_empty() { empty } else { part }
        }
        write!(
            f,
            "{}.{}.{}",
            or(self.kind, "[noKind]"),
            or(self.version, "[noVer]"),
            or(self.group, "[noGrp]")
        )
    }
}

/// The namespace of objects that have none.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// What names an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdRef<'a> {
    pub(crate) gvk: GvkRef<'a>,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

impl<'a> IdRef<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        let metadata = value.get("metadata");
        let text = |key| {
            metadata
                .and_then(|metadata| metadata.get(key))
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self {
            gvk: GvkRef::of(value),
            name: text("name"),
            namespace: text("namespace"),
        }
    }

    /// No namespace is the namespace `default`; what has no namespace is in one of its own.
    pub(crate) fn effective_namespace(self) -> &'a str {
        if self.gvk.is_cluster_scoped() {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            "default"
        } else {
            self.namespace
        }
    }

    pub(crate) fn same_namespace(self, other: IdRef<'_>) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    pub(crate) fn same_but_namespace(self, other: IdRef<'_>) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    pub(crate) fn same(self, other: IdRef<'_>) -> bool {
        self.same_but_namespace(other) && self.same_namespace(other)
    }

    /// A key that is equal for ids that are [`Self::same`].
    pub(crate) fn key(self) -> String {
        let GvkRef {
            group,
            version,
            kind,
        } = self.gvk;
        let namespace = self.effective_namespace();
        format!("{group}/{version}/{kind}/{namespace}/{}", self.name)
    }

    /// The text by which the `kustomize` command breaks ties in its order.
    pub(crate) fn legacy_text(self) -> String {
        let or = |part: &'a str, empty: &'static str| if part.is_empty() { empty } else { part };
        let (namespace, name) = (or(self.namespace, "~X"), or(self.name, "~N"));
        format!("{}|{namespace}|{name}", self.gvk)
    }
}

/// `Deployment/namespace/name`, for people.
impl fmt::Display for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.gvk.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(self.name)
    }
}
