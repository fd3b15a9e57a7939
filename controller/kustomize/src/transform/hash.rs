//! The hash of their content in the names of generated resources.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::resource::{Resource, Resources};

/// Adds the hash of its content to the name of each resource that is to have one.
pub(crate) fn apply(resources: &mut Resources) {
    for resource in resources.iter_mut().filter(|resource| resource.needs_hash) {
        let name = format!("{}-{}", resource.name(), of(resource));
        resource.remember_id();
        resource.set_name(name);
    }
}

/// Returns the ten characters that stand for the content of a resource.
fn of(resource: &Resource) -> String {
    let gvk = resource.gvk();
    let fields: &[&str] = match gvk.kind {
        "ConfigMap" => &["data", "binaryData"],
        "Secret" => &["type", "data", "stringData"],
        _ => &[],
    };
    if fields.is_empty() {
        return encode(&resource.value);
    }
    let mut content = Map::new();
    content.insert("kind".to_owned(), gvk.kind.into());
    // kustomize looks for the name in the wrong place, and so hashes none.
    content.insert("name".to_owned(), "".into());
    for field in fields {
        match (*field, resource.value.get(*field)) {
            ("binaryData" | "stringData", Some(Value::Object(value))) => {
                content.insert((*field).to_owned(), value.clone().into());
            }
            ("binaryData" | "stringData", _) => {}
            (_, value) => {
                content.insert((*field).to_owned(), seen(resource, value));
            }
        }
    }
    encode(&Value::Object(content))
}

/// What the hash sees of a value: mappings as they are, what is plain as it is written, and nothing of a list.
fn seen(resource: &Resource, value: Option<&Value>) -> Value {
    match value {
        None => "".into(),
        Some(Value::Array(_)) => Value::Null,
        Some(Value::Object(fields)) => fields.clone().into(),
        Some(plain) => resource.written(plain).into(),
    }
}

fn encode(content: &Value) -> String {
    let digest = Sha256::digest(go_json(content).as_bytes());
    let hex = digest
        .iter()
        .take(5)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    // Digits and letters that could make a word or look alike are replaced.
    hex.map(|digit| match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        digit => char::from_digit(u32::from(digit), 16).unwrap_or('0'),
    })
    .collect()
}

/// Writes JSON as Go does: keys sorted, and what HTML could take for its own escaped.
pub(crate) fn go_json(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let text = sorted.to_string();
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::build::Origin;

    #[test]
    fn the_hash_is_that_of_kustomize() {
        // As `kubectl` hashes an empty ConfigMap too.
        let map =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ""}, "data": {}});
        assert_eq!(of(&Resource::new(map, Origin::default())), "42745tchd9");
    }

    #[test]
    fn json_is_escaped_as_go_escapes_it() {
        assert_eq!(
            go_json(&json!({"b": "<&>", "a": 1})),
            r#"{"a":1,"b":"\u003c\u0026\u003e"}"#
        );
    }
}
