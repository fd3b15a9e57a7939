//! `crds`: `OpenAPI` definitions of custom kinds, whose extensions name references and the like.

use serde_json::{Map, Value};

use crate::config::{Config, NameReference};
use crate::fieldspec::{self, FieldSpec};
use crate::gvk::Gvk;

/// Types within types that are looked into.
const MAX_DEPTH: usize = 16;

/// Returns what the definitions of a file say.
pub(crate) fn config_of(file: &Value) -> Result<Config, String> {
    let Value::Object(types) = file else {
        return Err("must be a mapping of type names to definitions".to_owned());
    };
    if types.get("kind").is_some_and(Value::is_string) {
        let message = "is an object, not definitions of types; name it under resources, where its list types count";
        return Err(message.to_owned());
    }
    let wrong = |definition: &&Value| !definition.is_object() && !definition.is_null();
    if types.values().any(|definition| wrong(&definition)) {
        return Err("a definition of a type must be a mapping".to_owned());
    }
    let mut reader = Reader {
        types,
        config: Config::default(),
    };
    for name in types.keys() {
        let Some(properties) = reader.properties(name) else {
            continue;
        };
        let is_kind = ["kind", "apiVersion", "metadata"]
            .iter()
            .all(|field| properties.contains_key(*field));
        if is_kind {
            let kind = name.rsplit('.').next().unwrap_or(name);
            reader.read(kind, name, &mut Vec::new())?;
        }
    }
    reader.config.sort();
    Ok(reader.config)
}

struct Reader<'r> {
    types: &'r Map<String, Value>,
    config: Config,
}

impl<'r> Reader<'r> {
    fn properties(&self, name: &str) -> Option<&'r Map<String, Value>> {
        let definition = self.types.get(name)?;
        let schema = definition
            .get("Schema")
            .or_else(|| definition.get("schema"))?;
        schema.get("properties")?.as_object()
    }

    fn read(&mut self, kind: &str, name: &str, path: &mut Vec<String>) -> Result<(), String> {
        let Some(properties) = self.properties(name) else {
            return Ok(());
        };
        if path.len() >= MAX_DEPTH {
            return Ok(());
        }
        for (field, property) in properties {
            path.push(field.clone());
            self.property(kind, property, path)?;
            let reference = property.get("$ref").and_then(Value::as_str);
            if let Some(reference) = reference {
                self.read(kind, reference, path)?;
            }
            path.pop();
        }
        Ok(())
    }

    fn property(&mut self, kind: &str, property: &Value, path: &[String]) -> Result<(), String> {
        let text = |name: &str| property.get(name).and_then(Value::as_str);
        let spec = |path: &[String]| FieldSpec {
            gvk: Gvk {
                kind: kind.to_owned().into(),
                ..Gvk::default()
            },
            path: path_text(path).into(),
            create: false,
        };
        let lists = [
            (
                "x-kubernetes-annotation",
                &mut self.config.common_annotations,
            ),
            (
                "x-kubernetes-label-selector",
                &mut self.config.common_labels,
            ),
            ("x-kubernetes-identity", &mut self.config.name_prefix),
        ];
        for (extension, list) in lists {
            if text(extension).is_some() {
                fieldspec::merge(list, &[spec(path)])?;
            }
        }
        let version = text("x-kubernetes-object-ref-api-version");
        let referred = text("x-kubernetes-object-ref-kind");
        if let (Some(version), Some(referred)) = (version, referred) {
            let name = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let mut path = path.to_vec();
            path.push(name.to_owned());
            self.config.name_reference.push(NameReference {
                gvk: Gvk::new(String::new(), version.to_owned(), referred.to_owned()),
                referrers: vec![spec(&path)],
            });
        }
        Ok(())
    }
}

/// Writes a path as field specs have it.
fn path_text(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| part.replace('/', "\\/")).collect();
    parts.join("/")
}
