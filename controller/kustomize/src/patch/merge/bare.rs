//! Numbers, booleans and dates without quotes in a patch.
//!
//! kustomize keeps the style of the field that is there: over text in quotes they become text, as they are written. Those
//! that are not written as they are printed bear a mark while they are merged.

use serde_json::Value;

use crate::resource::Resource;
use crate::yaml;

/// Begins what is written without quotes.
const MARK: &str = "\0\0bare\0";

/// Returns what a patch says, with marks; nothing if there is nothing to mark.
pub(super) fn marked(patch: &Resource) -> Option<Value> {
    if patch.notations.is_empty() {
        return None;
    }
    let mut value = patch.value.clone();
    for notation in &patch.notations {
        let read = yaml::resolve_plain(&notation.text);
        if let Some(there) = value.pointer_mut(&notation.pointer)
            && !there.is_null()
            && read.as_ref() == Some(there)
        {
            *there = Value::String(format!("{MARK}{}", notation.text));
        }
    }
    Some(value)
}

/// Makes what they are of all that bear a mark.
pub(super) fn unmark(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(text) = text.strip_prefix(MARK) {
                *value = read(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unmark),
        Value::Object(fields) => fields.values_mut().for_each(unmark),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns what a plain value of a patch becomes over a text.
pub(super) fn over(old: &str, new: Value) -> Value {
    match &new {
        Value::String(text) => match text.strip_prefix(MARK) {
            Some(text) if yaml::had_quotes(old) => text.into(),
            Some(text) => read(text),
            None => new,
        },
        Value::Number(_) | Value::Bool(_) if yaml::had_quotes(old) => new.to_string().into(),
        _ => new,
    }
}

/// The text of a field that tells items apart.
pub(super) fn text(text: &str) -> String {
    match text.strip_prefix(MARK) {
        Some(text) => crate::fieldpath::text_of(&read(text)),
        None => text.to_owned(),
    }
}

fn read(text: &str) -> Value {
    yaml::resolve_plain(text).unwrap_or_else(|| text.into())
}
