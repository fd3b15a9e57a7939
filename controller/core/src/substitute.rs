//! `${name}` in built objects, as users of Flux v2 know it.
//!
//! | form | becomes |
//! |---|---|
//! | `${v}` | the value; without one an error, or nothing if not strict |
//! | `${v:-d}` `${v:=d}` `${v=d}` | the value, or `d` if there is none or it is empty |
//! | `${v:?words}` | the value; an error with `words` if there is none or it is empty |
//! | `${v:+d}` | `d` if there is a value, nothing otherwise |
//! | `${#v}` | the number of characters |
//! | `${v^}` `${v^^}` `${v,}` `${v,,}` | the first or all letters in upper or lower case |
//! | `${v:n}` `${v:n:m}` | from character `n`, counted from the end if below zero; at most `m` characters |
//! | `${v#g}` `${v##g}` `${v%g}` `${v%%g}` | without the shortest or longest start or end that matches the glob `g` |
//! | `${v/a/b}` `${v//a/b}` `${v/#a/b}` `${v/%a/b}` | with the first, every, the leading or the trailing `a` replaced by `b` |
//! | `$$` | `$`, so that `$${v}` stays `${v}` |
//! | `$v`, `$(v)` | itself |
//!
//! `d`, `g`, `a` and `b` may hold `${…}` again. Anything else between `${` and `}` is an error with file and line; an object
//! labelled or annotated `flux.rs/substitute: disabled` (or with Flux v2's name of it) is left alone.
//!
//! # Types
//!
//! Flux v2 substitutes in the YAML text of the built object, where quotes of the file are long gone. So
//! `replicas: ${n}` becomes a number, and so here: a text that YAML writes without quotes is read again when something was
//! put into it, and may become a number, a boolean or null, or, in quotes that came from a variable, a text for certain.
//! Two things are better than text: a value can never become a list, a mapping or a comment, whatever it holds; and where
//! Kubernetes knows nothing but text (labels, annotations, the data of ConfigMaps and Secrets, arguments and variables of
//! containers) it stays text.

mod functions;
mod template;
mod typed;
mod variables;

use flux_kustomize::Object;
use serde_json::{Map, Value};

use self::template::Template;
pub use self::variables::{Error, Kind, Variables};
use crate::desire::Problem;
use crate::object::Origin;
use crate::settings;

#[cfg(test)]
mod tests;

/// Bytes that substitution may make of one object: more than any API server takes.
const LIMIT: usize = 8 << 20;
/// The same for all objects of a build together.
const BUILD_LIMIT: usize = 64 << 20;

/// Replaces variables in all objects, or tells everything that is wrong with them.
///
/// `read` returns the text of a file, in which the line of a wrong expression is looked up.
///
/// *Guarantees*: no value stands in a problem; values are never expanded again.
pub fn substitute(
    objects: &mut [Object],
    variables: &Variables,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    let mut bytes = 0;
    for object in objects {
        if settings::opts_out_of_substitution(&object.value) {
            continue;
        }
        let mut walk = Walk {
            variables,
            shape: typed::Shape::of(&object.value),
            path: Vec::new(),
            bytes: 0,
            failures: Vec::new(),
        };
        let name = name(&object.value);
        walk.value(&mut object.value);
        let origin = &object.origin;
        bytes += walk.bytes;
        if bytes > BUILD_LIMIT {
            problems.push(Problem {
                origin: origin.clone(),
                object: name,
                message: "from here on the objects become larger than 64 MiB by substitution"
                    .into(),
            });
            break;
        }
        problems.extend(walk.failures.into_iter().map(|failure| Problem {
            origin: locate(origin, &failure, read),
            object: name.clone(),
            message: format!("{}: {}", failure.field, failure.error),
        }));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// One wrong expression.
struct Failure {
    field: String,
    /// How the expression begins in the file.
    begins: String,
    error: template::Error,
}

struct Walk<'v> {
    variables: &'v Variables,
    shape: typed::Shape,
    /// Where we are; items of lists are `[n]`.
    path: Vec<String>,
    bytes: usize,
    failures: Vec<Failure>,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains('$') => {
                if let Some(new) = self.text(text) {
                    let is_text = self.shape.is_text(&self.path);
                    *value = typed::read(text, new, is_text);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.push(format!("[{index}]"));
                    self.value(item);
                    self.path.pop();
                }
            }
            Value::Object(fields) => self.fields(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn fields(&mut self, fields: &mut Map<String, Value>) {
        for (key, value) in fields.iter_mut() {
            self.path.push(key.clone());
            self.value(value);
            self.path.pop();
        }
        if !fields.keys().any(|key| key.contains('$')) {
            return;
        }
        let old = std::mem::take(fields);
        for (key, value) in old {
            self.path.push(key.clone());
            let new = if key.contains('$') {
                self.text(&key).unwrap_or_else(|| key.clone())
            } else {
                key.clone()
            };
            if fields.insert(new, value).is_some() {
                self.fail(&key, template::Error::SameKey);
            }
            self.path.pop();
        }
    }

    /// Returns the text with its variables replaced; `None` if there are none, or if something is wrong with them.
    fn text(&mut self, text: &str) -> Option<String> {
        if self.bytes > LIMIT {
            return None;
        }
        let new = Template::parse(text).and_then(|template| template.expand(self.variables));
        match new {
            Ok(new) if new == text => None,
            Ok(new) => {
                self.bytes = self.bytes.saturating_add(new.len());
                if self.bytes > LIMIT {
                    self.fail(text, template::Error::TooLarge);
                    return None;
                }
                Some(new)
            }
            Err(error) => {
                self.fail(text, error);
                None
            }
        }
    }

    fn fail(&mut self, text: &str, error: template::Error) {
        let begins = match error.variable() {
            Some(variable) => format!("${{{variable}"),
            None => text
                .lines()
                .find(|line| line.contains('$'))
                .unwrap_or(text)
                .trim()
                .to_owned(),
        };
        self.failures.push(Failure {
            field: self.path.join(".").replace(".[", "["),
            begins,
            error,
        });
    }
}

fn name(value: &Value) -> Option<String> {
    let kind = value["kind"].as_str()?;
    let name = value["metadata"]["name"].as_str()?;
    Some(match value["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    })
}

/// Returns the line of the expression itself, if it stands in the document that the object comes from.
fn locate(
    origin: &flux_kustomize::Origin,
    failure: &Failure,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Origin {
    let bytes = read(&origin.path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines = text
        .lines()
        .enumerate()
        .skip(origin.line.saturating_sub(1))
        .take_while(|(_, line)| *line != "---");
    let mut lines = lines.filter(|(_, line)| holds(line, &failure.begins));
    let line = lines.next().map_or(origin.line, |(index, _)| index + 1);
    Origin {
        path: origin.path.clone(),
        line,
    }
}

/// Tells whether the expression stands in a line, and not one whose name is longer.
fn holds(line: &str, begins: &str) -> bool {
    line.match_indices(begins).any(|(at, found)| {
        let (_, rest) = line.split_at(at + found.len());
        !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            || !begins.starts_with("${")
    })
}
