//! What differs from kustomize on purpose, as far as random trees run into it.
//!
//! The list in the documentation of `flux-kustomize` says the same for people.

use serde_json::Value;

use super::{Difference, Sort, Tree};

/// Names the deliberate deviation that a difference comes from.
pub fn intended(tree: &Tree, difference: &Difference) -> Option<&'static str> {
    let text = difference.text.as_str();
    let objects = difference.sort == Sort::Objects;
    if objects && text.contains(".ports") && any(tree, &|value| lacks(value, "ports", "protocol")) {
        return Some("merging lists with two keys loses nothing where the second key is missing");
    }
    None
}

/// Tells whether a list of that name has an item without a field.
fn lacks(value: &Value, list: &str, field: &str) -> bool {
    let items = value.get(list).and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|item| item.get(field).is_none()))
}

/// Tells whether anything in the files of a tree, or in the patches within them, is such.
fn any(tree: &Tree, is_such: &dyn Fn(&Value) -> bool) -> bool {
    tree.files
        .values()
        .any(|content| any_in_text(content, is_such))
}

fn any_in_text(content: &str, is_such: &dyn Fn(&Value) -> bool) -> bool {
    let documents = flux_kustomize::parse_yaml(content.as_bytes(), "").unwrap_or_default();
    documents
        .iter()
        .any(|document| any_in(&document.value, is_such))
}

fn any_in(value: &Value, is_such: &dyn Fn(&Value) -> bool) -> bool {
    is_such(value)
        || match value {
            Value::Object(fields) => fields.values().any(|value| any_in(value, is_such)),
            Value::Array(items) => items.iter().any(|item| any_in(item, is_such)),
            Value::String(text) if text.contains('\n') => any_in_text(text, is_such),
            _ => false,
        }
}
