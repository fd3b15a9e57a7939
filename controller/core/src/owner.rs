//! Which Sync an object belongs to: two labels on every managed object.

use std::collections::BTreeMap;
use std::fmt;

use flux_crds::names::{LABEL_SYNC, LABEL_SYNC_NAMESPACE};
use serde_json::{Map, Value};

/// The Sync that an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Namespace of the Sync.
    pub namespace: String,
    /// Name of the Sync.
    pub name: String,
}

impl Owner {
    /// Reads the owner from the labels of a live object.
    pub fn of(labels: &BTreeMap<String, String>) -> Option<Self> {
        let label = |key| labels.get(key).filter(|value| !value.is_empty());
        Some(Self {
            namespace: label(LABEL_SYNC_NAMESPACE)?.clone(),
            name: label(LABEL_SYNC)?.clone(),
        })
    }

    /// Returns the two labels.
    pub fn labels(&self) -> [(&'static str, &str); 2] {
        [
            (LABEL_SYNC, &self.name),
            (LABEL_SYNC_NAMESPACE, &self.namespace),
        ]
    }

    /// Returns the label selector that finds every object of this Sync.
    pub fn selector(&self) -> String {
        let [(name_label, name), (namespace_label, namespace)] = self.labels();
        format!("{name_label}={name},{namespace_label}={namespace}")
    }

    /// Writes the labels onto a manifest.
    pub fn stamp(&self, manifest: &mut Value) {
        set_metadata(manifest, "labels", self.labels());
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Sets entries of `metadata.labels` or `metadata.annotations`, over those that are there.
///
/// A manifest or metadata that is not a mapping is left as it is.
pub fn set_metadata<'a>(
    manifest: &mut Value,
    field: &str,
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let map = mapping(manifest, "metadata").and_then(|metadata| {
        let value = metadata.entry(field).or_insert(Value::Null);
        as_mapping(value)
    });
    if let Some(map) = map {
        for (key, value) in entries {
            map.insert(key.to_owned(), value.into());
        }
    }
}

fn mapping<'a>(value: &'a mut Value, field: &str) -> Option<&'a mut Map<String, Value>> {
    as_mapping(value.as_object_mut()?.entry(field).or_insert(Value::Null))
}

fn as_mapping(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner() -> Owner {
        Owner {
            namespace: "shop".into(),
            name: "web".into(),
        }
    }

    #[test]
    fn a_stamped_manifest_names_its_owner_and_keeps_its_labels() {
        let mut manifest = json!({"metadata": {"name": "a", "labels": {"app": "x"}}});
        owner().stamp(&mut manifest);
        assert_eq!(
            manifest["metadata"]["labels"],
            json!({"app": "x", "flux.rs/sync": "web", "flux.rs/sync-namespace": "shop"})
        );
    }

    #[test]
    fn null_labels_become_a_mapping() {
        let mut manifest = json!({"metadata": {"labels": null}});
        owner().stamp(&mut manifest);
        assert_eq!(manifest["metadata"]["labels"]["flux.rs/sync"], "web");
    }

    #[test]
    fn a_manifest_of_the_wrong_shape_is_left_alone() {
        let mut manifest = json!({"metadata": "text"});
        owner().stamp(&mut manifest);
        assert_eq!(manifest, json!({"metadata": "text"}));
    }

    #[test]
    fn half_a_label_pair_names_nobody() {
        let labels = BTreeMap::from([(LABEL_SYNC.to_owned(), "web".to_owned())]);
        assert_eq!(Owner::of(&labels), None);
    }
}
