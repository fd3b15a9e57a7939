//! JSON and YAML that stand inside of a text.

use serde_json::Value;

use crate::fieldpath::{Part, Walk};
use crate::transform::hash::go_json;
use crate::yaml::{self, Dialect, Text};

/// Reads a text as JSON or YAML, goes on in it, and writes it again in the same form; returns how many fields were found.
pub(crate) fn change(
    text: &mut String,
    walk: &mut Walk<'_, '_>,
    parts: &[Part],
) -> Result<usize, String> {
    if text.trim_start().starts_with(['{', '[']) {
        return change_json(text, walk, parts);
    }
    // This says what is wrong, and is stricter.
    document(text, Dialect::Text)?;
    let mut content =
        Text::read(text).ok_or("the text is YAML of a form that cannot be changed")?;
    let found = walk.walk(&mut content.root, parts)?;
    if found > 0 {
        *text = content.write();
    }
    Ok(found)
}

fn change_json(
    text: &mut String,
    walk: &mut Walk<'_, '_>,
    parts: &[Part],
) -> Result<usize, String> {
    let mut value = document(text, Dialect::Manifest)?;
    let found = walk.walk(&mut value, parts)?;
    if found > 0 {
        let compact = go_json(&value);
        let is_spread = text.contains('\n') && text.contains("  ");
        *text = if is_spread { pretty(&compact) } else { compact };
    }
    Ok(found)
}

/// Reads the first document of a text, if it is a list or mapping.
fn document(text: &str, dialect: Dialect) -> Result<Value, String> {
    let documents = yaml::parse(text.as_bytes(), "", dialect)
        .map_err(|error| format!("the text is neither JSON nor YAML: {}", error.message))?;
    match documents.into_iter().next().map(|document| document.value) {
        Some(value) if value.is_object() || value.is_array() => Ok(value),
        _ => Err("the path goes on inside of a plain value".to_owned()),
    }
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
