//! `configMapGenerator` and `secretGenerator`.

mod pairs;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::build::Origin;
use crate::fieldspec::escaped;
use crate::kustomization::{Generator, GeneratorOptions};
use crate::resource::{Resource, Resources};
use crate::target::Place;

/// What a generator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

/// What to do when there is an object of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behavior {
    Create,
    Merge,
    Replace,
}

/// Makes the object of a generator. `field` is where the generator stands in its file.
pub(crate) fn make(
    place: &Place<'_, '_>,
    kind: Kind,
    generator: &Generator,
    global: Option<&GeneratorOptions>,
    field: &str,
) -> Result<Resource, Vec<Error>> {
    let source = place.source;
    if generator.name.is_empty() {
        return Err(vec![source.error(field, "the generator needs a name")]);
    }
    let options = merge_options(generator.options.as_ref(), global);
    let pairs = pairs::load(place, generator, field)?;
    let mut value = json!({
        "apiVersion": "v1",
        "kind": match kind { Kind::ConfigMap => "ConfigMap", Kind::Secret => "Secret" },
        "metadata": {"name": generator.name},
    });
    if let Some(fields) = value.as_object_mut() {
        fill(fields, kind, generator, pairs);
        if options.immutable {
            fields.insert("immutable".to_owned(), true.into());
        }
    }
    let line = source.lines.of(field).unwrap_or(1);
    let path = source.path.clone();
    let mut resource = Resource::new(value, Origin { path, line });
    let metadata = resource.metadata_mut();
    if !generator.namespace.is_empty() {
        metadata.insert("namespace".to_owned(), generator.namespace.clone().into());
    }
    for (name, texts) in [
        ("labels", &options.labels),
        ("annotations", &options.annotations),
    ] {
        if !texts.is_empty() {
            metadata.insert(name.to_owned(), json!(texts));
        }
    }
    let pointer = |name: &String| format!("/metadata/labels/{}", escaped(name));
    resource.made_labels = options.labels.keys().map(pointer).collect();
    resource.needs_hash = !options.disable_name_suffix_hash;
    Ok(resource)
}

fn merge_options(
    own: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> GeneratorOptions {
    let mut merged = own.cloned().unwrap_or_default();
    if let Some(global) = global {
        let texts = [
            (&mut merged.labels, &global.labels),
            (&mut merged.annotations, &global.annotations),
        ];
        for (into, from) in texts {
            for (key, text) in from {
                into.entry(key.clone()).or_insert_with(|| text.clone());
            }
        }
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable |= global.immutable;
    }
    merged
}

fn fill(
    fields: &mut Map<String, Value>,
    kind: Kind,
    generator: &Generator,
    pairs: BTreeMap<String, Vec<u8>>,
) {
    let mut data = Map::new();
    let mut binary = Map::new();
    for (key, content) in pairs {
        match (kind, String::from_utf8(content)) {
            (Kind::ConfigMap, Ok(text)) => data.insert(key, text.into()),
            (Kind::ConfigMap, Err(error)) => binary.insert(key, base64(error.as_bytes()).into()),
            (Kind::Secret, Ok(text)) => data.insert(key, base64(text.as_bytes()).into()),
            (Kind::Secret, Err(error)) => data.insert(key, base64(error.as_bytes()).into()),
        };
    }
    if kind == Kind::Secret {
        let secret_type = match generator.secret_type.as_str() {
            "" => "Opaque",
            secret_type => secret_type,
        };
        fields.insert("type".to_owned(), secret_type.into());
    }
    if kind == Kind::Secret || !data.is_empty() {
        fields.insert("data".to_owned(), data.into());
    }
    if !binary.is_empty() {
        fields.insert("binaryData".to_owned(), binary.into());
    }
}

/// Base64 in lines of 70, as kustomize writes it; the line breaks count for the hash.
fn base64(content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at % 70 == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}

/// Adds what a generator made, or merges it into the object of that name.
///
/// # Errors
/// There is such an object and should not be, or the other way round.
pub(crate) fn absorb(
    resources: &mut Resources,
    mut made: Resource,
    behavior: &str,
) -> Result<(), String> {
    let behavior = match behavior {
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        _ => Behavior::Create,
    };
    let id = made.id();
    let known = resources.by_any_id(|other| other.same(id));
    let at = match (known.as_slice(), behavior) {
        ([], Behavior::Create) => return resources.add(made),
        ([], Behavior::Merge | Behavior::Replace) => {
            return Err(format!("there is no {id} to merge into or replace"));
        }
        ([at], Behavior::Merge | Behavior::Replace) => *at,
        ([_], Behavior::Create) => {
            return Err(format!(
                "there is a {id} already; set behavior to merge or replace"
            ));
        }
        (_, _) => return Err(format!("{id} could be merged into several objects")),
    };
    if let Some(old) = resources.get_mut(at) {
        if old.gvk() != made.gvk() {
            return Err(format!("{id} has become {} by now", old.id()));
        }
        inherit(&mut made, old, behavior);
        *old = made;
    }
    Ok(())
}

/// Takes over what the object that was there has more.
fn inherit(made: &mut Resource, old: &mut Resource, behavior: Behavior) {
    merge_texts(made, old, "labels");
    merge_texts(made, old, "annotations");
    made.needs_hash &= old.needs_hash;
    made.previous = std::mem::take(&mut old.previous);
    made.prefixes = std::mem::take(&mut old.prefixes);
    made.suffixes = std::mem::take(&mut old.suffixes);
    made.variables = std::mem::take(&mut old.variables);
    let (name, namespace) = (old.name().to_owned(), old.id().namespace.to_owned());
    made.set_name(name);
    let metadata = made.metadata_mut();
    if namespace.is_empty() {
        metadata.shift_remove("namespace");
    } else {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    if behavior == Behavior::Merge {
        encode_string_data(old);
        for field in ["data", "binaryData"] {
            merge_field(&mut made.value, old, field);
        }
        made.trace = std::mem::take(&mut old.trace);
        made.origin = std::mem::take(&mut old.origin);
    } else {
        made.trace.transformations = std::mem::take(&mut old.trace.transformations);
    }
}

/// Moves the `stringData` of a Secret to its `data`, as the API server does.
fn encode_string_data(secret: &mut Resource) {
    let texts = secret.value.get("stringData").and_then(Value::as_object);
    let encoded: Option<Vec<(String, Value)>> = texts.map(|texts| {
        let texts = texts.iter();
        let encode = |text: &Value| base64(data_text(secret, text).as_bytes()).into();
        texts
            .map(|(key, text)| (key.clone(), encode(text)))
            .collect()
    });
    let (Some(encoded), "Secret") = (encoded, secret.gvk().kind) else {
        return;
    };
    if let Some(fields) = secret.value.as_object_mut() {
        fields.shift_remove("stringData");
    }
    crate::resource::child_mut(&mut secret.value, "data").extend(encoded);
}

/// Returns the text of a value in the data of an object, as it is written.
fn data_text(object: &Resource, value: &Value) -> String {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        value => object.written(value).into_owned(),
    }
}

fn merge_texts(made: &mut Resource, old: &Resource, field: &str) {
    let texts = old
        .value
        .get("metadata")
        .and_then(|metadata| metadata.get(field));
    let texts = texts.and_then(Value::as_object).into_iter().flatten();
    let inherited: Map<String, Value> = texts
        .map(|(key, text)| match text {
            Value::Array(_) | Value::Object(_) => (key.clone(), "".into()),
            text => (key.clone(), old.written(text).into()),
        })
        .collect();
    if inherited.is_empty() {
        return;
    }
    let fields = crate::resource::child_mut(
        crate::resource::field_mut(&mut made.value, "metadata"),
        field,
    );
    let own = std::mem::replace(fields, inherited);
    fields.extend(own);
}

/// What nothing is in goes away, too.
fn merge_field(made: &mut Value, old: &Resource, field: &str) {
    let inherited = old.value.get(field).and_then(Value::as_object);
    let inherited = inherited.into_iter().flatten();
    let inherited: Map<String, Value> = inherited
        .map(|(key, value)| (key.clone(), data_text(old, value).into()))
        .collect();
    let fields = crate::resource::child_mut(made, field);
    let own = std::mem::replace(fields, inherited);
    fields.extend(own);
    if let (true, Value::Object(made)) = (fields.is_empty(), made) {
        made.shift_remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_base64_is_broken_into_lines() {
        assert_eq!(base64(b"short"), "c2hvcnQ=");
        let long = base64(&[b'a'; 60]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(long.ends_with('\n'));
    }
}
