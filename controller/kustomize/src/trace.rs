//! Where objects come from and what changed them, as `buildMetadata` writes it into annotations.

use serde_json::{Map, Value, json};

use crate::path;
use crate::remote::Remote;
use crate::resource::{Resource, Resources};
use crate::yaml;

const ORIGIN: &str = "config.kubernetes.io/origin";
const PATH: &str = "path";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// What begins the annotations in which tools keep notes; none outlives a build.
const INTERNAL: &str = "internal.config.kubernetes.io/";

/// The older names of such notes.
const INTERNAL_BEFORE: [&str; 3] = [
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

/// What the paths of files are told from.
#[derive(Debug, Clone)]
pub(crate) enum Top {
    /// The directory that is built.
    Built(String),
    /// Another repository.
    Remote(Remote),
}

impl Default for Top {
    fn default() -> Self {
        Self::Built(String::new())
    }
}

impl Top {
    /// Says where a file is; `field` is for its path.
    fn place(&self, field: &str, file: &str) -> Map<String, Value> {
        let mut place = Map::new();
        match self {
            Self::Built(directory) => {
                place.insert(field.to_owned(), path::relative(directory, file).into());
            }
            Self::Remote(remote) => {
                let path = file.strip_prefix(&format!("{}//", remote.at()));
                let path = (field.to_owned(), path.unwrap_or(file).into());
                let repository = [
                    ("repo".to_owned(), remote.repository.clone().into()),
                    ("ref".to_owned(), remote.reference.clone().into()),
                ];
                // The order in which kustomize writes them.
                let (first, last) = if field == PATH {
                    (Some(path), None)
                } else {
                    (None, Some(path))
                };
                place.extend(first.into_iter().chain(repository).chain(last));
            }
        }
        place
    }

    fn configured(&self, file: &str, by: Value) -> Value {
        let mut place = self.place("configuredIn", file);
        place.insert("configuredBy".to_owned(), by);
        place.into()
    }
}

/// Says that an object comes from a file.
pub(crate) fn of_file(top: &Top, file: &str) -> Value {
    top.place(PATH, file).into()
}

/// Says that something built-in, configured in a file, made or changed an object.
pub(crate) fn of_built_in(top: &Top, file: &str, kind: &str) -> Value {
    top.configured(file, json!({"apiVersion": "builtin", "kind": kind}))
}

/// Says that a configuration made or changed an object.
pub(crate) fn of_config(top: &Top, config: &Resource) -> Value {
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
    top.configured(&config.origin.path, by.into())
}

/// Notes a change of all objects; one of which nothing is known was made by it.
pub(crate) fn mark(resources: &mut Resources, by: &Value) {
    for resource in resources.iter_mut() {
        resource.unshare_annotations();
        resource.forget_written_annotations();
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
        settle_annotations(resource);
    }
}

/// Annotations are text, and none of them is a tool's own; without any there is no field for them.
fn settle_annotations(resource: &mut Resource) {
    let metadata = resource.metadata_mut();
    let Some(annotations) = metadata.get_mut("annotations") else {
        return;
    };
    let mut left = Map::new();
    if let Value::Object(annotations) = annotations {
        std::mem::swap(annotations, &mut left);
    }
    left.retain(|name, _| !name.starts_with(INTERNAL) && !INTERNAL_BEFORE.contains(&name.as_str()));
    for value in left.values_mut() {
        match value {
            Value::String(_) => {}
            Value::Number(_) | Value::Bool(_) => *value = Value::String(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                *value = Value::String(String::new());
            }
        }
    }
    if left.is_empty() {
        metadata.shift_remove("annotations");
    } else {
        *annotations = Value::Object(left);
    }
}

fn set(resource: &mut Resource, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        let metadata = crate::resource::field_mut(&mut resource.value, "metadata");
        let annotations = crate::resource::child_mut(metadata, "annotations");
        annotations.insert(name.to_owned(), yaml::to_yaml(&value).into());
        return;
    }
    if let Some(Value::Object(annotations)) = resource.metadata_mut().get_mut("annotations") {
        annotations.shift_remove(name);
    }
}
