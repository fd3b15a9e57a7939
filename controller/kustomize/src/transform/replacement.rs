//! `replacements`: values of fields are copied to other fields.

use serde::Deserialize;
use serde_json::Value;

use crate::bounds;
use crate::budget;
use crate::fieldpath::{Field, FieldPath, Leaf, text_of};
use crate::gvk::{Gvk, IdRef};
use crate::kustomization::Selector;
use crate::resource::{Resource, Resources};
use crate::selector::Selection;
use crate::yaml::TextNode;

/// A value, and where it goes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Replacement {
    source: Option<Source>,
    source_value: Option<String>,
    targets: Option<Vec<Target>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    group: String,
    version: String,
    kind: String,
    name: String,
    namespace: String,
    field_path: String,
    options: FieldOptions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    select: Option<Selector>,
    reject: Vec<Selector>,
    field_paths: Vec<String>,
    options: FieldOptions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct FieldOptions {
    delimiter: String,
    index: i64,
    create: bool,
}

const NAME: &str = "metadata.name";

impl Replacement {
    /// Copies the value to all targets.
    pub(crate) fn apply(&self, resources: &mut Resources) -> Result<(), String> {
        let targets = self.targets.as_ref().ok_or("needs targets")?;
        let mut copied = match (&self.source, &self.source_value) {
            (Some(source), None) => source.copied(resources)?,
            (None, Some(value)) => Copied {
                value: Value::String(value.clone()),
                whole: crate::yaml::resolve_plain(value).unwrap_or_else(|| value.as_str().into()),
                from: None,
            },
            (None, None) => return Err("needs a source or a sourceValue".to_owned()),
            (Some(_), Some(_)) => return Err("has both a source and a sourceValue".to_owned()),
        };
        targets.iter().enumerate().try_for_each(|(at, target)| {
            target
                .set(resources, &mut copied)
                .map_err(|error| format!("targets[{at}]: {error}"))
        })
    }
}

/// The value that is copied.
struct Copied<'s> {
    /// As plain fields get it: text as it is written.
    value: Value,
    /// As it takes the place of a list or mapping, with its own type.
    whole: Value,
    /// The object that the value stands in, unless only a part of it is copied: where a target is
    /// the source itself, later targets get what it has become.
    from: Option<(usize, &'s Source)>,
}

impl Copied<'_> {
    /// Takes note of a change of an object.
    fn refresh(&mut self, at: usize, resource: &Resource) {
        if let Some((from, source)) = self.from
            && from == at
            && let Ok((value, whole)) = source.value(resource)
        {
            (self.value, self.whole) = (value, whole);
        }
    }
}

impl Source {
    fn copied(&self, resources: &Resources) -> Result<Copied<'_>, String> {
        let (at, resource) = self.find(resources)?;
        let (value, whole) = self.value(resource)?;
        Ok(Copied {
            value,
            whole,
            from: self.options.delimiter.is_empty().then_some((at, self)),
        })
    }

    fn find<'r>(&self, resources: &'r Resources) -> Result<(usize, &'r Resource), String> {
        let gvk = Gvk::new(self.group.clone(), self.version.clone(), self.kind.clone());
        let found = resources.by_any_id(|id| self.selects(id, &gvk));
        match found.as_slice() {
            [at] => resources.get(*at).map(|resource| (*at, resource)),
            [] => None,
            several => {
                return Err(format!(
                    "the source selects {} objects, not one",
                    several.len()
                ));
            }
        }
        .ok_or_else(|| "the source selects no object".to_owned())
    }

    /// The value as plain fields get it, and as it takes the place of others.
    fn value(&self, resource: &Resource) -> Result<(Value, Value), String> {
        let path = if self.field_path.is_empty() {
            NAME
        } else {
            &self.field_path
        };
        let value = FieldPath::parse(path)?
            .get(&resource.value)
            .filter(|value| !is_empty(value))
            .ok_or_else(|| format!("{} has no field {path}", resource.id()))?;
        // It is the text that is copied, as it is written.
        let refined = match resource.notation(value) {
            Some(text) => self.refine(&text.into())?,
            None => self.refine(value)?,
        };
        let whole = if self.options.delimiter.is_empty() {
            value.clone()
        } else {
            refined.clone()
        };
        Ok((refined, whole))
    }

    fn selects(&self, id: IdRef<'_>, gvk: &Gvk) -> bool {
        // Here even an object outside of namespaces has one: the default.
        let namespace = |name: &str| if name.is_empty() { "default" } else { name }.to_owned();
        (self.name.is_empty() || self.name == id.name)
            && (self.namespace.is_empty() || namespace(&self.namespace) == namespace(id.namespace))
            && id.gvk.is_selected(gvk)
    }

    fn refine(&self, value: &Value) -> Result<Value, String> {
        let FieldOptions {
            delimiter, index, ..
        } = &self.options;
        if delimiter.is_empty() {
            return Ok(value.clone());
        }
        if value.is_object() || value.is_array() {
            return Err("a delimiter needs a plain value".to_owned());
        }
        let text = text_of(value);
        usize::try_from(*index)
            .ok()
            .and_then(|index| text.split(delimiter.as_str()).nth(index))
            .map(Value::from)
            .ok_or_else(|| format!("{text} has no part {index}"))
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

impl Target {
    fn set(&self, resources: &mut Resources, copied: &mut Copied<'_>) -> Result<(), String> {
        let select = self.select.as_ref().ok_or("needs select")?;
        let select = Selection::new(select)?;
        let reject: Vec<(Selection, &Selector)> = self
            .reject
            .iter()
            .map(|reject| Ok((Selection::new(reject)?, reject)))
            .collect::<Result<_, String>>()?;
        let paths: Vec<FieldPath> = if self.field_paths.is_empty() {
            vec![FieldPath::parse(NAME)?]
        } else {
            let paths = self.field_paths.iter();
            paths
                .map(|path| FieldPath::parse(path))
                .collect::<Result<_, _>>()?
        };
        let budget = resources.budget.clone();
        for (at, resource) in resources.iter_mut().enumerate() {
            budget.spend(1)?;
            if is_meant(resource, &select, &reject) {
                // What a JSON patch put into annotations is text by now.
                resource.quote_annotations();
                for path in &paths {
                    let weight = budget::weight(&copied.value);
                    self.set_field(resource, path, copied, &|| budget.spend(weight))?;
                    resource.spread();
                    copied.refresh(at, resource);
                }
                if copied.value.is_object() || copied.value.is_array() {
                    bounds::check(&resource.value)?;
                }
            }
        }
        Ok(())
    }

    fn set_field(
        &self,
        resource: &mut Resource,
        path: &FieldPath,
        copied: &Copied<'_>,
        pay: &dyn Fn() -> Result<(), String>,
    ) -> Result<(), String> {
        if path.text().is_empty() {
            return Err("a field path is empty".to_owned());
        }
        let value = &copied.value;
        let leaf = match (self.options.create, value) {
            (false, _) => Leaf::Nothing,
            (true, Value::Object(_)) => Leaf::Mapping,
            (true, Value::Array(_)) => Leaf::List,
            (true, _) => Leaf::Text,
        };
        let mut made = Vec::new();
        let found = path.visit(&mut resource.value, leaf, &mut |field| {
            pay()?;
            let field = match field {
                Field::Value(field) => field,
                Field::InText(node) => return self.put_in_text(node, copied),
            };
            let is_new = field.is_null();
            let is_plain = !field.is_object() && !field.is_array();
            self.put(field, copied)?;
            // An annotation that is made is the text as it is, also an empty one or a date.
            let is_whole = self.options.delimiter.is_empty();
            let is_text = is_whole && !value.is_object() && !value.is_array();
            if is_new && is_text && path.text().starts_with("metadata.annotations.") {
                *field = Value::String(text_of(value));
            }
            if (is_new || !is_plain)
                && let Value::String(text) = value
                && !field.is_string()
            {
                made.push((std::ptr::from_ref(field), text));
            }
            Ok(())
        });
        for (field, text) in made {
            resource.note_written(field, text);
        }
        let problem = match found {
            Ok(0) => "there is no such field".to_owned(),
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        Err(format!("{} in {}: {problem}", path.text(), resource.id()))
    }

    /// Sets a field in a text of YAML: again, a scalar gets the text alone.
    fn put_in_text(&self, node: &mut TextNode, copied: &Copied<'_>) -> Result<(), String> {
        let Copied { value, whole, .. } = copied;
        let FieldOptions {
            delimiter, index, ..
        } = &self.options;
        let is_plain = !value.is_object() && !value.is_array();
        let new = if is_plain {
            text_of(value)
        } else {
            String::new()
        };
        match node.text() {
            None if !delimiter.is_empty() => {
                return Err("a delimiter needs a plain value".to_owned());
            }
            None if value == whole => *node = TextNode::from(value),
            None => *node = TextNode::plain(&new),
            Some(_) if delimiter.is_empty() => node.set_text(new),
            Some(old) => node.set_text(join(old, delimiter, *index, &new)),
        }
        Ok(())
    }

    fn put(&self, field: &mut Value, copied: &Copied<'_>) -> Result<(), String> {
        let Copied { value, whole, .. } = copied;
        let FieldOptions {
            delimiter, index, ..
        } = &self.options;
        let is_plain = !field.is_object() && !field.is_array();
        if !delimiter.is_empty() && !is_plain {
            return Err("a delimiter needs a plain value".to_owned());
        }
        if !is_plain {
            *field = whole.clone();
            return Ok(());
        }
        let old = if field.is_null() {
            String::new()
        } else {
            text_of(field)
        };
        // Of a list or mapping, a plain field gets the text: none.
        let is_text = !value.is_object() && !value.is_array();
        let value = match is_text {
            true if delimiter.is_empty() => value.clone(),
            true => join(&old, delimiter, *index, &text_of(value)).into(),
            false if delimiter.is_empty() => Value::String(String::new()),
            false => join(&old, delimiter, *index, "").into(),
        };
        // What is made for the value takes the type that its text has without quotes.
        if field.is_null() {
            *field = match value {
                Value::String(text) => {
                    crate::yaml::resolve_plain(&text).unwrap_or(Value::String(text))
                }
                value => value,
            };
            return Ok(());
        }
        // A field keeps its type: only the text is copied.
        let text = text_of(&value);
        *field = match (&*field, retyped(text.clone())) {
            (Value::Number(known), Value::Number(new)) if known.is_f64() || !new.is_f64() => {
                Value::Number(new)
            }
            (Value::Bool(_), Value::Bool(new)) => Value::Bool(new),
            (Value::Number(_), _) => return Err(format!("{text} is no number of that sort")),
            (Value::Bool(_), _) => return Err(format!("{text} is neither true nor false")),
            _ => Value::String(text),
        };
        Ok(())
    }
}

/// The value that a text has without quotes, if it is a number or boolean.
fn retyped(text: String) -> Value {
    match crate::yaml::resolve_plain(&text) {
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text),
    }
}

/// Replaces one part of a text, or adds one before or behind.
fn join(text: &str, delimiter: &str, index: i64, value: &str) -> String {
    let mut parts: Vec<&str> = text.split(delimiter).collect();
    match usize::try_from(index) {
        Err(_) => parts.insert(0, value),
        Ok(at) => match parts.get_mut(at) {
            Some(part) => *part = value,
            None => parts.push(value),
        },
    }
    parts.join(delimiter)
}

fn is_meant(resource: &Resource, select: &Selection, reject: &[(Selection, &Selector)]) -> bool {
    if !select.selects_texts(resource) {
        return false;
    }
    let rejected = reject.iter().any(|(selection, selector)| {
        let texts = !(selector.labels.is_empty() && selector.annotations.is_empty());
        let ids = Selector {
            labels: String::new(),
            annotations: String::new(),
            ..(*selector).clone()
        } != Selector::default();
        (texts && selection.selects_texts(resource))
            || (ids && resource.any_ids().any(|id| selection.selects_id(id)))
    });
    !rejected && resource.any_ids().any(|id| select.selects_id(id))
}
