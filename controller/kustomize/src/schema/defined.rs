//! Types that custom resource definitions among the objects of a build define.
//!
//! The definitions are read where they stand, when a patch or a namespace needs them: most of a
//! large build can be definitions, and most builds never ask.

use std::collections::HashSet;

use serde_json::Value;

use crate::gvk::GvkRef;
use crate::options::Scopes;
use crate::resource::{Resource, Resources};

/// A part of the schema of a version.
#[derive(Clone, Copy)]
pub(crate) struct Type<'s>(&'s Value);

impl<'s> Type<'s> {
    /// Finds what a definition says about a kind.
    pub(super) fn of_kind(resources: &'s [Resource], gvk: GvkRef<'_>) -> Option<Self> {
        let spec = specs(resources).find(|spec| defines(spec) == Some((gvk.group, gvk.kind)))?;
        let versions = spec.get("versions").and_then(Value::as_array);
        let own = versions.into_iter().flatten().find_map(|version| {
            let named = version.get("name")?.as_str()? == gvk.version;
            named.then_some(version)?.pointer("/schema/openAPIV3Schema")
        });
        // Before v1, all versions could share one schema.
        own.or_else(|| spec.pointer("/validation/openAPIV3Schema"))
            .map(Self)
    }

    fn property(self, name: &str) -> Option<&'s Value> {
        let property = self.0.get("properties").and_then(|all| all.get(name));
        property.or_else(|| self.0.get("additionalProperties"))
    }

    pub(super) fn field(self, name: &str) -> Option<Self> {
        let property = self.property(name)?;
        Some(Self(property.get("items").unwrap_or(property)))
    }

    pub(super) fn merge_keys(self, name: &str) -> Option<Vec<&'s str>> {
        let property = self.property(name)?;
        let text = |name: &str| property.get(name).and_then(Value::as_str);
        let keys = property.get("x-kubernetes-list-map-keys");
        let keys = keys.and_then(Value::as_array).into_iter().flatten();
        match text("x-kubernetes-list-type") {
            Some("map") => Some(keys.filter_map(Value::as_str).collect()),
            Some("set") => Some(Vec::new()),
            _ => text("x-kubernetes-patch-merge-key").map(|key| vec![key]),
        }
    }
}

/// The kinds outside namespaces: those of Kubernetes, and if the build asks for it those that
/// its objects define.
#[derive(Debug, Default)]
pub(crate) struct ClusterKinds(HashSet<(String, String)>);

impl ClusterKinds {
    pub(crate) fn of(resources: &Resources) -> Self {
        if resources.scopes == Scopes::Known {
            return Self::default();
        }
        let kinds = specs(resources)
            .filter(|spec| spec.get("scope").and_then(Value::as_str) == Some("Cluster"))
            .filter_map(defines)
            .map(|(group, kind)| (group.to_owned(), kind.to_owned()));
        Self(kinds.collect())
    }

    /// Whether a definition says that objects of a kind stand outside namespaces.
    pub(crate) fn defines(&self, gvk: GvkRef<'_>) -> bool {
        !self.0.is_empty()
            && self
                .0
                .contains(&(gvk.group.to_owned(), gvk.kind.to_owned()))
    }

    /// Whether objects of a kind stand outside namespaces.
    pub(crate) fn contains(&self, gvk: GvkRef<'_>) -> bool {
        gvk.is_cluster_scoped() || self.defines(gvk)
    }
}

fn specs(resources: &[Resource]) -> impl Iterator<Item = &Value> {
    resources
        .iter()
        .filter(|resource| {
            let gvk = resource.gvk();
            gvk.kind == "CustomResourceDefinition" && gvk.group == "apiextensions.k8s.io"
        })
        .filter_map(|resource| resource.value.get("spec"))
}

/// Returns the group and the kind that a definition defines.
fn defines(spec: &Value) -> Option<(&str, &str)> {
    let group = spec.get("group")?.as_str()?;
    Some((group, spec.pointer("/names/kind")?.as_str()?))
}
