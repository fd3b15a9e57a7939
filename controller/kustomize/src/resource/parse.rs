//! Documents become resources.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Resource, texts};
use crate::build::Origin;
use crate::yaml::Notation;
use crate::{Document, Error};

/// Makes resources of the documents of one file; lists become their items, behind the others.
pub(crate) fn from_documents(
    documents: Vec<Document>,
    path: &str,
    errors: &mut Vec<Error>,
) -> Vec<Resource> {
    let mut queue = VecDeque::from(documents);
    let mut resources = Vec::with_capacity(queue.len());
    while let Some(document) = queue.pop_front() {
        let Document {
            mut value,
            line,
            notations,
            folded,
        } = document;
        if is_empty(&value) {
            continue;
        }
        texts::quote_name(&mut value, &notations);
        let checked = check(&value, path).and_then(|()| take_items(&mut value, path));
        match checked {
            Ok(Some(items)) => queue.extend(documents_of(items, line, notations)),
            Ok(None) => {
                let path = path.to_owned();
                let mut resource = Resource::new(value, Origin { path, line });
                resource.notations = notations;
                resource.folded = folded;
                resource.note_annotations();
                resource.quote_annotations();
                resources.push(resource);
            }
            Err(error) => errors.push(error.line(line)),
        }
    }
    resources
}

/// Makes documents of the items of a list.
fn documents_of(items: Vec<Value>, line: usize, notations: Vec<Notation>) -> Vec<Document> {
    let mut documents: Vec<Document> = items
        .into_iter()
        .map(|value| Document {
            value,
            line,
            notations: Vec::new(),
            folded: Vec::new(),
        })
        .collect();
    for notation in notations {
        let place = notation.pointer.strip_prefix("/items/");
        let Some((at, rest)) = place.and_then(|place| place.split_once('/')) else {
            continue;
        };
        let at: Option<usize> = at.parse().ok();
        if let Some(document) = at.and_then(|at| documents.get_mut(at)) {
            document.notations.push(Notation {
                pointer: format!("/{rest}"),
                text: notation.text,
            });
        }
    }
    documents
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Takes the items out of a `FooList`; one without `items` is an object like any other.
fn take_items(value: &mut Value, path: &str) -> Result<Option<Vec<Value>>, Error> {
    let is_list = value
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"));
    if !is_list {
        return Ok(None);
    }
    match value.get_mut("items") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Vec::new())),
        Some(Value::Array(items)) => Ok(Some(std::mem::take(items))),
        Some(_) => Err(Error::new(path, "must be a list").field("items")),
    }
}

/// What every manifest must have.
fn check(value: &Value, path: &str) -> Result<(), Error> {
    let Value::Object(fields) = value else {
        return Err(Error::new(path, "a manifest must be a mapping"));
    };
    let kind = match fields.get("kind") {
        Some(Value::String(kind)) if !kind.is_empty() => kind,
        Some(Value::String(_) | Value::Null) | None => {
            return Err(Error::new(path, "missing; every manifest needs one").field("kind"));
        }
        Some(_) => return Err(Error::new(path, "must be a string").field("kind")),
    };
    if let Some(version) = fields.get("apiVersion")
        && !(version.is_string() || version.is_null())
    {
        return Err(Error::new(path, "must be a string").field("apiVersion"));
    }
    let name = match fields.get("metadata") {
        Some(Value::Object(metadata)) => {
            for map in ["labels", "annotations"] {
                if metadata
                    .get(map)
                    .is_some_and(|map| !map.is_object() && !map.is_null())
                {
                    let error = Error::new(path, "must be a mapping");
                    return Err(error.field(format!("metadata.{map}")));
                }
            }
            metadata.get("name")
        }
        Some(Value::Null) | None => None,
        Some(_) => return Err(Error::new(path, "must be a mapping").field("metadata")),
    };
    match name {
        Some(Value::String(name)) if !name.is_empty() => Ok(()),
        // A list needs no name: it is taken apart.
        _ if kind.ends_with("List") => Ok(()),
        Some(Value::String(_) | Value::Null) | None => {
            Err(Error::new(path, format!("missing in this {kind}")).field("metadata.name"))
        }
        Some(_) => Err(Error::new(path, "must be text").field("metadata.name")),
    }
}
