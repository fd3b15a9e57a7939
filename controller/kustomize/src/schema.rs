//! What the build knows of Kubernetes' types: scopes, and which lists are merged by which keys.

mod custom;
mod defined;
mod table;

use crate::gvk::GvkRef;
use crate::resource::Resource;

pub(crate) use custom::Custom;
pub(crate) use defined::ClusterKinds;

/// What tells types besides those of Kubernetes itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'s> {
    /// The `OpenAPI` file that a kustomization names.
    pub(crate) custom: Option<&'s Custom>,
    /// Objects, the definitions of custom kinds among them.
    pub(crate) objects: &'s [Resource],
}

/// A field of a type in the table.
pub(crate) struct Field {
    name: &'static str,
    /// For a list that is merged: its keys; none for a list of plain values.
    merge: Option<&'static [&'static str]>,
    /// The type of the field, or of the items of the list, if it matters.
    of: Option<usize>,
}

/// A type as far as merging goes.
#[derive(Clone, Copy)]
pub(crate) enum Type<'s> {
    /// One of Kubernetes itself.
    BuiltIn(&'static [Field]),
    /// One of an `OpenAPI` file.
    Custom(custom::Type<'s>),
    /// One of a definition among the objects.
    Defined(defined::Type<'s>),
}

impl<'s> Type<'s> {
    /// Returns the type of a kind; `None` for kinds whose lists are never merged.
    pub(crate) fn of_kind(gvk: GvkRef<'_>, beside: Beside<'s>) -> Option<Self> {
        if let Some(found) = beside.custom.and_then(|custom| custom.of_kind(gvk)) {
            return Some(Self::Custom(found));
        }
        match table::KINDS.binary_search_by(|(known, _)| compare(known, gvk)) {
            Ok(at) => Self::built_in(table::KINDS.get(at)?.1),
            Err(_) => defined::Type::of_kind(beside.objects, gvk).map(Self::Defined),
        }
    }

    fn built_in(index: usize) -> Option<Self> {
        table::TYPES
            .get(index)
            .map(|(_, fields)| Self::BuiltIn(fields))
    }

    /// Returns a type by the name of its definition.
    fn named(name: &str) -> Option<Self> {
        let at = table::TYPES
            .binary_search_by(|(known, _)| (*known).cmp(name))
            .ok()?;
        Self::built_in(at)
    }

    /// Returns the type of a field, or of the items of a list.
    pub(crate) fn field(self, name: &str) -> Option<Self> {
        match self {
            Self::BuiltIn(fields) => find(fields, name)?.of.and_then(Self::built_in),
            Self::Custom(custom) => custom.field(name),
            Self::Defined(defined) => defined.field(name).map(Self::Defined),
        }
    }

    /// Returns the keys by which a list is merged; no keys for a list of plain values.
    pub(crate) fn merge_keys(self, name: &str) -> Option<Vec<&'s str>> {
        match self {
            Self::BuiltIn(fields) => find(fields, name)?.merge.map(<[&str]>::to_vec),
            Self::Custom(custom) => custom.merge_keys(name),
            Self::Defined(defined) => defined.merge_keys(name),
        }
    }
}

fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

/// Whether objects of a kind stand outside namespaces; kinds that are not known do not.
pub(crate) fn is_cluster_scoped(gvk: GvkRef<'_>) -> bool {
    table::CLUSTER_SCOPED
        .binary_search_by(|known| compare(known, gvk))
        .is_ok()
}

/// Compares `group/version/kind` with a kind, without making a text of it.
fn compare(known: &str, gvk: GvkRef<'_>) -> std::cmp::Ordering {
    let parts = [gvk.group, "/", gvk.version, "/", gvk.kind];
    known
        .bytes()
        .cmp(parts.iter().flat_map(|part| part.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_merge_keys_are_those_of_kubernetes() {
        assert!(is_cluster_scoped(GvkRef::new("v1", "Namespace")));
        assert!(!is_cluster_scoped(GvkRef::new("apps/v1", "Deployment")));
        let pod = Type::of_kind(GvkRef::new("v1", "Pod"), Beside::default()).unwrap();
        let spec = pod.field("spec").unwrap();
        assert_eq!(spec.merge_keys("containers"), Some(vec!["name"]));
        let container = spec.field("containers").unwrap();
        let keys = vec!["containerPort", "protocol"];
        assert_eq!(container.merge_keys("ports"), Some(keys));
        assert_eq!(container.merge_keys("args"), None);
        let unknown = Type::of_kind(GvkRef::new("example.com/v1", "Pod"), Beside::default());
        assert!(unknown.is_none());
    }
}
