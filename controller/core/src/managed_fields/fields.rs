//! Sets of fields in the form of `fieldsV1`.
//!
//! `{"f:a": {}}` holds the path `a`; `{"f:a": {"f:b": {}}}` holds `a.b` alone;
//! `{"f:a": {".": {}, "f:b": {}}}` holds both.

use serde_json::{Map, Value};

const SELF: &str = ".";

/// A set of fields.
pub(super) type Fields = Map<String, Value>;

/// Adds every path of `other` to `fields`.
pub(super) fn unite(fields: &mut Fields, other: Fields) {
    for (key, theirs) in other {
        let Value::Object(theirs) = theirs else {
            continue;
        };
        match fields.get_mut(&key).and_then(Value::as_object_mut) {
            None => {
                fields.insert(key, Value::Object(theirs));
            }
            Some(ours) => unite_children(ours, theirs),
        }
    }
}

/// A path that is a leaf on one side stays in the set when the other side has children there.
fn unite_children(ours: &mut Fields, theirs: Fields) {
    if ours.is_empty() != theirs.is_empty() {
        ours.insert(SELF.to_owned(), Value::Object(Map::new()));
    }
    unite(ours, theirs);
}

/// Splits off the leaves for which `stays` is true, which is given the path of keys.
///
/// Returns what stays and what goes. Parents that hold themselves (`.`) go, but for those on
/// the way to what stays, which are then on both sides: both owners have the map.
pub(super) fn split(fields: Fields, stays: &dyn Fn(&[&str]) -> bool) -> (Fields, Fields) {
    split_at(fields, &mut Vec::new(), stays)
}

fn split_at(
    fields: Fields,
    path: &mut Vec<String>,
    stays: &dyn Fn(&[&str]) -> bool,
) -> (Fields, Fields) {
    let (mut kept, mut gone) = (Fields::new(), Fields::new());
    for (key, value) in fields {
        path.push(key.clone());
        match value {
            Value::Object(children) if !children.is_empty() => {
                let (keep, go) = split_at(children, path, stays);
                insert_unless_empty(&mut kept, &key, keep);
                insert_unless_empty(&mut gone, &key, go);
            }
            leaf => {
                let keys: Vec<&str> = path.iter().map(String::as_str).collect();
                let side = if stays(&keys) { &mut kept } else { &mut gone };
                side.insert(key, leaf);
            }
        }
        path.pop();
    }
    (kept, gone)
}

fn insert_unless_empty(fields: &mut Fields, key: &str, children: Fields) {
    if !children.is_empty() {
        fields.insert(key.to_owned(), Value::Object(children));
    }
}

/// Returns every path in the set, for tests and comparison.
#[cfg(test)]
pub(super) fn paths(fields: &Fields) -> std::collections::BTreeSet<String> {
    fn walk(fields: &Fields, path: &str, paths: &mut std::collections::BTreeSet<String>) {
        for (key, value) in fields {
            let children = value.as_object();
            if key == SELF {
                paths.insert(path.to_owned());
                continue;
            }
            let path = format!("{path}/{key}");
            match children.filter(|children| !children.is_empty()) {
                Some(children) => walk(children, &path, paths),
                None => {
                    paths.insert(path);
                }
            }
        }
    }
    let mut paths = std::collections::BTreeSet::new();
    walk(fields, "", &mut paths);
    paths
}
