//! Values as the YAML that people write: block or flow, plain or quoted.

use serde_json::Value;

use super::chance::Chance;

/// Begins a text that is written into the YAML as it is, without quotes.
pub(super) const RAW: char = '\u{0}';

/// Returns a text that is written into the YAML as it is.
pub(super) fn raw(text: &str) -> Value {
    format!("{RAW}{text}").into()
}

/// Writes one document.
pub(super) fn yaml(chance: &mut Chance, value: &Value) -> String {
    let mut out = String::new();
    if is_block(value) {
        block(chance, value, 0, &mut out);
    } else {
        out = scalar(chance, value, 0);
        out.push('\n');
    }
    out
}

/// Writes several documents.
pub(super) fn documents(chance: &mut Chance, values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(|value| yaml(chance, value)).collect();
    texts.join("---\n")
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn block(chance: &mut Chance, value: &Value, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = scalar(chance, &Value::String(key.clone()), indent);
                out.push_str(&[&margin, key.as_str(), ":"].concat());
                below(chance, value, indent, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut text = String::new();
                if is_block(item) {
                    block(chance, item, indent + 2, &mut text);
                    text.replace_range(..indent + 2, &format!("{margin}- "));
                } else {
                    let scalar = scalar(chance, item, indent + 2);
                    text = format!("{margin}- {scalar}\n");
                }
                out.push_str(&text);
            }
        }
        _ => {}
    }
}

fn below(chance: &mut Chance, value: &Value, indent: usize, out: &mut String) {
    if !is_block(value) || (chance.one_in(25) && !has_raw(value)) {
        let text = if is_block(value) {
            value.to_string()
        } else {
            scalar(chance, value, indent + 2)
        };
        out.push_str(&[" ", &text, "\n"].concat());
        return;
    }
    out.push('\n');
    let deeper = if value.is_array() { indent } else { indent + 2 };
    block(chance, value, deeper, out);
}

fn has_raw(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(RAW),
        Value::Array(items) => items.iter().any(has_raw),
        Value::Object(fields) => fields.values().any(has_raw),
        _ => false,
    }
}

fn scalar(chance: &mut Chance, value: &Value, indent: usize) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    if let Some(raw) = text.strip_prefix(RAW) {
        return raw.to_owned();
    }
    if let Some(literal) = literal(text, indent) {
        return literal;
    }
    match chance.below(10) {
        0..8 if is_plain(text) => text.clone(),
        8 if !text.contains(['\n', '\r', '\t']) && !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        _ => value.to_string(),
    }
}

/// A text of several lines as a literal block, if it can be one.
fn literal(text: &str, indent: usize) -> Option<String> {
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let odd = |line: &str| line.starts_with(' ') && line.trim().is_empty();
    let fits = body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && !body.contains(['\t', '\r'])
        && !body.lines().any(odd);
    let margin = " ".repeat(indent.max(2));
    fits.then(|| {
        body.lines().fold(head.to_owned(), |all, line| {
            if line.is_empty() {
                all + "\n"
            } else {
                format!("{all}\n{margin}{line}")
            }
        })
    })
}

fn is_plain(text: &str) -> bool {
    let reserved = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let value = json!({
            "a": {"b": [1, {"c": "x", "d": ["y", {}, []]}, [1, [2]]], "e": "two\nlines"},
            "f": "two\nlines\n", "g": " odd: #", "h": "yes", "i": null, "j": [], "k/l": "0755",
        });
        for seed in 0..200 {
            let text = yaml(&mut Chance::new(seed), &value);
            let read = flux_kustomize::parse_yaml(text.as_bytes(), "").unwrap();
            assert_eq!(read[0].value, value, "{text}");
        }
    }

    #[test]
    fn raw_text_has_no_quotes() {
        let text = yaml(&mut Chance::new(1), &json!({"mode": raw("0755")}));
        assert!(text.ends_with(": 0755\n"), "{text}");
    }
}
