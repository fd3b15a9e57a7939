//! Takes the content out of secrets and leaves the change.

use std::borrow::Cow;

use serde_json::Value;

use crate::managed_fields::LAST_APPLIED;

const MASK: &str = "***";
const MASK_BEFORE: &str = "*** (before)";
const MASK_AFTER: &str = "*** (after)";

/// Masks what is secret in one object, before it is shown.
///
/// Secret are the values of `data` and `stringData` of a Secret, and the last-applied annotation
/// of any object, which repeats them.
pub fn mask(object: &Value) -> Cow<'_, Value> {
    if !holds_secrets(object) {
        return Cow::Borrowed(object);
    }
    Cow::Owned(masked(object, &Value::Null, MASK))
}

/// Masks two versions of an object so that equal values stay equal and others stay different.
pub(super) fn mask_pair<'a>(
    before: &'a Value,
    after: &'a Value,
) -> (Cow<'a, Value>, Cow<'a, Value>) {
    if !holds_secrets(before) && !holds_secrets(after) {
        return (Cow::Borrowed(before), Cow::Borrowed(after));
    }
    (
        Cow::Owned(masked(before, after, MASK_BEFORE)),
        Cow::Owned(masked(after, before, MASK_AFTER)),
    )
}

fn masked(object: &Value, other: &Value, mark: &str) -> Value {
    let mut masked = object.clone();
    let is_either_secret = is_secret(object) || is_secret(other);
    for field in ["data", "stringData"] {
        if is_either_secret && let Some(value) = masked.get_mut(field) {
            mask_field(value, &other[field], mark);
        }
    }
    if let Some(value) = last_applied(&mut masked) {
        let other = &other["metadata"]["annotations"][LAST_APPLIED];
        *value = mask_value(value, other, mark);
    }
    masked
}

fn mask_field(value: &mut Value, other: &Value, mark: &str) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                *value = mask_value(value, &other[key.as_str()], mark);
            }
        }
        Value::Null => {}
        value => *value = mask_value(value, other, mark),
    }
}

fn mask_value(value: &Value, other: &Value, mark: &str) -> Value {
    let is_only_here = other.is_null();
    Value::from(if is_only_here || value == other {
        MASK
    } else {
        mark
    })
}

fn is_secret(object: &Value) -> bool {
    object["kind"] == "Secret" && object["apiVersion"] == "v1"
}

fn holds_secrets(object: &Value) -> bool {
    is_secret(object)
        || object["metadata"]["annotations"]
            .get(LAST_APPLIED)
            .is_some()
}

fn last_applied(object: &mut Value) -> Option<&mut Value> {
    let metadata = object.get_mut("metadata")?;
    metadata.get_mut("annotations")?.get_mut(LAST_APPLIED)
}
