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
        for spec in specs {
            fieldspec::visit(&mut resource.value, spec, Create::Mapping, &mut |field| {
                budget.spend(weight)?;
                add(field, texts)
            })
            .map_err(|error| format!("{} ({}): {error}", resource.id(), resource.origin))?;
        }
    }
    Ok(())
}

fn add(field: &mut Value, texts: &BTreeMap<String, String>) -> Result<(), String> {
    match field {
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
