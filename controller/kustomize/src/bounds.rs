//! Bounds for values that patches and replacements could make grow without end.

use serde_json::Value;

/// Levels of nesting of an object.
const MAX_DEPTH: usize = 1000;

/// Values in an object, nested ones included.
const MAX_NODES: usize = 1_000_000;

/// Checks that a value is within bounds.
pub(crate) fn check(value: &Value) -> Result<(), String> {
    let mut nodes = 0usize;
    let mut rest = vec![(value, 0usize)];
    while let Some((value, depth)) = rest.pop() {
        nodes += 1;
        if depth > MAX_DEPTH {
            return Err(format!(
                "the object is nested deeper than {MAX_DEPTH} levels"
            ));
        }
        if nodes > MAX_NODES {
            return Err(format!("the object has more than {MAX_NODES} values"));
        }
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => rest.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_nested_too_deeply_is_refused() {
        let mut value = Value::Null;
        for _ in 0..900 {
            value = Value::Array(vec![value]);
        }
        assert_eq!(check(&value), Ok(()));
        for _ in 0..200 {
            value = Value::Array(vec![value]);
        }
        assert!(check(&value).is_err());
    }
}
