//! Which type a text has after substitution.

use flux_kustomize::{parse_yaml, to_yaml};
use serde_json::Value;

use crate::object::split_api_version;

/// What is known about an object's fields.
pub(super) struct Shape {
    is_map: bool,
    is_builtin: bool,
}

impl Shape {
    pub(super) fn of(object: &Value) -> Self {
        let (group, _) = split_api_version(object["apiVersion"].as_str().unwrap_or_default());
        let kind = object["kind"].as_str().unwrap_or_default();
        Self {
            is_map: group.is_empty() && ["ConfigMap", "Secret"].contains(&kind),
            is_builtin: !group.contains('.') || group.ends_with(".k8s.io"),
        }
    }

    /// Tells whether Kubernetes takes nothing but text at a path.
    pub(super) fn is_text(&self, path: &[String]) -> bool {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["metadata", "name" | "namespace"]
            | [
                ..,
                "labels" | "annotations" | "matchLabels" | "nodeSelector",
                _,
            ] => true,
            ["data" | "stringData", _] => self.is_map,
            [.., containers, _, "env", _, "value"] | [.., containers, _, "command" | "args", _] => {
                self.is_builtin && containers.to_ascii_lowercase().ends_with("containers")
            }
            _ => false,
        }
    }
}

/// Returns the value of `new`, which stands where `old` stood.
pub(super) fn read(old: &str, new: String, is_text: bool) -> Value {
    if !is_plain(old) {
        return Value::String(new);
    }
    if is_text {
        return Value::String(unquoted(new));
    }
    if new.is_empty() {
        return Value::Null;
    }
    match scalar(&new) {
        Some(value) => value,
        None => Value::String(new),
    }
}

/// Tells whether YAML writes a text without quotes.
fn is_plain(text: &str) -> bool {
    to_yaml(&Value::String(text.to_owned())).strip_suffix('\n') == Some(text)
}

/// Reads what can be nothing but one scalar: a word, or a text in quotes.
fn scalar(text: &str) -> Option<Value> {
    let is_word = text
        .chars()
        .all(|next| next.is_ascii_alphanumeric() || "+-._~".contains(next));
    if !is_word && !is_quoted(text) {
        return None;
    }
    let mut documents = parse_yaml(format!("v: {text}\n").as_bytes(), "").ok()?;
    let value = documents.pop()?.value["v"].take();
    let is_scalar = !value.is_array() && !value.is_object();
    is_scalar.then_some(value)
}

fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| {
        let inner = text.strip_prefix(quote);
        inner.is_some_and(|inner| inner.ends_with(quote))
    })
}

/// Where only text can stand, quotes that came from a variable mean the same as elsewhere.
fn unquoted(text: String) -> String {
    match scalar(&text) {
        Some(Value::String(inner)) if is_quoted(&text) => inner,
        _ => text,
    }
}
