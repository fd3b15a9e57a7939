//! Paths to fields, as replacements and variables write them: `spec.containers.[name=web].image`.

use regex::Regex;
use serde_json::{Map, Value};

use crate::structured;

/// One part of a path.
#[derive(Debug, Clone)]
enum Part {
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
    /// Reads a path; `\.` and brackets keep a dot from ending a part.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = split(text)
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
        visitor: &mut dyn FnMut(&mut Value) -> Result<(), String>,
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

/// A way through an object to the fields at a path.
struct Walk<'w> {
    leaf: Leaf,
    visitor: &'w mut dyn FnMut(&mut Value) -> Result<(), String>,
}

impl Walk<'_> {
    fn walk(&mut self, value: &mut Value, parts: &[Part]) -> Result<usize, String> {
        let Some((part, rest)) = parts.split_first() else {
            return (self.visitor)(value).map(|()| 1);
        };
        if let Value::String(text) = value {
            return structured::change(text, |inner| self.walk(inner, parts));
        }
        match part {
            Part::Field(name) => self.field(value, name, rest),
            Part::Index(at) => self.index(value, *at, rest),
            Part::Every => {
                let items = value.as_array_mut().ok_or("`*` needs a list")?;
                items
                    .iter_mut()
                    .try_fold(0, |found, item| Ok(found + self.walk(item, rest)?))
            }
            Part::Wrong(text) => Err(format!("{text} must be [field=value], or a name with dots")),
            Part::Match(name, pattern, exact) => {
                let found = self.matching(value, (name, pattern), rest)?;
                if found > 0 || self.leaf == Leaf::Nothing {
                    return Ok(found);
                }
                let item = if name.is_empty() {
                    Value::String(exact.clone())
                } else {
                    Value::Object(Map::from_iter([(name.clone(), exact.clone().into())]))
                };
                value
                    .as_array_mut()
                    .ok_or("a condition needs a list")?
                    .push(item);
                self.matching(value, (name, pattern), rest)
            }
        }
    }

    fn field(&mut self, value: &mut Value, name: &str, rest: &[Part]) -> Result<usize, String> {
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Null if self.leaf == Leaf::Nothing => return Ok(0),
            _ => return Err(format!("{name} needs a mapping around it")),
        };
        if name.is_empty() {
            return Err("a part of the path is empty".to_owned());
        }
        if self.leaf != Leaf::Nothing && !fields.contains_key(name) {
            fields.insert(name.to_owned(), empty(rest, self.leaf));
        }
        fields
            .get_mut(name)
            .map_or(Ok(0), |field| self.walk(field, rest))
    }

    fn index(&mut self, value: &mut Value, at: usize, rest: &[Part]) -> Result<usize, String> {
        // A number can be the name of a field too.
        if value.is_object() {
            return self.field(value, &at.to_string(), rest);
        }
        let items = value
            .as_array_mut()
            .ok_or_else(|| format!("{at} needs a list"))?;
        if items.len() == at && self.leaf != Leaf::Nothing {
            items.push(empty(rest, self.leaf));
        }
        let length = items.len();
        match items.get_mut(at) {
            Some(item) => self.walk(item, rest),
            None => Err(format!("there is no item {at} in a list of {length}")),
        }
    }

    fn matching(
        &mut self,
        value: &mut Value,
        (name, pattern): (&str, &Regex),
        rest: &[Part],
    ) -> Result<usize, String> {
        let items = value.as_array_mut().ok_or("a condition needs a list")?;
        let mut found = 0;
        for item in items {
            let known = if name.is_empty() {
                Some(&*item)
            } else {
                item.get(name)
            };
            if known.is_some_and(|known| pattern.is_match(&text_of(known))) {
                // A plain item is the end, whatever the path says.
                let rest = if name.is_empty() { &[] } else { rest };
                found += self.walk(item, rest)?;
            }
        }
        Ok(found)
    }
}

/// What is made for a field whose path goes on with `rest`.
fn empty(rest: &[Part], leaf: Leaf) -> Value {
    match (rest.first(), leaf) {
        (Some(Part::Field(_) | Part::Every), _) | (None, Leaf::Mapping) => {
            Value::Object(Map::new())
        }
        (Some(_), _) | (None, Leaf::List) => Value::Array(Vec::new()),
        (None, Leaf::Nothing | Leaf::Text) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

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
        let found =
            FieldPath::parse(path)
                .unwrap()
                .visit(&mut value, Leaf::Nothing, &mut |field| {
                    *field = json!("x");
                    Ok(())
                });
        assert_eq!((found.is_ok(), value), (true, after));
    }

    #[test]
    fn missing_fields_are_made_when_asked_for() {
        let mut value = json!({});
        let path = FieldPath::parse("a.[k=v].b.c").unwrap();
        path.visit(&mut value, Leaf::Text, &mut |field| {
            *field = json!("x");
            Ok(())
        })
        .unwrap();
        assert_eq!(value, json!({"a": [{"k": "v", "b": {"c": "x"}}]}));
    }
}
