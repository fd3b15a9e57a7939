//! Strategic merge as kustomize does it.
//!
//! Mappings merge; lists are replaced, unless Kubernetes' schema gives the keys by which they
//! merge. What a patch adds to a list comes first, in the order of the patch. Null takes a field
//! away; `$patch` in a mapping, an item, a list or the object deletes or replaces it.

mod bare;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::gvk::GvkRef;
use crate::resource::Resource;
use crate::schema::{Beside, Type};

const DIRECTIVE: &str = "$patch";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges a patch into an object; `None`: the patch deletes it.
///
/// # Errors
/// A list where a mapping is, and the like; a `$patch` that is not known.
pub(crate) fn object(
    target: Value,
    patch: &Resource,
    beside: Beside<'_>,
) -> Result<Option<Value>, String> {
    if replaces(&patch.value) {
        return Ok(Some(target));
    }
    let marked = bare::marked(patch);
    let is_marked = marked.is_some();
    let patch = marked.unwrap_or_else(|| patch.value.clone());
    let gvk = GvkRef::of(&target);
    // A patch for several kinds may be written for one that is known.
    let kind = patch
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let schema =
        Type::of_kind(gvk, beside).or_else(|| Type::of_kind(GvkRef { kind, ..gvk }, beside));
    let mut merged = field(Some(target), patch, schema, None)?;
    if let (Some(merged), true) = (&mut merged, is_marked) {
        bare::unmark(merged);
    }
    Ok(merged)
}

/// Tells whether a patch says of itself that it replaces the whole object: kustomize then leaves the object as it is.
pub(crate) fn replaces(patch: &Value) -> bool {
    patch[DIRECTIVE] == "replace"
}

/// The keys by which a list merges; no keys for plain values.
type Keys<'s> = Option<Vec<&'s str>>;

/// Merges what a patch says into what is there, if anything is.
fn field(
    target: Option<Value>,
    patch: Value,
    schema: Option<Type<'_>>,
    keys: Keys<'_>,
) -> Result<Option<Value>, String> {
    let target = target.filter(|target| !target.is_null());
    match (target, patch) {
        (_, Value::Null) => Ok(None),
        (Some(Value::Object(target)), Value::Object(patch)) => mapping(target, patch, schema),
        (None, Value::Object(patch)) => added_mapping(patch, schema),
        (Some(Value::Array(target)), Value::Array(patch)) => {
            list(Some(target), patch, schema, keys)
        }
        (None, Value::Array(patch)) => list(None, patch, schema, keys),
        (Some(Value::Object(_)), _) => Err("there is a mapping, and none in the patch".to_owned()),
        (Some(Value::Array(_)), _) => Err("there is a list, and none in the patch".to_owned()),
        (Some(_), Value::Object(_) | Value::Array(_)) => {
            Err("there is a plain value, and none in the patch".to_owned())
        }
        (Some(Value::String(old)), patch) => Ok(Some(bare::over(&old, patch))),
        (_, patch) => Ok(Some(patch)),
    }
}

fn mapping(
    mut target: Map<String, Value>,
    mut patch: Map<String, Value>,
    schema: Option<Type<'_>>,
) -> Result<Option<Value>, String> {
    match take_directive(&mut patch)? {
        Directive::Delete => return Ok(None),
        Directive::Replace => return added_mapping(patch, schema),
        Directive::Merge => {}
    }
    if let Some(schema) = schema {
        for (name, value) in &mut target {
            if !patch.contains_key(name) {
                settle(value, schema.field(name), schema.merge_keys(name));
            }
        }
    }
    if patch.contains_key("") {
        return Err("the patch has a field whose name is empty".to_owned());
    }
    for (name, value) in patch {
        let inner = schema.and_then(|schema| schema.field(&name));
        let keys = schema.and_then(|schema| schema.merge_keys(&name));
        let known = target.get_mut(&name).map(Value::take);
        let merged = field(known, value, inner, keys).map_err(|error| within(&name, &error))?;
        match merged {
            Some(value) => {
                target.insert(name, value);
            }
            None => {
                target.shift_remove(&name);
            }
        }
    }
    Ok(Some(Value::Object(target)))
}

/// Of items with the same keys in what a patch leaves alone, only the last stays.
fn settle(value: &mut Value, schema: Option<Type<'_>>, keys: Keys<'_>) {
    match (value, schema) {
        (Value::Object(fields), Some(schema)) => {
            for (name, value) in fields {
                settle(value, schema.field(name), schema.merge_keys(name));
            }
        }
        (Value::Array(items), schema) => {
            if let Some(keys) = keys {
                drop_repeated(items, &keys);
            }
            for item in items {
                settle(item, schema, None);
            }
        }
        _ => {}
    }
}

fn keep_first(items: &mut Vec<Value>, keys: &[&str]) {
    let mut seen = HashSet::with_capacity(items.len());
    items.retain(|item| {
        let key: Vec<Option<String>> = keys.iter().map(|key| text(item, key)).collect();
        key.iter().all(Option::is_none) || seen.insert(key)
    });
}

/// Of items with the same keys only the last stays, where the first was; empty ones go.
fn drop_repeated(items: &mut Vec<Value>, keys: &[&str]) {
    let mut seen: HashMap<Vec<Option<String>>, usize> = HashMap::with_capacity(items.len());
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let key: Vec<Option<String>> = keys.iter().map(|key| text(&item, key)).collect();
        if keys.is_empty() {
            if !kept.contains(&item) {
                kept.push(item);
            }
        } else if item
            .as_object()
            .is_some_and(|fields| is_nothing(fields, keys))
        {
            // kustomize takes it for one that was deleted.
        } else if key.iter().any(Option::is_none) {
            kept.push(item);
        } else if let Some(known) = seen.get(&key).and_then(|at| kept.get_mut(*at)) {
            *known = item;
        } else {
            seen.insert(key, kept.len());
            kept.push(item);
        }
    }
    *items = kept;
}

/// Tells whether a mapping is empty, or its key is null and so is all else.
fn is_nothing(fields: &Map<String, Value>, keys: &[&str]) -> bool {
    let has_key = || keys.iter().any(|key| fields.contains_key(*key));
    fields.is_empty() || (fields.values().all(Value::is_null) && has_key())
}

/// A mapping that was not there: its nulls and directives have nothing to do.
fn added_mapping(
    mut patch: Map<String, Value>,
    schema: Option<Type<'_>>,
) -> Result<Option<Value>, String> {
    if take_directive(&mut patch)? == Directive::Delete {
        return Ok(None);
    }
    mapping(Map::new(), patch, schema)
}

fn take_directive(patch: &mut Map<String, Value>) -> Result<Directive, String> {
    let directive = match patch.get(DIRECTIVE) {
        None => return Ok(Directive::Merge),
        Some(value) => directive_of(value)?,
    };
    patch.shift_remove(DIRECTIVE);
    Ok(directive)
}

fn directive_of(value: &Value) -> Result<Directive, String> {
    match value.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(format!(
            "$patch must be merge, replace or delete, not {value}"
        )),
    }
}

fn within(name: &str, error: &str) -> String {
    match error.split_once(": ") {
        Some((path, rest)) if !path.contains(' ') => format!("{name}.{path}: {rest}"),
        _ => format!("{name}: {error}"),
    }
}

fn list(
    target: Option<Vec<Value>>,
    mut patch: Vec<Value>,
    schema: Option<Type<'_>>,
    keys: Keys<'_>,
) -> Result<Option<Value>, String> {
    let Some(keys) = keys else {
        return Ok(Some(Value::Array(patch)));
    };
    let target = match take_list_directive(&mut patch)? {
        Directive::Delete => return Ok(None),
        Directive::Replace => None,
        Directive::Merge => target,
    };
    // Of items with the same keys the first counts, but in a list that is new the last.
    if target.is_some() {
        keep_first(&mut patch, &keys);
    }
    let target = target.unwrap_or_default();
    let merged = if keys.is_empty() {
        plain_values(target, patch)
    } else {
        items(target, patch, schema, &keys)?
    };
    Ok(Some(Value::Array(merged)))
}

/// Takes an item that is nothing but a directive for the whole list.
fn take_list_directive(patch: &mut Vec<Value>) -> Result<Directive, String> {
    let found = patch.iter().position(|item| item.get(DIRECTIVE).is_some());
    let Some(at) = found else {
        return Ok(Directive::Merge);
    };
    let alone = patch
        .get(at)
        .and_then(Value::as_object)
        .filter(|item| item.len() == 1);
    let Some(value) = alone.and_then(|item| item.get(DIRECTIVE)) else {
        return Ok(Directive::Merge);
    };
    let directive = directive_of(value)?;
    patch.remove(at);
    Ok(directive)
}

/// A list of plain values: those of the patch, then the others.
fn plain_values(target: Vec<Value>, patch: Vec<Value>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::with_capacity(target.len() + patch.len());
    for value in patch.into_iter().chain(target) {
        if !merged.contains(&value) {
            merged.push(value);
        }
    }
    merged
}

/// A list of mappings that are told apart by keys.
fn items(
    target: Vec<Value>,
    patch: Vec<Value>,
    schema: Option<Type<'_>>,
    keys: &[&str],
) -> Result<Vec<Value>, String> {
    let by_several = keys.len() > 1
        && target
            .iter()
            .chain(&patch)
            .any(|item| keys.iter().skip(1).any(|key| text(item, key).is_some()));
    let mut target = Target::new(target, keys);
    let mut first = Vec::new();
    for item in patch {
        let at = target.find(&item, keys);
        let known = at.and_then(|at| target.take(at));
        let name = keys
            .first()
            .and_then(|key| text(&item, key))
            .unwrap_or_default();
        // kustomize moves an item that is to be replaced to the front, but leaves it as it is.
        let replaces = item.get(DIRECTIVE).and_then(Value::as_str) == Some("replace");
        let merged = match known {
            Some(known) if replaces => Ok(Some(known)),
            known => field(known, item, schema, None),
        };
        let merged = merged.map_err(|error| within(&format!("[{name}]"), &error))?;
        let Some(merged) = merged.filter(|merged| merged.as_object().is_none_or(|m| !m.is_empty()))
        else {
            continue;
        };
        match at {
            // Where several keys tell items apart, known ones keep their place.
            Some(at) if by_several => target.put(at, merged),
            _ => first.push(merged),
        }
    }
    first.extend(target.items.into_iter().flatten());
    drop_repeated(&mut first, keys);
    Ok(first)
}

/// The items that are there, those left that no patch has taken yet.
struct Target {
    items: Vec<Option<Value>>,
    /// Texts of the first key → items.
    by_key: HashMap<String, Vec<usize>>,
}

impl Target {
    fn new(items: Vec<Value>, keys: &[&str]) -> Self {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            if let Some(key) = keys.first().and_then(|key| text(item, key)) {
                by_key.entry(key).or_default().push(at);
            }
        }
        Self {
            items: items.into_iter().map(Some).collect(),
            by_key,
        }
    }

    /// Finds the item that has all keys of another, or else one that does not differ in any.
    fn find(&self, wanted: &Value, keys: &[&str]) -> Option<usize> {
        let (key, rest) = keys.split_first()?;
        let known = self.by_key.get(&text(wanted, key)?)?;
        let there = |at: &&usize| self.items.get(**at).is_some_and(Option::is_some);
        let item = |at: usize| self.items.get(at).and_then(Option::as_ref);
        let compare = |at: usize, lenient: bool| {
            rest.iter().all(|key| {
                let known = item(at).and_then(|item| text(item, key));
                let wanted = text(wanted, key);
                known == wanted || (lenient && (known.is_none() || wanted.is_none()))
            })
        };
        let candidates = || known.iter().filter(there).copied();
        candidates()
            .find(|at| compare(*at, false))
            .or_else(|| candidates().find(|at| compare(*at, true)))
    }

    fn take(&mut self, at: usize) -> Option<Value> {
        self.items.get_mut(at)?.take()
    }

    fn put(&mut self, at: usize, item: Value) {
        if let Some(place) = self.items.get_mut(at) {
            *place = Some(item);
        }
    }
}

/// The text of a plain field; there is none for an empty one.
fn text(item: &Value, key: &str) -> Option<String> {
    match item.get(key)? {
        Value::String(text) if !text.is_empty() => Some(bare::text(text)),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
