//! Fields of kinds: which they are, and how to get to them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::gvk::{Gvk, GvkRef};

/// A field of a kind, for example where a Deployment has the labels of its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    /// The field's path: parts between `/`, where `\/` is a `/` in a name. Lists are gone through
    /// without a mark, or marked `[]`.
    pub(crate) path: Cow<'static, str>,
    /// Whether to make the field where it is missing.
    pub(crate) create: bool,
}

/// How a field is written in a configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldSpecSource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) create: bool,
}

impl From<FieldSpecSource> for FieldSpec {
    fn from(source: FieldSpecSource) -> Self {
        // A slash may come first.
        let path = source.path.strip_prefix('/').map(str::to_owned);
        Self {
            gvk: Gvk::new(source.group, source.version, source.kind),
            path: path.unwrap_or(source.path).into(),
            create: source.create,
        }
    }
}

impl FieldSpec {
    pub(crate) fn new(gvk: &'static str, path: impl Into<Cow<'static, str>>, create: bool) -> Self {
        Self {
            gvk: Gvk::parse(gvk),
            path: path.into(),
            create,
        }
    }

    pub(crate) fn selects(&self, value: &Value) -> bool {
        GvkRef::of(value).is_selected(&self.gvk)
    }

    /// Returns the parts of the path.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let mut rest = Some(&*self.path);
        std::iter::from_fn(move || {
            let (part, behind) = split_part(rest?);
            rest = behind;
            Some(part)
        })
    }
}

/// Splits off the first part of a path.
fn split_part(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let mut name = String::new();
    let mut rest = path;
    while let Some((piece, behind)) = rest.split_once('/') {
        let Some(piece) = piece.strip_suffix('\\') else {
            return (with(name, piece), Some(behind));
        };
        name.push_str(piece);
        name.push('/');
        rest = behind;
    }
    (with(name, rest.strip_suffix('\\').unwrap_or(rest)), None)
}

fn with(mut name: String, piece: &str) -> Cow<'_, str> {
    if name.is_empty() {
        return piece.into();
    }
    name.push_str(piece);
    name.into()
}

/// Adds fields to a list, each once.
///
/// # Errors
/// One that is there already, but with the other value of `create`.
pub(crate) fn merge(into: &mut Vec<FieldSpec>, new: &[FieldSpec]) -> Result<(), String> {
    for spec in new {
        let known = into
            .iter()
            .find(|known| known.path == spec.path && known.gvk.as_ref().is_selected(&spec.gvk));
        match known {
            Some(known) if known.create != spec.create => {
                return Err(format!(
                    "the field {} of {} is configured both to be created and not",
                    spec.path, spec.gvk.kind
                ));
            }
            Some(_) => {}
            None => into.push(spec.clone()),
        }
    }
    Ok(())
}

/// What to make where a field is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Create {
    /// Nothing.
    Never,
    /// Text.
    Text,
    /// A mapping.
    Mapping,
}

/// Calls a function with each field of an object that the spec means.
///
/// # Errors
/// Those of the function; a scalar where the path goes on.
pub(crate) fn visit(
    object: &mut Value,
    spec: &FieldSpec,
    create: Create,
    visitor: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), String> {
    if !spec.selects(object) {
        return Ok(());
    }
    let create = if spec.create { create } else { Create::Never };
    walk(object, &spec.path, create, visitor)
        .map_err(|error| format!("in field {}: {error}", spec.path))
}

/// Like [`visit`], for a path in an object of any kind.
pub(crate) fn walk(
    value: &mut Value,
    path: &str,
    create: Create,
    visitor: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), String> {
    walk_on(value, Some(path), create, visitor)
}

/// Returns the JSON pointers of the fields that [`visit`] would visit without making any.
pub(crate) fn pointers(object: &Value, spec: &FieldSpec) -> Vec<String> {
    let mut found = Vec::new();
    if spec.selects(object) {
        point(object, Some(&spec.path), "", &mut found);
    }
    found
}

fn point(value: &Value, path: Option<&str>, pointer: &str, found: &mut Vec<String>) {
    let Some(rest) = path else {
        found.push(pointer.to_owned());
        return;
    };
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                point(item, path, &format!("{pointer}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            let (part, rest) = split_part(rest);
            let name = part.strip_suffix("[]").unwrap_or(&part);
            if let Some(field) = fields.get(name) {
                let pointer = format!("{pointer}/{}", escaped(name));
                point(field, rest, &pointer, found);
            }
        }
        _ => {}
    }
}

/// A name as a part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn walk_on(
    value: &mut Value,
    path: Option<&str>,
    create: Create,
    visitor: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), String> {
    let Some(rest) = path else {
        return visitor(value);
    };
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| walk_on(item, path, create, visitor)),
        Value::Object(fields) => {
            let (part, rest) = split_part(rest);
            match step(fields, &part, rest.is_none(), create)? {
                Some(field) => walk_on(field, rest, create, visitor),
                None => Ok(()),
            }
        }
        _ => Err(format!(
            "expected a list or mapping around {}",
            split_part(rest).0
        )),
    }
}

/// Goes to a field of a mapping, which is made if need be.
fn step<'v>(
    fields: &'v mut Map<String, Value>,
    part: &str,
    last: bool,
    create: Create,
) -> Result<Option<&'v mut Value>, String> {
    let (name, is_list) = match part.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (part, false),
    };
    if name.is_empty() {
        return Err("a field has no name".to_owned());
    }
    if is_list && create != Create::Never {
        return Ok(fields.get_mut(name).map(|field| {
            if field.is_null() {
                *field = Value::Array(Vec::new());
            }
            field
        }));
    }
    if create == Create::Never {
        return Ok(fields.get_mut(name));
    }
    let empty = || match create {
        Create::Text if last => Value::String(String::new()),
        _ => Value::Object(Map::new()),
    };
    let field = fields.entry(name).or_insert_with(empty);
    if field.is_null() {
        *field = empty();
    }
    Ok(Some(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_goes_through_lists_and_makes_only_the_end_that_is_missing() {
        let mut value = json!({"kind": "K", "a": [{"b": {}}, {"c": 1}]});
        let spec = FieldSpec::new("//K", "a/b/c", true);
        visit(&mut value, &spec, Create::Text, &mut |field| {
            *field = json!("x");
            Ok(())
        })
        .unwrap();
        assert_eq!(
            value,
            json!({"kind": "K", "a": [{"b": {"c": "x"}}, {"c": 1, "b": {"c": "x"}}]})
        );
    }

    #[test]
    fn an_escaped_slash_belongs_to_the_name() {
        let spec = FieldSpec::new("//", r"a/b\/c/d", false);
        assert_eq!(spec.parts().collect::<Vec<_>>(), ["a", "b/c", "d"]);
    }

    #[test]
    fn a_spec_that_is_known_for_any_kind_is_not_added_again() {
        let mut specs = vec![FieldSpec::new("apps//Deployment", "a", false)];
        merge(&mut specs, &[FieldSpec::new("//Deployment", "a", false)]).unwrap();
        assert_eq!(specs.len(), 1);
        assert!(merge(&mut specs, &[FieldSpec::new("//Deployment", "a", true)]).is_err());
    }
}
