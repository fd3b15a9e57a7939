//! Changes to plain values of a YAML text that leave the rest of the text as it is.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;

use super::emit;

/// Writes the plain values that changed into a text, and leaves comments, styles and order alone.
///
/// `None` if more than plain values changed, or the text has aliases.
pub(crate) fn edit(text: &str, before: &Value, after: &Value) -> Option<String> {
    let mut changed = Vec::new();
    collect(before, after, &mut Vec::new(), &mut changed)?;
    let scalars = scalars(text)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (path, value) in changed {
        let scalar = scalars.iter().find(|scalar| scalar.path == path)?;
        edits.push((scalar.range.clone(), written(value, scalar.style)?));
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut edited = text.to_owned();
    for (range, new) in edits {
        edited.get(range.clone())?;
        edited.replace_range(range, &new);
    }
    Some(edited)
}

/// Collects the plain values that differ; `None` if anything else does.
fn collect<'v>(
    before: &Value,
    after: &'v Value,
    path: &mut Vec<String>,
    changed: &mut Vec<(Vec<String>, &'v Value)>,
) -> Option<()> {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            if old.len() != new.len() {
                return None;
            }
            for (key, value) in new {
                path.push(key.clone());
                collect(old.get(key)?, value, path, changed)?;
                path.pop();
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            if old.len() != new.len() {
                return None;
            }
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                path.push(at.to_string());
                collect(old, new, path, changed)?;
                path.pop();
            }
        }
        (old, new) if old == new => {}
        (old, new) if [old, new].iter().any(|v| v.is_object() || v.is_array()) => return None,
        (_, new) => changed.push((path.clone(), new)),
    }
    Some(())
}

struct Scalar {
    path: Vec<String>,
    range: Range<usize>,
    style: ScalarStyle,
}

/// A collection that is being read: a list with its next index, or a mapping with its key.
enum Level {
    List(usize),
    Mapping(Option<String>),
}

/// Finds all plain values of a text with their places.
fn scalars(text: &str) -> Option<Vec<Scalar>> {
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    let mut levels: Vec<Level> = Vec::new();
    let mut found = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        match event {
            Event::Scalar(value, style, ..) => {
                if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                    *key = Some(value.into_owned());
                    continue;
                }
                let path = levels.iter().map(part).collect();
                let range = span.byte_range()?;
                found.push(Scalar { path, range, style });
                advance(&mut levels);
            }
            Event::SequenceStart(..) => levels.push(Level::List(0)),
            Event::MappingStart(..) => levels.push(Level::Mapping(None)),
            Event::SequenceEnd | Event::MappingEnd => {
                levels.pop();
                advance(&mut levels);
            }
            Event::Alias(_) => return None,
            _ => {}
        }
    }
    Some(found)
}

fn part(level: &Level) -> String {
    match level {
        Level::List(at) => at.to_string(),
        Level::Mapping(key) => key.clone().unwrap_or_default(),
    }
}

fn advance(levels: &mut [Level]) {
    match levels.last_mut() {
        Some(Level::List(at)) => *at += 1,
        Some(Level::Mapping(key)) => *key = None,
        None => {}
    }
}

/// Writes a value in the style of the one before; `None` for blocks.
fn written(value: &Value, style: ScalarStyle) -> Option<String> {
    let text = match (value, style) {
        (_, ScalarStyle::Literal | ScalarStyle::Folded) => return None,
        (Value::String(text), ScalarStyle::DoubleQuoted) => emit::double_quoted_text(text),
        (Value::String(text), ScalarStyle::SingleQuoted) if !text.contains('\n') => {
            format!("'{}'", text.replace('\'', "''"))
        }
        (value, _) => emit::to_yaml(value).trim_end().to_owned(),
    };
    (!text.contains('\n')).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_value_changes() {
        let text = "# top\na:\n    b:   old   # why\n    c: ['x', \"y\"]\n";
        let before = json!({"a": {"b": "old", "c": ["x", "y"]}});
        let after = json!({"a": {"b": "8080", "c": ["z", "q\""]}});
        let expected = "# top\na:\n    b:   \"8080\"   # why\n    c: ['z', \"q\\\"\"]\n";
        assert_eq!(edit(text, &before, &after).as_deref(), Some(expected));
    }

    #[test]
    fn more_than_values_is_not_edited() {
        assert_eq!(
            edit("a: 1", &json!({"a": 1}), &json!({"a": 1, "b": 2})),
            None
        );
        let aliased = json!({"a": "x", "b": "x"});
        assert_eq!(
            edit("a: &a x\nb: *a", &aliased, &json!({"a": "x", "b": "y"})),
            None
        );
    }
}
