//! Where objects come from and what changed them, as `buildMetadata` writes it into annotations.

use serde_json::{Map, Value, json};

use crate::path;
use crate::resource::{Resource, Resources};
use crate::yaml;

const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Annotations of tools that a build takes away.
const INTERNAL: [&str; 3] = [
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// What `buildMetadata` asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) origin: bool,
    pub(crate) transformations: bool,
}

/// Says that an object comes from a file.
pub(crate) fn of_file(top: &str, file: &str) -> Value {
    json!({"path": path::relative(top, file)})
}

/// Says that something built-in, configured in a file, made or changed an object.
pub(crate) fn of_built_in(top: &str, file: &str, kind: &str) -> Value {
    json!({
        "configuredIn": path::relative(top, file),
        "configuredBy": {"apiVersion": "builtin", "kind": kind},
    })
}

/// Says that a configuration made or changed an object.
pub(crate) fn of_config(top: &str, config: &Resource) -> Value {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = config.id();
    let mut by = Map::new();
    by.insert(
        "apiVersion".to_owned(),
        text(config.value.get("apiVersion")).into(),
    );
    by.insert("kind".to_owned(), id.gvk.kind.into());
    by.insert("name".to_owned(), id.name.into());
    if !id.namespace.is_empty() {
        by.insert("namespace".to_owned(), id.namespace.into());
    }
    json!({"configuredIn": path::relative(top, &config.origin.path), "configuredBy": by})
}

/// Notes a change of all objects; one of which nothing is known was made by it.
pub(crate) fn mark(resources: &mut Resources, by: &Value) {
    for resource in resources.iter_mut() {
        if resource.trace.origin.is_none() {
            resource.trace.origin = Some(by.clone());
        } else {
            resource.trace.transformations.push(by.clone());
        }
    }
}

/// Writes what is wanted into annotations, and takes away what is not.
pub(crate) fn write(resources: &mut Resources, wanted: Wanted) {
    for resource in resources.iter_mut() {
        let origin = resource.trace.origin.take().filter(|_| wanted.origin);
        let changes = std::mem::take(&mut resource.trace.transformations);
        let changes =
            (wanted.transformations && !changes.is_empty()).then_some(Value::Array(changes));
        set(resource, ORIGIN, origin);
        set(resource, TRANSFORMATIONS, changes);
        for annotation in INTERNAL {
            set(resource, annotation, None);
        }
        fill_empty_annotations(resource);
    }
}

/// An annotation without a value is an empty text.
fn fill_empty_annotations(resource: &mut Resource) {
    let metadata = resource.value.get_mut("metadata");
    let annotations = metadata.and_then(|metadata| metadata.get_mut("annotations"));
    for value in annotations
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
    {
        if value.is_null() {
            *value = Value::String(String::new());
        }
    }
}

fn set(resource: &mut Resource, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        let metadata = crate::resource::field_mut(&mut resource.value, "metadata");
        let annotations = crate::resource::child_mut(metadata, "annotations");
        annotations.insert(name.to_owned(), yaml::to_yaml(&value).into());
        return;
    }
    if resource.annotation(name).is_none() {
        return;
    }
    let metadata = resource.metadata_mut();
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.shift_remove(name);
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
}
