//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::budget;
use crate::fieldspec::{self, Create, FieldSpec};
use crate::resource::Resources;

/// Adds texts to the mappings that the specs mean, which are made if the specs say so.
pub(crate) fn apply(
    resources: &mut Resources,
    texts: &BTreeMap<String, String>,
    specs: &[FieldSpec],
) -> Result<(), String> {
    if texts.is_empty() {
        return Ok(());
    }
    let budget = resources.budget.clone();
    let weight = texts
        .iter()
        .map(|(key, text)| budget::text_weight(key) + budget::text_weight(text))
        .sum();
    for resource in resources.iter_mut() {
        resource.forget_moved();
        // The places where each text is new.
        let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for spec in specs {
            let mut fresh = Vec::new();
            fieldspec::visit(&mut resource.value, spec, Create::Mapping, &mut |field| {
                budget.spend(weight)?;
                fresh.push(missing(field, texts));
                add(field, texts)
            })
            .map_err(|error| format!("{} ({}): {error}", resource.id(), resource.origin))?;
            if fresh.iter().any(|keys| !keys.is_empty()) {
                let pointers = fieldspec::pointers(&resource.value, spec);
                for (pointer, key) in pointers
                    .iter()
                    .zip(fresh)
                    .flat_map(|(pointer, keys)| keys.into_iter().map(move |key| (pointer, key)))
                {
                    let place = format!("{pointer}/{}", fieldspec::escaped(key));
                    places.entry(key).or_default().push(place);
                }
            }
        }
        resource.spread_from_lists();
        for (key, places) in places {
            resource.share(&texts[key], places);
        }
    }
    Ok(())
}

/// The keys that a mapping has not.
fn missing<'t>(field: &Value, texts: &'t BTreeMap<String, String>) -> Vec<&'t str> {
    let keys = texts.keys().map(String::as_str);
    match field {
        Value::Object(fields) => keys.filter(|key| !fields.contains_key(*key)).collect(),
        _ => Vec::new(),
    }
}

fn add(field: &mut Value, texts: &BTreeMap<String, String>) -> Result<(), String> {
    match field {
        Value::Object(_) if texts.contains_key("") => Err("a key is empty".to_owned()),
        Value::Object(fields) => {
            for (key, text) in texts {
                fields.insert(key.clone(), Value::String(text.clone()));
            }
            Ok(())
        }
        Value::Null => Ok(()),
        _ => Err("is not a mapping".to_owned()),
    }
}
