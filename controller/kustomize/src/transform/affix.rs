//! `namePrefix` and `nameSuffix`.

use serde_json::Value;

use crate::fieldspec::{self, Create, FieldSpec};
use crate::gvk::GvkRef;
use crate::resource::{Resource, Resources};

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affix {
    Prefix,
    Suffix,
}

/// Adds a text before or after the names of all resources.
pub(crate) fn apply(
    resources: &mut Resources,
    affix: Affix,
    text: &str,
    specs: &[FieldSpec],
) -> Result<(), String> {
    let budget = resources.budget.clone();
    for resource in resources.iter_mut() {
        let original = resource.original_id().gvk;
        if keeps_name(original) {
            continue;
        }
        let specs: Vec<&FieldSpec> = specs
            .iter()
            .filter(|spec| original.is_selected(&spec.gvk))
            .collect();
        for spec in specs {
            budget
                .spend_text(text)
                .and_then(|()| apply_one(resource, affix, text, spec))
                .map_err(|error| format!("{} ({}): {error}", resource.id(), resource.origin))?;
        }
    }
    Ok(())
}

/// Kinds whose names say what they are for.
fn keeps_name(gvk: GvkRef<'_>) -> bool {
    matches!(gvk.kind, "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io")
}

fn apply_one(
    resource: &mut Resource,
    affix: Affix,
    text: &str,
    spec: &FieldSpec,
) -> Result<(), String> {
    if spec.path == "metadata/name" && !text.is_empty() {
        let list = match affix {
            Affix::Prefix => &mut resource.prefixes,
            Affix::Suffix => &mut resource.suffixes,
        };
        list.push(text.to_owned());
        resource.remember_id();
    }
    fieldspec::visit(&mut resource.value, spec, Create::Text, &mut |field| {
        let Value::String(name) = field else {
            return Err("is not text".to_owned());
        };
        match affix {
            Affix::Prefix => name.insert_str(0, text),
            Affix::Suffix => name.push_str(text),
        }
        Ok(())
    })
}
