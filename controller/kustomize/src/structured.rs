//! JSON and YAML that stand inside of a text.

use serde_json::Value;

use crate::transform::hash::go_json;
use crate::yaml::{self, Dialect};

/// Reads a text as JSON or YAML, changes it, and writes it back in the same form.
pub(crate) fn change(
    text: &mut String,
    change: impl FnOnce(&mut Value) -> Result<usize, String>,
) -> Result<usize, String> {
    let documents = yaml::parse(text.as_bytes(), "", Dialect::Manifest)
        .map_err(|error| format!("the text is neither JSON nor YAML: {}", error.message))?;
    let Some(document) = documents.into_iter().next() else {
        return Ok(0);
    };
    let mut value = document.value;
    if !value.is_object() && !value.is_array() {
        return Err("the path goes on inside of a plain value".to_owned());
    }
    let before = value.clone();
    let found = change(&mut value)?;
    if found > 0 {
        *text = write(&before, &value, text);
    }
    Ok(found)
}

fn write(before: &Value, value: &Value, original: &str) -> String {
    if !original.trim_start().starts_with(['{', '[']) {
        let edited = yaml::edit(original, before, value);
        return edited
            .unwrap_or_else(|| yaml::to_yaml(value))
            .trim()
            .to_owned();
    }
    let compact = go_json(value);
    if original.contains('\n') && original.contains("  ") {
        return pretty(&compact);
    }
    compact
}

/// Spreads compact JSON over lines, two blanks a level.
fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0usize;
    let mut quoted = false;
    let mut escaped = false;
    let mut chars = compact.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                quoted = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_json_stays_pretty() {
        let json = r#"{"a":[1,{"b":"x: {\"y\"}"}],"c":{}}"#;
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x: {\\\"y\\\"}\"\n    }\n  ],\n  \"c\": {}\n}";
        assert_eq!(pretty(json), expected);
    }
}
