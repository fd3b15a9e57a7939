//! The `CustomResourceDefinition` of each kind.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value};

use crate::{GitRepository, ImagePolicy, Sync};

/// Returns the definitions of all kinds, as they are installed.
pub fn definitions() -> [CustomResourceDefinition; 3] {
    [
        definition::<GitRepository>(),
        definition::<Sync>(),
        definition::<ImagePolicy>(),
    ]
}

/// Returns the definition of one kind, as it is installed.
pub fn definition<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut definition = K::crd();
    for version in &mut definition.spec.versions {
        let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        // The typed schema has a field for each keyword; as JSON the walk over it is one function.
        let mut value = serde_json::to_value(&*schema).unwrap_or_default();
        refine(&mut value);
        if let Ok(refined) = serde_json::from_value(value) {
            *schema = refined;
        }
    }
    definition
}

/// Says what the derived schema leaves open, in it and everything below it.
fn refine(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    // The API server drops an explicit null from a field that is not nullable, which is what a user means by it.
    schema.remove("nullable");
    // A default that the API server writes down can never change again; ours are in the methods of the specs.
    schema.remove("default");
    schema.remove("title");
    join_lines(schema);
    drop_unknown_format(schema);
    if schema.get("type").is_some_and(|kind| kind == "array")
        && !schema.contains_key("x-kubernetes-list-type")
    {
        schema.insert("x-kubernetes-list-type".into(), "atomic".into());
    }
    for (keyword, below) in schema.iter_mut() {
        match keyword.as_str() {
            "properties" => below
                .as_object_mut()
                .into_iter()
                .flat_map(Map::values_mut)
                .for_each(refine),
            "items" | "additionalProperties" => refine(below),
            _ => {}
        }
    }
}

/// Makes running text of a description that was wrapped for the source file.
fn join_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect::<Vec<_>>()
            .join("\n\n");
    }
}

/// Drops formats of Rust's numbers, which the API server warns about.
fn drop_unknown_format(schema: &mut Map<String, Value>) {
    let is_unknown = |format: &Value| {
        format
            .as_str()
            .is_some_and(|format| format.starts_with("uint"))
    };
    if schema.get("format").is_some_and(is_unknown) {
        schema.remove("format");
    }
}
