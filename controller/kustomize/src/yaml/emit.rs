//! JSON values to YAML text, in the style of `kubectl get -o yaml`.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::{Dialect, scalar};

/// Writes a value as YAML in the style of `kubectl -o yaml`: two spaces, lists not indented,
/// text of several lines as a block. Keys stay in their order.
///
/// Strings that another YAML reader could take for something else are quoted.
///
/// ```
/// let value = serde_json::json!({"data": {"on": "yes", "script": "a\nb\n"}, "list": [1, {"x": []}]});
/// assert_eq!(
///     flux_kustomize::to_yaml(&value),
///     "data:\n  \"on\": \"yes\"\n  script: |\n    a\n    b\nlist:\n- 1\n- x: []\n",
/// );
/// ```
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => mapping(&mut out, fields, 0, false),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0, false),
        // At the margin `---` would end the document.
        _ => leaf(&mut out, value, 2),
    }
    out
}

fn pad(out: &mut String, indent: usize) {
    const BLANKS: &str = "                                ";
    let mut left = indent;
    while left > 0 {
        let now = left.min(BLANKS.len());
        out.push_str(&BLANKS[..now]);
        left -= now;
    }
}

/// `inline`: the first line is already begun (after `- `).
fn mapping(out: &mut String, fields: &Map<String, Value>, indent: usize, inline: bool) {
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        string(out, key, None);
        out.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                out.push('\n');
                mapping(out, fields, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, indent, false);
            }
            _ => {
                out.push(' ');
                leaf(out, value, indent + 2);
            }
        }
    }
}

fn sequence(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (index, value) in items.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        out.push_str("- ");
        match value {
            Value::Object(fields) if !fields.is_empty() => mapping(out, fields, indent + 2, true),
            Value::Array(items) if !items.is_empty() => sequence(out, items, indent + 2, true),
            _ => leaf(out, value, indent + 2),
        }
    }
}

/// A scalar or empty collection, and the end of its line. Blocks are indented by `indent`.
fn leaf(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => string(out, text, Some(indent)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => scalar::go_float(value),
        _ => number.to_string(),
    }
}

/// `block`: the indentation for a text of several lines, if it may be written as a block.
fn string(out: &mut String, text: &str, block: Option<usize>) {
    if let Some(indent) = block
        && text.contains('\n')
        && fits_block(text)
    {
        literal(out, text, indent);
    } else if fits_plain(text) {
        out.push_str(text);
    } else if text.contains('"') && text.chars().all(|c| !escaped(c)) {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        double_quoted(out, text);
    }
}

fn fits_block(text: &str) -> bool {
    let trimmed = text.trim_end_matches('\n');
    trimmed.contains('\n')
        && !trimmed.starts_with([' ', '\n'])
        && text.chars().all(|c| c == '\n' || c == '\t' || !escaped(c))
        // Readers disagree about tabs where indentation could stand, and about blank last lines.
        && !text.lines().any(|line| line.starts_with('\t') || (!line.is_empty() && line.trim().is_empty()))
}

fn literal(out: &mut String, text: &str, indent: usize) {
    let trimmed = text.trim_end_matches('\n');
    out.push_str(match text.len() - trimmed.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    out.push('\n');
    for line in text.lines() {
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn escaped(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Writes a text in double quotes.
pub(super) fn double_quoted_text(text: &str) -> String {
    let mut out = String::new();
    double_quoted(&mut out, text);
    out
}

fn double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if escaped(c) && (c as u32) < 0x100 => {
                write!(out, "\\x{:02x}", c as u32).expect("writing to a string");
            }
            c if escaped(c) => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a string");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn fits_plain(text: &str) -> bool {
    is_simple(text) || fits_plain_by_rules(text)
}

/// Tells at one glance that a text needs no quotes; most texts do not.
///
/// It begins with a letter and is longer than any word that means something else.
fn is_simple(text: &str) -> bool {
    const LONGEST_WORD: usize = 5;
    text.len() > LONGEST_WORD
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'-'))
}

fn fits_plain_by_rules(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let begins = match first {
        '-' | '?' | ':' => text
            .chars()
            .nth(1)
            .is_some_and(|c| !c.is_whitespace() && c != '-'),
        // What could end the document.
        '.' => text != "..." && !text.starts_with("... "),
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' | '=' | '<' => false,
        c => !c.is_whitespace(),
    };
    begins
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(escaped)
        && !scalar::is_float(text)
        && is_string(text)
}

/// Whether every reader takes the plain text for a string.
pub(super) fn is_string(text: &str) -> bool {
    let same =
        |dialect| matches!(scalar::resolve(text, dialect), Ok(Value::String(read)) if read == text);
    // YAML 1.1 has timestamps and numbers to the base of sixty.
    let digits = text
        .trim_start_matches(['-', '+', '.'])
        .starts_with(|c: char| c.is_ascii_digit());
    let numeric = text.chars().all(|c| {
        c.is_ascii_hexdigit()
            || matches!(
                c,
                ':' | '.' | '_' | '-' | '+' | 'T' | 't' | 'Z' | 'z' | ' ' | 'x' | 'o'
            )
    });
    let hash_like = digits
        && !text.contains([':', '.', '-', '+', '_', ' '])
        && text
            .chars()
            .any(|c| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E'));
    same(Dialect::Manifest) && same(Dialect::Configuration) && !(digits && numeric && !hash_like)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::parse_yaml;

    #[rstest]
    #[case("")]
    #[case("yes")]
    #[case("0755")]
    #[case("1e3")]
    #[case("2001-01-01")]
    #[case("12:30:45")]
    #[case("- a")]
    #[case("a: b")]
    #[case("a #b")]
    #[case("a:")]
    #[case("... a")]
    #[case("*")]
    #[case(" a")]
    #[case("\u{85}")]
    #[case("it's \"so\"")]
    #[case("a\n\n b\n")]
    #[case("a\n\n\n")]
    #[case("\ta\n\tb")]
    #[case("a\r\nb")]
    fn what_is_written_reads_back_the_same(#[case] text: &str) {
        let value = serde_json::json!({"a": [{"b": text}, text]});
        let read = parse_yaml(to_yaml(&value).as_bytes(), "x").unwrap();
        assert_eq!(read[0].value, value, "{}", to_yaml(&value));
    }

    proptest! {
        #[test]
        fn any_text_reads_back_the_same(text in "\\PC*|[ -~\n\t]*|[a-z:#\n '\"-]*") {
            let value = serde_json::json!({"a": [{"b": &text}, &text], &text: 1});
            let yaml = to_yaml(&value);
            let read = parse_yaml(yaml.as_bytes(), "x").unwrap();
            prop_assert_eq!(&read[0].value, &value, "{}", yaml);
        }
    }
}
