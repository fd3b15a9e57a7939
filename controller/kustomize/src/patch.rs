//! `patches` and its older forms: what they say, and which objects they are for.

pub(crate) mod json;
pub(crate) mod merge;

use serde_json::{Map, Value};

use crate::budget::{self, Budget};
use crate::fieldpath::text_of;
use crate::gvk::GvkRef;
use crate::resource::{Resource, Resources};
use crate::schema::Beside;
use crate::selector::Selection;
use crate::yaml::{self, Dialect, Notation};
use crate::{Error, bounds, resource};

/// A patch that has been read.
#[derive(Debug, Clone)]
pub(crate) enum Patch {
    /// Strategic merge patches.
    Merge(Vec<Resource>),
    /// Operations as in RFC 6902.
    Json(Vec<json::Operation>),
}

/// What a strategic merge patch may change of an object's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) name: bool,
    pub(crate) kind: bool,
}

impl Patch {
    /// Reads a patch: a list is a JSON patch, mappings are strategic merge patches.
    pub(crate) fn read(content: &[u8], path: &str) -> Result<Self, Vec<Error>> {
        let documents = yaml::parse_manifests(content, path).map_err(|error| vec![error])?;
        if documents.iter().any(|document| document.value.is_array()) {
            return Self::read_json(content, path);
        }
        let mut errors = Vec::new();
        let patches = resource::from_documents(documents, path, &mut errors);
        if errors.is_empty() {
            Ok(Self::Merge(patches))
        } else {
            Err(errors)
        }
    }

    /// Reads a JSON patch, whose scalars are those of configuration files.
    pub(crate) fn read_json(content: &[u8], path: &str) -> Result<Self, Vec<Error>> {
        let documents =
            yaml::parse(content, path, Dialect::Configuration).map_err(|error| vec![error])?;
        let Some(document) = documents.into_iter().next() else {
            return Err(vec![Error::new(path, "the patch is empty")]);
        };
        let Value::Array(operations) = document.value else {
            let error = Error::new(path, "a JSON patch must be a list of operations");
            return Err(vec![error.line(document.line)]);
        };
        let mut errors = Vec::new();
        let operations = operations
            .into_iter()
            .enumerate()
            .filter_map(|(at, value)| {
                json::Operation::read(value)
                    .map_err(|error| errors.push(Error::new(path, error).field(format!("[{at}]"))))
                    .ok()
            });
        let operations: Vec<json::Operation> = operations.collect();
        if errors.is_empty() {
            Ok(Self::Json(operations))
        } else {
            Err(errors)
        }
    }

    /// Applies the patch to the selected objects, or to the one that it names itself.
    pub(crate) fn apply(
        &self,
        resources: &mut Resources,
        selection: Option<&Selection>,
        allowed: Allowed,
    ) -> Result<(), String> {
        match (self, selection) {
            (Self::Merge(patches), None) => patches
                .iter()
                .try_for_each(|patch| apply_named(resources, patch, allowed)),
            (Self::Merge(patches), Some(selection)) => match patches.as_slice() {
                [] => Ok(()),
                [patch] => {
                    let selected = selection.select(resources);
                    merge_all(resources, &selected, &with_texts(patch), allowed)
                }
                _ => Err("a patch with a target must be a single document".to_owned()),
            },
            (Self::Json(_), None) => Err("a JSON patch needs a target".to_owned()),
            (Self::Json(operations), Some(selection)) => {
                let budget = resources.budget.clone();
                for at in selection.select(resources) {
                    if let Some(resource) = resources.get_mut(at) {
                        resource.remember_id();
                        apply_json(resource, operations, &budget)?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// A patch that has a target, or is listed by itself, takes neither all labels nor all annotations away, only single
/// ones; those that it sets are text.
fn with_texts(patch: &Resource) -> Resource {
    let mut patch = patch.clone();
    patch.quote_labels();
    patch.forget_written_annotations();
    if let Some(Value::Object(metadata)) = patch.value.get_mut("metadata") {
        for texts in ["labels", "annotations"] {
            let is_empty =
                |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if metadata.get(texts).is_some_and(is_empty) {
                metadata.shift_remove(texts);
            }
        }
    }
    patch
}

/// Applies operations to one object.
pub(crate) fn apply_json(
    resource: &mut Resource,
    operations: &[json::Operation],
    budget: &Budget,
) -> Result<(), String> {
    // kustomize takes the object through JSON, in which a number is written in one way only.
    resource.unquote_annotations();
    let mut value = resource.value.clone();
    // kustomize keeps what it knows of an object in annotations, so that there are some.
    let noted =
        !resource.previous.is_empty() || resource.needs_hash || resource.trace.origin.is_some();
    let lent = noted && lend_annotations(&mut value);
    for (at, operation) in operations.iter().enumerate() {
        // Only copies can grow an object faster than the patch itself.
        let grows = matches!(operation, json::Operation::Copy { .. });
        budget
            .spend(operation.weight())
            .and_then(|()| operation.apply(&mut value))
            .and_then(|()| if grows { bounds::check(&value) } else { Ok(()) })
            .map_err(|error| format!("[{at}]: {error}, in {}", resource.id()))?;
    }
    bounds::check(&value).map_err(|error| format!("{error}, in {}", resource.id()))?;
    if lent {
        take_back_annotations(&mut value);
    }
    resource.value = value;
    resource.forget_notations();
    resource.shared.clear();
    resource.quote_annotations();
    Ok(())
}

fn lend_annotations(value: &mut Value) -> bool {
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
    match metadata {
        Some(metadata) if metadata.get("annotations").is_none_or(Value::is_null) => {
            metadata.insert("annotations".to_owned(), Value::Object(Map::new()));
            true
        }
        _ => false,
    }
}

fn take_back_annotations(value: &mut Value) {
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
    let Some(metadata) = metadata else {
        return;
    };
    let annotations = metadata.get("annotations").and_then(Value::as_object);
    if annotations.is_some_and(Map::is_empty) {
        metadata.shift_remove("annotations");
    }
}

/// Applies an entry of `patchesStrategicMerge` to the object that it names.
pub(crate) fn apply_listed(resources: &mut Resources, patch: &Resource) -> Result<(), String> {
    apply_named(resources, &with_texts(patch), Allowed::default())
}

/// Applies a strategic merge patch to the object that it names.
fn apply_named(
    resources: &mut Resources,
    patch: &Resource,
    allowed: Allowed,
) -> Result<(), String> {
    let id = patch.id();
    match resources.by_any_id(|known| known.same(id)).as_slice() {
        [at] => merge_all(resources, &[*at], patch, allowed),
        [] => Err(match similar(resources, patch) {
            Some(known) => format!("there is no {id} to patch; did you mean {known}?"),
            None => format!("there is no {id} to patch"),
        }),
        several => Err(format!("{} objects are or were {id}", several.len())),
    }
}

/// Finds an object of that name which differs in namespace or version only.
fn similar(resources: &Resources, patch: &Resource) -> Option<String> {
    let id = patch.id();
    let known = resources.iter().find(|known| {
        known
            .any_ids()
            .any(|other| other.name == id.name && other.gvk.kind == id.gvk.kind)
    })?;
    let GvkRef { group, version, .. } = known.gvk();
    let api = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    Some(format!("{} of {api}", known.original_id()))
}

fn merge_all(
    resources: &mut Resources,
    selected: &[usize],
    patch: &Resource,
    allowed: Allowed,
) -> Result<(), String> {
    let mut emptied = false;
    let weight = budget::weight(&patch.value);
    for at in selected {
        resources.budget.spend(weight)?;
        emptied |= merge_one(resources, *at, patch, allowed)?;
    }
    if emptied {
        resources.retain(|resource| !resource.value.is_null());
    }
    if allowed == Allowed::default() {
        return Ok(());
    }
    resources.check_unique()
}

/// Applies a patch to one object; returns whether the patch deletes it, which leaves null.
fn merge_one(
    resources: &mut Resources,
    at: usize,
    patch: &Resource,
    allowed: Allowed,
) -> Result<bool, String> {
    let schema = resources.schema.clone();
    let Some(resource) = resources.get_mut(at) else {
        return Ok(false);
    };
    if allowed != Allowed::default() {
        resource.remember_id();
    }
    let kept = Kept::of(resource);
    let folds = resource.folds(patch);
    let id = resource.id().to_string();
    let target = std::mem::take(&mut resource.value);
    let beside = Beside {
        custom: schema.as_deref(),
        objects: resources,
    };
    let merged = merge::object(target, patch, beside).map_err(|error| format!("{id}: {error}"))?;
    let (Some(value), Some(resource)) = (merged, resources.get_mut(at)) else {
        return Ok(true);
    };
    resource.value = value;
    // What the patch writes anew is not written as it was.
    let is_kept = |notation: &Notation| patch.value.pointer(&notation.pointer).is_none();
    resource.notations.retain(is_kept);
    // kustomize notes in a patch's annotations what is allowed it, and so writes all of them anew.
    let is_noted = |notation: &&Notation| {
        allowed == Allowed::default() || !notation.pointer.starts_with("/metadata/annotations/")
    };
    let written = patch.notations.iter().filter(is_noted).cloned();
    resource.notations.extend(written);
    keep_labels_text(resource, patch);
    resource.fold(folds);
    kept.put_back(resource, allowed);
    resource.spread();
    Ok(false)
}

/// Makes text, as it is written, of what a patch wrote over the labels that a generator made.
fn keep_labels_text(resource: &mut Resource, patch: &Resource) {
    for pointer in std::mem::take(&mut resource.made_labels) {
        if let Some(written) = patch.value.pointer(&pointer)
            && let Some(label) = resource.value.pointer_mut(&pointer)
        {
            let is_it = |notation: &&Notation| notation.pointer == pointer;
            let notation = patch.notations.iter().find(is_it);
            let as_written = notation.map(|notation| notation.text.clone());
            *label = as_written.unwrap_or_else(|| text_of(written)).into();
            resource
                .notations
                .retain(|notation| notation.pointer != pointer);
        }
        resource.made_labels.push(pointer);
    }
}

/// What of an object a patch does not change.
struct Kept {
    /// `apiVersion` and `kind`.
    type_meta: [Option<Value>; 2],
    /// `name` and `namespace`.
    place: [Option<Value>; 2],
}

impl Kept {
    fn of(resource: &Resource) -> Self {
        let metadata = resource.value.get("metadata");
        Self {
            type_meta: ["apiVersion", "kind"].map(|field| resource.value.get(field).cloned()),
            place: ["name", "namespace"].map(|field| metadata?.get(field).cloned()),
        }
    }

    fn put_back(self, resource: &mut Resource, allowed: Allowed) {
        let [api_version, kind] = self.type_meta;
        if let Some(fields) = resource.value.as_object_mut() {
            put(fields, "apiVersion", api_version);
            if !allowed.kind {
                put(fields, "kind", kind);
            }
        }
        let [name, namespace] = self.place;
        let metadata = resource.metadata_mut();
        if !allowed.name {
            put(metadata, "name", name);
        }
        put(metadata, "namespace", namespace);
    }
}

fn put(fields: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(field.to_owned(), value);
        }
        None => {
            fields.shift_remove(field);
        }
    }
}
