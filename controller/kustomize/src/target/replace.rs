//! The replacements of a kustomization.

use serde_json::Value;

use super::{Accumulated, Builder, Place, Target};
use crate::Error;
use crate::kustomization::REPLACEMENT;
use crate::shape::{self, Shape, Source};
use crate::transform::replacement::Replacement;
use crate::yaml::{self, Dialect};

impl Builder<'_, '_> {
    /// `replacements`.
    pub(super) fn replace(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, entry) in target.kustomization.replacements.iter().enumerate() {
            let field = format!("replacements[{index}]");
            match read(&self.place(target), entry, &field) {
                Ok(replacements) => {
                    for replacement in replacements {
                        let result = replacement.apply(&mut acc.resources);
                        self.report(target, &field, result);
                    }
                }
                Err(errors) => self.errors.extend(errors),
            }
            self.explain(target, acc, &field, &field);
        }
        if !target.kustomization.replacements.is_empty() {
            self.mark(target, acc, "ReplacementTransformer", "replacements");
        }
    }
}

/// Reads an entry of `replacements`, which may name a file with more.
pub(super) fn read(
    place: &Place<'_, '_>,
    entry: &Value,
    field: &str,
) -> Result<Vec<Replacement>, Vec<Error>> {
    let Some(path) = entry
        .get("path")
        .and_then(Value::as_str)
        .filter(|path| !path.is_empty())
    else {
        return Ok(vec![typed(entry.clone(), place.source)?]);
    };
    if entry.get("source").is_some() || entry.get("targets").is_some() {
        let error = place
            .source
            .error(field, "has both a path and a replacement");
        return Err(vec![error]);
    }
    let (path, content) = place
        .read(path, &format!("{field}.path"))
        .map_err(|error| vec![error])?;
    let documents =
        yaml::parse_lines(&content, &path, Dialect::Configuration).map_err(|error| vec![error])?;
    let Some((document, lines)) = documents.into_iter().next() else {
        return Err(vec![Error::new(path, "the file is empty")]);
    };
    let source = Source {
        path,
        lines,
        line: None,
    };
    let mut value = document.value;
    let is_list = value.is_array();
    let shape = if is_list {
        Shape::List(&REPLACEMENT)
    } else {
        REPLACEMENT
    };
    let mut errors = Vec::new();
    shape::conform(&mut value, shape, &source, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    match value {
        Value::Array(items) => items.into_iter().map(|item| typed(item, &source)).collect(),
        value => Ok(vec![typed(value, &source)?]),
    }
}

fn typed(value: Value, source: &Source) -> Result<Replacement, Vec<Error>> {
    serde_json::from_value(value).map_err(|error| {
        vec![source.error("replacements", format!("cannot be understood: {error}"))]
    })
}
