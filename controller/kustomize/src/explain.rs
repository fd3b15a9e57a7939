//! Which step of which kustomization set a field.

use std::collections::HashMap;

use serde_json::Value;

use crate::build::Origin;
use crate::resource::Resources;

/// A field that a kustomization changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field, for example `spec.template.spec.containers[name=web].image`.
    pub field: String,
    /// The file and line that say so.
    pub by: Origin,
    /// What in that file it is, for example `images[0]`.
    pub what: String,
}

/// Remembers all resources as they are, so that changes can be told.
pub(crate) fn begin(resources: &mut Resources) {
    for resource in resources.iter_mut() {
        resource.before = Some(Box::new(resource.value.clone()));
    }
}

/// Notes what a step changed since the one before.
pub(crate) fn note(resources: &mut Resources, by: &Origin, what: &str) {
    for resource in resources.iter_mut() {
        let Some(before) = &mut resource.before else {
            continue;
        };
        if **before == resource.value {
            continue;
        }
        let mut fields = Vec::new();
        compare(before, &resource.value, &mut String::new(), &mut fields);
        // What a later step sets again is the later one's.
        resource
            .changes
            .retain(|known| !fields.contains(&known.field));
        resource
            .changes
            .extend(fields.into_iter().map(|field| Change {
                field,
                by: by.clone(),
                what: what.to_owned(),
            }));
        **before = resource.value.clone();
    }
}

/// Collects the fields in which two values differ.
fn compare(before: &Value, after: &Value, path: &mut String, fields: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                within(path, &format!(".{key}"), |path| {
                    compare(old.get(key).unwrap_or(&Value::Null), value, path, fields);
                });
            }
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                within(path, &format!(".{key}"), |path| push(path, fields));
            }
        }
        (Value::Null, Value::Object(new)) if !new.is_empty() => {
            for (key, value) in new {
                within(path, &format!(".{key}"), |path| {
                    compare(&Value::Null, value, path, fields);
                });
            }
        }
        (Value::Array(old), Value::Array(new)) => compare_lists(old, new, path, fields),
        (before, after) if before == after => {}
        _ => push(path, fields),
    }
}

fn compare_lists(old: &[Value], new: &[Value], path: &mut String, fields: &mut Vec<String>) {
    let known: HashMap<String, &Value> = old
        .iter()
        .enumerate()
        .map(|(at, item)| (key_of(at, item), item))
        .collect();
    let mut seen = Vec::with_capacity(new.len());
    for (at, item) in new.iter().enumerate() {
        let key = key_of(at, item);
        within(path, &key, |path| match known.get(&key) {
            Some(known) => compare(known, item, path, fields),
            None => push(path, fields),
        });
        seen.push(key);
    }
    for (at, item) in old.iter().enumerate() {
        let key = key_of(at, item);
        if !seen.contains(&key) {
            within(path, &key, |path| push(path, fields));
        }
    }
}

fn key_of(at: usize, item: &Value) -> String {
    match item.get("name").and_then(Value::as_str) {
        Some(name) => format!("[name={name}]"),
        None => format!("[{at}]"),
    }
}

fn within(path: &mut String, part: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(part);
    visit(path);
    path.truncate(length);
}

fn push(path: &str, fields: &mut Vec<String>) {
    fields.push(path.trim_start_matches('.').to_owned());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changed_fields_are_named_and_items_by_their_name() {
        let before = json!({"a": 1, "c": [{"name": "x", "i": 1}, {"name": "y"}], "gone": 1});
        let after = json!({"a": 1, "c": [{"name": "y"}, {"name": "x", "i": 2}], "new": {"b": 1}});
        let mut fields = Vec::new();
        compare(&before, &after, &mut String::new(), &mut fields);
        assert_eq!(fields, ["c[name=x].i", "new.b", "gone"]);
    }
}
