//! Types of an `OpenAPI` file that a kustomization names.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::gvk::GvkRef;

/// References that may follow one another.
const MAX_REFERENCES: usize = 32;

/// The definitions of an `OpenAPI` file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Custom {
    definitions: Map<String, Value>,
    /// `group/version/kind` → definition.
    kinds: HashMap<String, String>,
}

/// A definition, or a schema that stands in one.
#[derive(Clone, Copy)]
pub(crate) struct Type<'s> {
    custom: &'s Custom,
    schema: &'s Value,
}

impl Custom {
    /// Reads an `OpenAPI` file.
    pub(crate) fn of(value: Value) -> Result<Self, String> {
        let Value::Object(mut file) = value else {
            return Err("must be an OpenAPI document".to_owned());
        };
        let definitions = match file.shift_remove("definitions") {
            Some(Value::Object(definitions)) => definitions,
            None => Map::new(),
            Some(_) => return Err("definitions must be a mapping".to_owned()),
        };
        let mut kinds = HashMap::new();
        for (name, definition) in &definitions {
            let gvks = definition
                .get("x-kubernetes-group-version-kind")
                .and_then(Value::as_array);
            for gvk in gvks.into_iter().flatten() {
                let text = |key| gvk.get(key).and_then(Value::as_str).unwrap_or_default();
                let key = format!("{}/{}/{}", text("group"), text("version"), text("kind"));
                kinds.insert(key, name.clone());
            }
        }
        Ok(Self { definitions, kinds })
    }

    pub(super) fn of_kind(&self, gvk: GvkRef<'_>) -> Option<Type<'_>> {
        let key = format!("{}/{}/{}", gvk.group, gvk.version, gvk.kind);
        Some(Type {
            custom: self,
            schema: self.definitions.get(self.kinds.get(&key)?)?,
        })
    }

    /// Follows references; the last one may lead to a type of Kubernetes.
    fn resolve<'s>(&'s self, mut schema: &'s Value) -> Option<super::Type<'s>> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return Some(super::Type::Custom(Type {
                    custom: self,
                    schema,
                }));
            };
            let name = reference.trim_start_matches("#/definitions/");
            match self.definitions.get(name) {
                Some(definition) => schema = definition,
                None => return super::Type::named(name),
            }
        }
        None
    }
}

impl<'s> Type<'s> {
    fn property(self, name: &str) -> Option<&'s Value> {
        self.schema.get("properties")?.get(name)
    }

    pub(super) fn field(self, name: &str) -> Option<super::Type<'s>> {
        let property = self
            .property(name)
            .or_else(|| self.schema.get("additionalProperties"))?;
        match self.custom.resolve(property)? {
            super::Type::Custom(Self { schema, .. }) if schema.get("items").is_some() => {
                self.custom.resolve(schema.get("items")?)
            }
            found => Some(found),
        }
    }

    pub(super) fn merge_keys(self, name: &str) -> Option<Vec<&'s str>> {
        let property = self.property(name)?;
        let strategy = property.get("x-kubernetes-patch-strategy")?.as_str()?;
        if !strategy.split(',').any(|part| part == "merge") {
            return None;
        }
        let keys = property
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array);
        if let Some(keys) = keys {
            return Some(keys.iter().filter_map(Value::as_str).collect());
        }
        let key = property.get("x-kubernetes-patch-merge-key");
        Some(key.and_then(Value::as_str).into_iter().collect())
    }
}
