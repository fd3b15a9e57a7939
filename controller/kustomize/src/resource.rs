//! Manifests as a build handles them.

use serde_json::Value;

use crate::build::Origin;
use crate::{Document, Error};

/// A manifest on its way through a build.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Makes resources of the documents of one file; lists become their items, behind the others.
pub(crate) fn from_documents(
    documents: Vec<Document>,
    path: &str,
    errors: &mut Vec<Error>,
) -> Vec<Resource> {
    let mut queue: std::collections::VecDeque<(Value, usize)> = documents
        .into_iter()
        .filter(|document| !is_empty(&document.value))
        .map(|document| (document.value, document.line))
        .collect();
    let mut resources = Vec::with_capacity(queue.len());
    while let Some((mut value, line)) = queue.pop_front() {
        if let Err(error) = check(&value, path) {
            errors.push(error.line(line));
            continue;
        }
        match take_items(&mut value, path) {
            Ok(Some(items)) => {
                queue.extend(items.into_iter().map(|item| (item, line)));
            }
            Ok(None) => resources.push(Resource {
                value,
                origin: Origin {
                    path: path.to_owned(),
                    line,
                },
            }),
            Err(error) => errors.push(error.line(line)),
        }
    }
    resources
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
    if let Some(at) = null_item(value) {
        return Err(Error::new(path, "an item of the list is empty").field(at));
    }
    let name = match fields.get("metadata") {
        Some(Value::Object(metadata)) => {
            for map in ["labels", "annotations"] {
                check_strings(metadata.get(map), path, map)?;
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
        Some(other) => Err(Error::new(path, format!("{other} is not a string"))
            .field("metadata.name")
            .hint("put it in quotes")),
    }
}

fn check_strings(map: Option<&Value>, path: &str, name: &str) -> Result<(), Error> {
    let field = || format!("metadata.{name}");
    match map {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(map)) => map.iter().try_for_each(|(key, value)| match value {
            Value::String(_) | Value::Null => Ok(()),
            value => Err(Error::new(path, format!("{value} is not a string"))
                .field(format!("{}.{key}", field()))
                .hint("put it in quotes")),
        }),
        Some(_) => Err(Error::new(path, "must be a mapping").field(field())),
    }
}

/// Finds a null in a list, which the API server would refuse.
fn null_item(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| match item {
                Value::Null => Some(format!("[{index}]")),
                item => null_item(item).map(|rest| format!("[{index}]{rest}")),
            }),
        Value::Object(fields) => fields.iter().find_map(|(key, field)| {
            null_item(field).map(|rest| match rest.as_bytes().first() {
                Some(b'[') => format!("{key}{rest}"),
                _ => format!("{key}.{rest}"),
            })
        }),
        _ => None,
    }
}
