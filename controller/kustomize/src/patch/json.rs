//! JSON patches, with the liberties that the Go library takes with RFC 6902.
//!
//! A replaced key may be missing, an index may count from the end, copying what is missing gives
//! null, and a path without a leading `/` loses its first part.

use serde_json::{Map, Value};

use crate::budget;

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

impl Operation {
    /// Reads an operation.
    pub(crate) fn read(value: Value) -> Result<Self, String> {
        let Value::Object(mut fields) = value else {
            return Err("an operation must be a mapping".to_owned());
        };
        let op = text(&mut fields, "op")?;
        let path = text(&mut fields, "path")?;
        let value = fields.shift_remove("value").unwrap_or_default();
        Ok(match op.as_str() {
            "add" => Self::Add { path, value },
            "remove" => Self::Remove { path },
            "replace" => Self::Replace { path, value },
            "test" => Self::Test { path, value },
            "move" => Self::Move {
                from: text(&mut fields, "from")?,
                path,
            },
            "copy" => Self::Copy {
                from: text(&mut fields, "from")?,
                path,
            },
            _ => {
                return Err(format!(
                    "op must be add, remove, replace, move, copy or test, not {op:?}"
                ));
            }
        })
    }

    /// Returns how many values the operation writes, as far as it says so itself.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Add { value, .. } | Self::Replace { value, .. } | Self::Test { value, .. } => {
                budget::weight(value)
            }
            Self::Remove { .. } | Self::Move { .. } | Self::Copy { .. } => 1,
        }
    }

    /// Applies the operation.
    pub(crate) fn apply(&self, root: &mut Value) -> Result<(), String> {
        match self {
            Self::Add { path, value } => add(root, path, value.clone()),
            Self::Remove { path } => remove(root, path).map(drop),
            Self::Replace { path, value } => replace(root, path, value.clone()),
            Self::Move { from, path } => {
                let value = remove(root, from)?;
                add(root, path, value)
            }
            Self::Copy { from, path } => {
                let value = get(root, from)?;
                add(root, path, value)
            }
            Self::Test { path, value } => {
                let found = if path.is_empty() {
                    root.clone()
                } else {
                    get(root, path)?
                };
                if found == *value {
                    return Ok(());
                }
                Err(format!("test of {path} failed"))
            }
        }
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.shift_remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{name} must be text")),
        None => Err(format!("{name} is missing")),
    }
}

/// Finds the list or mapping around a path, and the last part of the path.
fn parent<'v>(root: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), String> {
    let missing = || format!("there is nothing at {path}");
    let mut parts = path.split('/').skip(1).map(unescape);
    let mut key = parts.next().ok_or_else(missing)?;
    let mut value = root;
    for next in parts {
        let inner = match value {
            Value::Object(fields) => fields.get_mut(&key),
            Value::Array(items) => {
                let at = index(&key, items.len()).ok_or_else(missing)?;
                items.get_mut(at)
            }
            _ => None,
        };
        value = inner
            .filter(|inner| inner.is_object() || inner.is_array())
            .ok_or_else(missing)?;
        key = next;
    }
    Ok((value, key))
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// An index into a list; a negative one counts from the end.
fn index(key: &str, length: usize) -> Option<usize> {
    let at: i64 = key.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length } else { at };
    usize::try_from(at).ok().filter(|_| at < length)
}

fn add(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, key) = parent(root, path)?;
    match parent {
        Value::Object(fields) => {
            fields.insert(key, value);
            Ok(())
        }
        Value::Array(items) if key == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            let at = index(&key, items.len() + 1)
                .ok_or_else(|| format!("{key} is no index into the list at {path}"))?;
            items.insert(at, value);
            Ok(())
        }
        _ => Err(format!("there is no list or mapping around {path}")),
    }
}

fn remove(root: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, key) = parent(root, path)?;
    let removed = match parent {
        Value::Object(fields) => fields.shift_remove(&key),
        Value::Array(items) => index(&key, items.len()).map(|at| items.remove(at)),
        _ => None,
    };
    removed.ok_or_else(|| format!("there is nothing at {path} to take away"))
}

fn replace(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        if !value.is_object() && !value.is_array() {
            return Err("the whole can only be replaced by a list or mapping".to_owned());
        }
        *root = value;
        return Ok(());
    }
    let (parent, key) = parent(root, path)?;
    match parent {
        Value::Object(fields) => {
            fields.insert(key, value);
            Ok(())
        }
        Value::Array(items) => match index(&key, items.len()).and_then(|at| items.get_mut(at)) {
            Some(item) => {
                *item = value;
                Ok(())
            }
            None => Err(format!("there is nothing at {path} to replace")),
        },
        _ => Err(format!("there is nothing at {path} to replace")),
    }
}

/// Returns a copy of what is at a path; a missing key is null.
fn get(root: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, key) = parent(root, path)?;
    match parent {
        Value::Object(fields) => Ok(fields.get(&key).cloned().unwrap_or_default()),
        Value::Array(items) => index(&key, items.len())
            .and_then(|at| items.get(at).cloned())
            .ok_or_else(|| format!("there is nothing at {path}")),
        _ => Err(format!("there is nothing at {path}")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"op": "add", "path": "/a/-", "value": 3}), json!({"a": [1, 2, 3]}))]
    #[case(json!({"op": "add", "path": "/a/2", "value": 3}), json!({"a": [1, 2, 3]}))]
    #[case(json!({"op": "add", "path": "/a/-1", "value": 3}), json!({"a": [1, 2, 3]}))]
    #[case(json!({"op": "replace", "path": "/a/-1", "value": 3}), json!({"a": [1, 3]}))]
    #[case(json!({"op": "replace", "path": "/b", "value": 3}), json!({"a": [1, 2], "b": 3}))]
    #[case(json!({"op": "replace", "path": "x/b", "value": 3}), json!({"a": [1, 2], "b": 3}))]
    #[case(json!({"op": "copy", "from": "/x", "path": "/b"}), json!({"a": [1, 2], "b": null}))]
    #[case(json!({"op": "move", "from": "/a/0", "path": "/b~1c"}), json!({"a": [2], "b/c": 1}))]
    #[case(json!({"op": "test", "path": "/x", "value": null}), json!({"a": [1, 2]}))]
    fn operations_do_what_the_go_library_does(#[case] operation: Value, #[case] expected: Value) {
        let mut value = json!({"a": [1, 2]});
        Operation::read(operation)
            .unwrap()
            .apply(&mut value)
            .unwrap();
        assert_eq!(value, expected);
    }

    #[rstest]
    #[case(json!({"op": "add", "path": "/a/3", "value": 3}))]
    #[case(json!({"op": "add", "path": "/x/y", "value": 3}))]
    #[case(json!({"op": "remove", "path": "/x"}))]
    #[case(json!({"op": "move", "from": "/x", "path": "/b"}))]
    #[case(json!({"op": "replace", "path": "/a/2", "value": 3}))]
    #[case(json!({"op": "test", "path": "/a/0", "value": 2}))]
    fn operations_on_what_is_missing_fail(#[case] operation: Value) {
        let mut value = json!({"a": [1, 2]});
        assert!(
            Operation::read(operation)
                .unwrap()
                .apply(&mut value)
                .is_err()
        );
    }
}
