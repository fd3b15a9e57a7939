//! The definitions that the API server gets.

use std::{collections::BTreeSet, env, fs, path::Path};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

fn schema_of(definition: &CustomResourceDefinition) -> Value {
    let schema = definition.spec.versions[0]
        .schema
        .as_ref()
        .expect("a derived definition has a schema");
    serde_json::to_value(&schema.open_api_v3_schema).expect("a schema is JSON")
}

/// Calls `visit` with the path and schema of every property below `schema`.
fn walk(path: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for keyword in ["items", "additionalProperties"] {
        if schema[keyword].is_object() {
            walk(&format!("{path}[]"), &schema[keyword], visit);
        }
    }
}

fn offenders(is_wrong: impl Fn(&str, &Value) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for definition in flux_crds::definitions() {
        walk(
            &definition.spec.names.kind,
            &schema_of(&definition),
            &mut |path, schema| {
                if is_wrong(path, schema) {
                    found.insert(path.to_owned());
                }
            },
        );
    }
    found
}

#[test]
fn every_field_says_what_it_is() {
    let undocumented = offenders(|path, schema| {
        let is_ours = path.contains(".spec.") || path.contains(".status.");
        let is_element = path.ends_with("[]");
        is_ours && !is_element && schema["description"].as_str().is_none_or(str::is_empty)
    });
    assert_eq!(undocumented, BTreeSet::new());
}

#[test]
fn every_list_says_how_it_is_merged() {
    let silent = offenders(|_, schema| {
        schema["type"] == "array" && schema["x-kubernetes-list-type"].is_null()
    });
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn no_field_keeps_an_explicit_null() {
    assert_eq!(
        offenders(|_, schema| !schema["nullable"].is_null()),
        BTreeSet::new()
    );
}

#[test]
fn every_schema_is_structural() {
    let unstructured = offenders(|_, schema| {
        ["anyOf", "oneOf", "allOf", "not", "$ref"]
            .iter()
            .any(|keyword| !schema[keyword].is_null())
            || schema["type"].is_null()
    });
    assert_eq!(unstructured, BTreeSet::new());
}

#[test]
fn texts_in_the_spec_are_bounded() {
    let unbounded = offenders(|path, schema| {
        let is_free =
            schema["type"] == "string" && schema["enum"].is_null() && schema["maxLength"].is_null();
        let is_map_or_selector = path.contains("namespaceSelector")
            || ["labels[]", "annotations[]", "vars[]"]
                .iter()
                .any(|end| path.ends_with(end));
        path.contains(".spec.") && is_free && !is_map_or_selector
    });
    assert_eq!(unbounded, BTreeSet::new());
}

#[test]
fn conditions_are_merged_by_type() {
    for definition in flux_crds::definitions() {
        let conditions =
            &schema_of(&definition)["properties"]["status"]["properties"]["conditions"];
        assert_eq!(
            conditions["x-kubernetes-list-map-keys"],
            serde_json::json!(["type"])
        );
    }
}

#[test]
fn the_status_takes_whatever_the_controller_writes() {
    let bounded = offenders(|path, schema| {
        let is_bounded = !schema["maxLength"].is_null() || !schema["maxItems"].is_null();
        is_bounded && path.contains(".status.") && !path.contains(".conditions")
    });
    assert_eq!(bounded, BTreeSet::new());
}

/// `BLESS=1 cargo test -p flux-crds` writes the files again.
#[test]
fn the_manifests_are_those_of_the_types() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/crd");
    for definition in flux_crds::definitions() {
        let path = directory.join(format!("{}.yaml", definition.spec.names.plural));
        let value = serde_json::to_value(&definition).expect("a definition is JSON");
        let expected = format!(
            "# Made from the types of flux-crds; see crds/tests/definitions.rs.\n{}",
            flux_kustomize::to_yaml(&value)
        );
        if env::var_os("BLESS").is_some() {
            fs::write(&path, &expected).expect("the working tree is writable");
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == expected,
            "{} is out of date; run BLESS=1 cargo test -p flux-crds",
            path.display()
        );
    }
}

/// A sample that has a field which the types do not know would lose it on the way.
#[test]
fn the_samples_are_objects_of_these_kinds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/samples");
    for file in ["gitrepository.yaml", "sync.yaml", "imagepolicy.yaml"] {
        let text = fs::read(directory.join(file)).expect("the sample is there");
        for document in flux_kustomize::parse_yaml(&text, file).expect("the sample is YAML") {
            let read = match document.value["kind"].as_str() {
                Some("GitRepository") => round_trip::<flux_crds::GitRepository>(&document.value),
                Some("Sync") => round_trip::<flux_crds::Sync>(&document.value),
                _ => round_trip::<flux_crds::ImagePolicy>(&document.value),
            };
            assert_eq!(read, document.value, "{file}");
        }
    }
}

fn round_trip<K: serde::Serialize + serde::de::DeserializeOwned>(value: &Value) -> Value {
    let object: K = serde_json::from_value(value.clone()).expect("the sample decodes");
    serde_json::to_value(object).expect("an object is JSON")
}
