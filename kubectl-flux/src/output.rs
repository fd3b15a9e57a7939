//! How reads are printed.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// What `-o` can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for a person
    #[default]
    Table,
    /// More columns
    Wide,
    /// Whole objects
    Json,
    /// Whole objects
    Yaml,
    /// KIND.GROUP/NAME, for the next command
    Name,
}

/// Objects that are printed whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whole {
    /// The one object that was asked for.
    One(Value),
    /// A list, of whatever length.
    Many(Vec<Value>),
}

impl Whole {
    /// Returns what is printed: the object itself, or a `List`.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::One(value) => value,
            Self::Many(items) => {
                json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
            }
        }
    }
}

/// Returns a value as indented JSON with a final newline.
pub(crate) fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Returns values as a stream of YAML documents.
pub(crate) fn yaml_stream(values: &[Value]) -> String {
    let documents: Vec<_> = values.iter().map(flux_kustomize::to_yaml).collect();
    documents
        .iter()
        .flat_map(|document| ["---\n", document])
        .collect()
}

/// Takes out of an object what only the API server cares about.
pub(crate) fn without_managed_fields(mut value: Value) -> Value {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    value
}

/// Puts what people read first at the front: type, name, labels, and then the rest.
pub(crate) fn in_reading_order(mut value: Value) -> Value {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        move_to_front(metadata, &["name", "namespace", "labels", "annotations"]);
    }
    if let Some(object) = value.as_object_mut() {
        move_to_front(object, &["apiVersion", "kind", "metadata", "type"]);
    }
    value
}

fn move_to_front(object: &mut Map<String, Value>, keys: &[&str]) {
    let front: Vec<_> = keys
        .iter()
        .filter_map(|key| object.shift_remove_entry(*key))
        .collect();
    let rest = std::mem::take(object);
    object.extend(front.into_iter().chain(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_printed_as_itself_and_several_as_a_list() {
        let object = json!({"kind": "Sync"});
        assert_eq!(Whole::One(object.clone()).into_value(), object);
        assert_eq!(
            Whole::Many(vec![object.clone()]).into_value()["items"],
            json!([object])
        );
    }

    #[test]
    fn managed_fields_are_not_shown() {
        let value =
            without_managed_fields(json!({"metadata": {"name": "a", "managedFields": [{}]}}));
        assert_eq!(value, json!({"metadata": {"name": "a"}}));
    }
}
