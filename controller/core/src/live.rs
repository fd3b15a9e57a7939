//! What a metadata LIST says about objects in the cluster.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::managed_fields::ManagedField;

/// The metadata of a live object, in the parts that decisions are made of.
///
/// `fieldsV1` stays unparsed, so that a list of a thousand objects is read in milliseconds.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Identity of this incarnation; a recreated object has another.
    pub uid: String,
    /// Version for optimistic locking; compare for equality only.
    pub resource_version: String,
    /// Generation of the spec.
    pub generation: Option<i64>,
    /// Labels.
    #[serde(deserialize_with = "null_as_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(deserialize_with = "null_as_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Set once the object is being deleted.
    pub deletion_timestamp: Option<String>,
    /// Who set which fields.
    #[serde(deserialize_with = "null_as_empty")]
    pub managed_fields: Vec<ManagedField>,
}

impl Metadata {
    /// Reads the metadata of a whole object.
    pub fn of(object: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(&object["metadata"])
    }

    /// Says whether the object is on its way out.
    pub fn is_terminating(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
}

/// Values of annotations stay out of it: `kubectl` keeps the whole manifest of a Secret in one.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("uid", &self.uid)
            .field("resource_version", &self.resource_version)
            .field("labels", &self.labels)
            .field("annotations", &self.annotations.keys())
            .field("deletion_timestamp", &self.deletion_timestamp)
            .finish_non_exhaustive()
    }
}

fn null_as_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_missing_maps_are_empty() {
        let object = json!({"metadata": {"name": "a", "labels": null, "managedFields": null}});
        let metadata = Metadata::of(&object).unwrap();
        assert!(metadata.labels.is_empty() && metadata.managed_fields.is_empty());
        assert!(!metadata.is_terminating());
    }

    #[test]
    fn debug_does_not_show_what_annotations_hold() {
        let object = json!({"metadata": {"name": "a", "annotations": {"last": "hunter2"}}});
        let shown = format!("{:?}", Metadata::of(&object).unwrap());
        assert!(
            shown.contains("last") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn managed_fields_are_read_from_text_and_from_values() {
        let text = r#"{"metadata":{"name":"a","uid":"u","managedFields":[{"manager":"flux","operation":"Apply","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{}}}}]}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let from_value = Metadata::of(&value).unwrap();
        let fields = from_value.managed_fields[0].fields_v1.as_ref().unwrap();
        assert_eq!(fields.get(), r#"{"f:data":{"f:a":{}}}"#);
    }
}
