//! Checks what a configuration file says against what it may say, and finds everything that is wrong.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use crate::Error;
use crate::yaml::Lines;

/// What a field may hold. Null is always allowed, and means that the field is not there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Flag,
    Integer,
    /// Anything.
    Any,
    /// A mapping from text to text.
    Texts,
    List(&'static Self),
    Fields(&'static [(&'static str, Self)]),
}

/// A configuration file, or a part of one, for errors that name its lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: Lines,
    /// The line when nothing better is known.
    pub(crate) line: Option<usize>,
}

impl Source {
    /// Makes an error about a field of the file.
    pub(crate) fn error(&self, field: &str, message: impl Into<String>) -> Error {
        let mut error = Error::new(self.path.clone(), message);
        error.line = self.lines.of(field).or(self.line);
        error.field = (!field.is_empty()).then(|| field.to_owned());
        error
    }
}

/// Checks a value, brings its field names to the case that is expected, and drops nulls.
pub(crate) fn conform(value: &mut Value, shape: Shape, source: &Source, errors: &mut Vec<Error>) {
    let mut check = Check {
        source,
        errors,
        strict: true,
    };
    check.value(value, shape, &mut String::new());
}

/// Like [`conform`], but leaves out fields that are not known.
pub(crate) fn conform_known(
    value: &mut Value,
    shape: Shape,
    source: &Source,
    errors: &mut Vec<Error>,
) {
    let mut check = Check {
        source,
        errors,
        strict: false,
    };
    check.value(value, shape, &mut String::new());
}

struct Check<'c> {
    source: &'c Source,
    errors: &'c mut Vec<Error>,
    strict: bool,
}

impl Check<'_> {
    fn value(&mut self, value: &mut Value, shape: Shape, at: &mut String) {
        let wanted = match (shape, &mut *value) {
            (Shape::Any, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Flag, Value::Bool(_))
            | (_, Value::Null) => return,
            (Shape::Integer, Value::Number(number)) if number.is_i64() => return,
            (Shape::Texts, Value::Object(texts)) => return self.texts(texts, at),
            (Shape::List(item), Value::Array(items)) => return self.list(items, *item, at),
            (Shape::Fields(known), Value::Object(fields)) => {
                return self.fields(fields, known, at);
            }
            (Shape::Text, _) => "text",
            (Shape::Flag, _) => "true or false",
            (Shape::Integer, _) => "a whole number",
            (Shape::Texts | Shape::Fields(_), _) => "a mapping",
            (Shape::List(_), _) => "a list",
        };
        let mut error = self
            .source
            .error(at, format!("must be {wanted}, not {}", describe(value)));
        if matches!(shape, Shape::Text) && !value.is_array() && !value.is_object() {
            error = error.hint("put it in quotes");
        }
        self.errors.push(error);
    }

    fn within(&mut self, at: &mut String, part: &str, value: &mut Value, shape: Shape) {
        let length = at.len();
        if !at.is_empty() && !part.starts_with('[') {
            at.push('.');
        }
        at.push_str(part);
        self.value(value, shape, at);
        at.truncate(length);
    }

    fn list(&mut self, items: &mut [Value], shape: Shape, at: &mut String) {
        for (index, item) in items.iter_mut().enumerate() {
            self.within(at, &format!("[{index}]"), item, shape);
        }
        for item in items {
            if item.is_null() {
                *item = match shape {
                    Shape::Text => Value::String(String::new()),
                    Shape::Fields(_) => Value::Object(Map::new()),
                    _ => Value::Null,
                };
            }
        }
    }

    fn texts(&mut self, texts: &mut Map<String, Value>, at: &mut String) {
        for (key, value) in texts {
            self.within(at, key, value, Shape::Text);
            if value.is_null() {
                *value = Value::String(String::new());
            }
        }
    }

    fn fields(
        &mut self,
        fields: &mut Map<String, Value>,
        known: &'static [(&'static str, Shape)],
        at: &mut String,
    ) {
        for (name, mut value) in std::mem::take(fields) {
            let found = known.iter().find(|(known, _)| *known == name).or_else(|| {
                known
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(&name))
            });
            let Some((known_name, shape)) = found else {
                if self.strict {
                    self.unknown(&name, known, at);
                }
                continue;
            };
            self.within(at, &name, &mut value, *shape);
            if !value.is_null() {
                fields.insert((*known_name).to_owned(), value);
            }
        }
    }

    fn unknown(&mut self, name: &str, known: &[(&'static str, Shape)], at: &str) {
        let field = match at {
            "" => name.to_owned(),
            at => format!("{at}.{name}"),
        };
        let error = self
            .source
            .error(&field, "is not a field that is known here");
        let names = known.iter().map(|(name, _)| *name);
        self.errors.push(match closest(name, names) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None => error,
        });
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// Returns the name that was probably meant.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known
        .filter_map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            let part =
                lower.starts_with(&name) || name.starts_with(&lower) || lower.ends_with(&name);
            let near = distance(&name, &lower);
            (near <= 1 + name.len() / 4 || (part && name.len() > 2)).then_some((
                near,
                Reverse(lower.len()),
                candidate,
            ))
        })
        .min()
        .map(|(_, _, candidate)| candidate)
}

/// Counts the letters to change, add or leave out between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let next = (diagonal + usize::from(x != y))
                .min(*cell + 1)
                .min(left + 1);
            diagonal = std::mem::replace(cell, next);
            left = next;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = ["namespace", "namePrefix", "resources", "images"];
        assert_eq!(closest("resource", known.into_iter()), Some("resources"));
        assert_eq!(closest("namespaces", known.into_iter()), Some("namespace"));
        assert_eq!(closest("nameprefx", known.into_iter()), Some("namePrefix"));
        assert_eq!(closest("volumes", known.into_iter()), None);
    }

    #[test]
    fn everything_that_is_wrong_is_found_in_one_go() {
        const SHAPE: Shape = Shape::Fields(&[
            ("name", Shape::Text),
            (
                "list",
                Shape::List(&Shape::Fields(&[("flag", Shape::Flag)])),
            ),
        ]);
        let mut value = serde_json::json!({"NAME": 1, "list": [{"flag": "x"}, {"flog": true}]});
        let mut errors = Vec::new();
        conform(&mut value, SHAPE, &Source::default(), &mut errors);
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                ".: NAME: must be text, not the number 1; put it in quotes",
                ".: list[0].flag: must be true or false, not text",
                ".: list[1].flog: is not a field that is known here; did you mean flag?",
            ]
        );
    }
}
