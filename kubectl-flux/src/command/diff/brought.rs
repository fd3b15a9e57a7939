//! What a set of objects brings along for its own objects.

use std::collections::HashSet;

use flux_core::object::{Desired, ObjectId};
use serde_json::Value;

/// What the objects themselves bring: the API server cannot judge an object before they are there.
pub(crate) struct Brought {
    kinds: HashSet<(String, String)>,
    namespaces: HashSet<String>,
}

impl Brought {
    /// Finds the definitions and namespaces among objects.
    pub(crate) fn of(desired: &[Desired]) -> Self {
        let namespaces = desired
            .iter()
            .filter(|object| object.id.is("", "Namespace"))
            .map(|object| object.id.name.clone());
        let definitions = desired.iter().filter(|object| {
            object
                .id
                .is("apiextensions.k8s.io", "CustomResourceDefinition")
        });
        let kind = |object: &Desired| {
            let text = |pointer: &str| {
                object
                    .value
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("/spec/group"), text("/spec/names/kind"))
        };
        Self {
            kinds: definitions.map(kind).collect(),
            namespaces: namespaces.collect(),
        }
    }

    /// Says whether the kind of an object is brought.
    pub(crate) fn kind_of(&self, id: &ObjectId) -> bool {
        self.kinds.contains(&(id.group.clone(), id.kind.clone()))
    }

    /// Says whether the namespace of an object is brought.
    pub(crate) fn namespace_of(&self, id: &ObjectId) -> bool {
        self.namespaces.contains(&id.namespace)
    }
}
