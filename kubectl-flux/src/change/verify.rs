//! Makes sure that a change of files changes what was wished, and nothing else.

use std::collections::BTreeMap;

use flux_core::{edit, image::Image, object};
use flux_kustomize::Object;
use serde_json::Value;

use crate::workload::WorkloadId;

/// What shall differ of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// The images of these containers.
    Images(BTreeMap<String, String>),
    /// These annotations; those without a value go.
    Annotations(BTreeMap<String, Option<String>>),
}

/// Whether a built object is this workload. A build that leaves the namespace open means any.
pub(super) fn is(value: &Value, id: &WorkloadId) -> bool {
    object::id_of(value).is_ok_and(|found| {
        let wanted = id.object();
        let is_here = found.namespace.is_empty() || found.namespace == wanted.namespace;
        is_here
            && object::ObjectId {
                namespace: wanted.namespace.clone(),
                ..found
            } == wanted
    })
}

/// Compares two builds.
pub(super) fn compare(
    before: &[Object],
    after: &[Object],
    id: &WorkloadId,
    expected: &Expected,
) -> Result<(), String> {
    if before.len() != after.len() {
        return Err("the edit would add or remove objects".to_owned());
    }
    for (before, after) in before.iter().zip(after) {
        let is_as_wished = if is(&before.value, id) {
            expected.is_met(&before.value, &after.value)
        } else {
            before.value == after.value
        };
        if !is_as_wished {
            return Err(explain(before, after, id));
        }
    }
    Ok(())
}

fn explain(before: &Object, after: &Object, id: &WorkloadId) -> String {
    let name = object::id_of(&before.value)
        .map_or_else(|_| before.origin.to_string(), |id| id.to_string());
    if !is(&before.value, id) {
        return format!("the edit would change {name} ({}) as well", before.origin);
    }
    if before.value == after.value {
        return format!(
            "{} is not what sets it: a kustomization or the Sync overrides the file",
            before.origin
        );
    }
    format!(
        "the edit would change more of {name} ({}) than was asked",
        before.origin
    )
}

impl Expected {
    fn is_met(&self, before: &Value, after: &Value) -> bool {
        match self {
            Self::Images(images) => has_images(images, before, after),
            Self::Annotations(annotations) => {
                let mut wanted = before.clone();
                put_annotations(annotations, &mut wanted);
                wanted == *after
            }
        }
    }
}

/// Tells whether the containers run these images, and all else is as before.
fn has_images(images: &BTreeMap<String, String>, before: &Value, after: &Value) -> bool {
    let (had, before) = edit::take_images(before.clone());
    let (has, after) = edit::take_images(after.clone());
    let is_wanted = |((name, had), (other, has)): (&(String, Image), &(String, Image))| {
        let wanted = images.get(name);
        name == other && wanted.map_or(had == has, |wanted| has.to_string() == *wanted)
    };
    before == after && had.len() == has.len() && had.iter().zip(&has).all(is_wanted)
}

fn put_annotations(annotations: &BTreeMap<String, Option<String>>, object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let map = metadata
        .entry("annotations")
        .or_insert_with(|| Value::Object(serde_json::Map::new()));
    let Some(map) = map.as_object_mut() else {
        return;
    };
    for (key, value) in annotations {
        match value {
            Some(value) => map.insert(key.clone(), Value::from(value.as_str())),
            None => map.shift_remove(key),
        };
    }
    if map.is_empty() {
        metadata.shift_remove("annotations");
    }
}
