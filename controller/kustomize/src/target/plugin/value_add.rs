//! `ValueAddTransformer`: a value for a field, or a part of a path in it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::shapes;
use crate::Error;
use crate::fieldspec::FieldSpec;
use crate::kustomization::Selector;
use crate::path;
use crate::resource::{Resource, Resources};
use crate::schema::ClusterKinds;
use crate::selector::Selection;
use crate::shape::{self, Source};
use crate::target::Place;
use crate::transform::namespace::Namespace;
use crate::yaml::{self, Dialect};

/// A value, and where it goes.
pub(in crate::target) struct ValueAdd {
    value: String,
    targets: Vec<(Option<Selection>, Target)>,
}

/// Where a value goes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Target {
    selector: Option<Selector>,
    field_path: String,
    file_path_position: i64,
}

impl ValueAdd {
    pub(super) fn read(
        place: &Place<'_, '_>,
        value: &str,
        mut targets: Vec<Target>,
        file: &str,
    ) -> Result<Self, Vec<Error>> {
        if !file.is_empty() {
            targets.extend(read_targets(place, file)?);
        }
        let fail = |field: &str, message: &str| vec![place.source.error(field, message)];
        if targets.is_empty() {
            return Err(fail("targets", "needs at least one target"));
        }
        let mut ready = Vec::new();
        for target in targets {
            if target.field_path.is_empty() {
                return Err(fail("targets", "a target needs a fieldPath"));
            }
            if target.file_path_position < 0 {
                return Err(fail("targets", "filePathPosition must not be negative"));
            }
            let selection = target.selector.as_ref().map(Selection::new).transpose();
            let selection = selection.map_err(|error| fail("targets", &error))?;
            ready.push((selection, target));
        }
        let value = match value.trim() {
            "" => path::name(place.directory),
            value => value,
        };
        Ok(Self {
            value: value.to_owned(),
            targets: ready,
        })
    }

    pub(super) fn apply(&self, resources: &mut Resources) -> Result<(), String> {
        let outside = ClusterKinds::of(resources);
        for (selection, target) in &self.targets {
            let selected = match selection {
                Some(selection) => selection.select(resources),
                None => (0..resources.len()).collect(),
            };
            for at in selected {
                if let Some(resource) = resources.get_mut(at) {
                    self.add(resource, target, &outside)?;
                }
            }
        }
        Ok(())
    }

    fn add(
        &self,
        resource: &mut Resource,
        target: &Target,
        outside: &ClusterKinds,
    ) -> Result<(), String> {
        if target.field_path == "metadata/namespace" {
            let namespace = Namespace {
                name: self.value.clone(),
                ..Namespace::default()
            };
            return namespace.apply_one(resource, outside);
        }
        let spec = FieldSpec::new("//", target.field_path.clone(), true);
        let mut field = &mut resource.value;
        for part in spec.parts() {
            if field.is_null() {
                *field = Value::Object(Map::new());
            }
            let fields = field.as_object_mut().ok_or_else(|| {
                format!("{}: {part} needs a mapping around it", target.field_path)
            })?;
            field = fields.entry(&*part).or_insert(Value::Null);
        }
        let known = match &*field {
            Value::Null => String::new(),
            Value::Object(_) | Value::Array(_) => {
                return Err(format!("{} is no plain value", target.field_path));
            }
            plain => crate::fieldpath::text_of(plain),
        };
        let position = usize::try_from(target.file_path_position).unwrap_or_default();
        *field = Value::String(match position.checked_sub(1) {
            Some(at) => insert(&known, at, &self.value),
            None => self.value.clone(),
        });
        Ok(())
    }
}

/// Puts a part into a path; beyond its end means at its end.
fn insert(path: &str, at: usize, part: &str) -> String {
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}

fn read_targets(place: &Place<'_, '_>, file: &str) -> Result<Vec<Target>, Vec<Error>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Targets {
        targets: Vec<Target>,
    }
    let one = |error: Error| vec![error];
    let (path, content) = place.read(file, "targetFilePath").map_err(one)?;
    let documents = yaml::parse_lines(&content, &path, Dialect::Configuration).map_err(one)?;
    let Some((document, lines)) = documents.into_iter().next() else {
        return Ok(Vec::new());
    };
    let source = Source {
        path,
        lines,
        line: None,
    };
    let mut value = document.value;
    let mut errors = Vec::new();
    shape::conform_known(&mut value, shapes::VALUE_TARGETS, &source, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let targets: Targets = serde_json::from_value(value)
        .map_err(|error| one(source.error("", format!("cannot be understood: {error}"))))?;
    Ok(targets.targets)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", 0, "x")]
    #[case("/", 0, "/x")]
    #[case("a", 0, "x/a")]
    #[case("/a", 0, "/x/a")]
    #[case("a", 9, "a/x")]
    #[case("/a/b/c", 2, "/a/b/x/c")]
    fn a_part_goes_into_a_path(#[case] path: &str, #[case] at: usize, #[case] expected: &str) {
        assert_eq!(insert(path, at, "x"), expected);
    }
}
