//! Paths to fields, as replacements and variables write them: `spec.containers.[name=web].image`.

mod walk;

use regex::Regex;
use serde_json::Value;

pub(crate) use walk::{Field, Visitor, Walk};

/// One part of a path.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Field(String),
    Index(usize),
    /// Items with a field that fits, or plain items that fit if the field is empty.
    Match(String, Regex, String),
    Every,
    /// Something in brackets that is no condition; an error where it is reached.
    Wrong(String),
}

/// A path to fields of an object.
#[derive(Debug, Clone)]
pub(crate) struct FieldPath {
    parts: Vec<Part>,
    text: String,
}

/// What to make at the end of a path where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    Nothing,
    Text,
    Mapping,
    List,
}

impl FieldPath {
    /// Reads a path; `\.` and brackets keep a dot from ending a part. A dot may come first.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = split(text.strip_prefix('.').unwrap_or(text))
            .into_iter()
            .map(part)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            parts,
            text: text.to_owned(),
        })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Finds the first field at the path.
    pub(crate) fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.parts.iter().try_fold(value, |value, part| match part {
            Part::Field(name) => value.get(name),
            Part::Index(at) => value.get(at),
            Part::Match(field, _, exact) => value.as_array()?.iter().find(|item| {
                let known = if field.is_empty() {
                    Some(*item)
                } else {
                    item.get(field)
                };
                known.is_some_and(|known| text_of(known) == *exact)
            }),
            Part::Every | Part::Wrong(_) => None,
        })
    }

    /// Calls a function with every field at the path, made if `leaf` says so; returns how many.
    ///
    /// Where the path goes on inside of a text, that text is read as JSON or YAML, changed and
    /// written back.
    pub(crate) fn visit(
        &self,
        value: &mut Value,
        leaf: Leaf,
        visitor: &mut Visitor<'_>,
    ) -> Result<usize, String> {
        Walk { leaf, visitor }.walk(value, &self.parts)
    }
}

/// The text of a plain value.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        value => value.to_string(),
    }
}

fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut bracket = false;
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'.') => {
                chars.next();
                current.push('.');
            }
            '.' if !bracket => parts.push(std::mem::take(&mut current)),
            '[' if current.is_empty() => {
                bracket = true;
                current.push(c);
            }
            ']' if bracket && matches!(chars.peek(), None | Some('.')) => {
                bracket = false;
                current.push(c);
            }
            c => current.push(c),
        }
    }
    parts.push(current);
    parts
}

fn part(text: String) -> Result<Part, String> {
    if text == "*" {
        return Ok(Part::Every);
    }
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    else {
        let is_index = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        return Ok(match text.parse() {
            Ok(index) if is_index => Part::Index(index),
            _ => Part::Field(text),
        });
    };
    match inner.split_once('=') {
        // Brackets are for names with dots in them.
        None if inner.contains('.') => Ok(Part::Field(text.trim_matches(['[', ']']).to_owned())),
        None => Ok(Part::Wrong(text)),
        Some((field, value)) => {
            let pattern = Regex::new(value)
                .map_err(|_| format!("{value} in {text} is not a regular expression"))?;
            Ok(Part::Match(field.to_owned(), pattern, value.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as visitors are")]
    fn set(field: Field<'_>) -> Result<(), String> {
        match field {
            Field::Value(value) => *value = json!("x"),
            Field::InText(node) => node.set_text("x".to_owned()),
        }
        Ok(())
    }

    #[rstest]
    #[case("a.b", json!({"a": {"b": 1}}), json!({"a": {"b": "x"}}))]
    #[case("a.[k=b].c", json!({"a": [{"k": "b", "c": 1}]}), json!({"a": [{"k": "b", "c": "x"}]}))]
    #[case("a.*.c", json!({"a": [{"c": 1}, {"c": 2}]}), json!({"a": [{"c": "x"}, {"c": "x"}]}))]
    #[case("a.1", json!({"a": [1, 2]}), json!({"a": [1, "x"]}))]
    #[case("a.b\\.c", json!({"a": {"b.c": 1}}), json!({"a": {"b.c": "x"}}))]
    #[case("a.[b.c]", json!({"a": {"b.c": 1}}), json!({"a": {"b.c": "x"}}))]
    #[case("[][a.b]", json!({"a.b": 1}), json!({"a.b": "x"}))]
    #[case("a.[=b]", json!({"a": ["b", "c"]}), json!({"a": ["x", "c"]}))]
    #[case("a.b", json!({"a": "{\"b\": 1}"}), json!({"a": "{\"b\":\"x\"}"}))]
    fn fields_are_found_and_set(#[case] path: &str, #[case] before: Value, #[case] after: Value) {
        let mut value = before;
        let found = FieldPath::parse(path)
            .unwrap()
            .visit(&mut value, Leaf::Nothing, &mut set);
        assert_eq!((found.is_ok(), value), (true, after));
    }

    #[test]
    fn missing_fields_are_made_when_asked_for() {
        let mut value = json!({});
        let path = FieldPath::parse("a.[k=v].b.c").unwrap();
        path.visit(&mut value, Leaf::Text, &mut set).unwrap();
        assert_eq!(value, json!({"a": [{"k": "v", "b": {"c": "x"}}]}));
    }
}
