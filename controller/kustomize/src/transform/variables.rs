//! `vars`: values of fields stand in for `$(NAME)`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::budget::{self, Budget};
use crate::fieldpath::{FieldPath, text_of};
use crate::fieldspec::{self, Create, FieldSpec};
use crate::gvk::{Gvk, IdRef};
use crate::kustomization::{ObjectReference, Var};
use crate::resource::Resources;

/// Notes for which object a variable stands.
///
/// # Errors
/// Several objects fit.
pub(crate) fn bind(resources: &mut Resources, variable: &Var) -> Result<(), String> {
    let gvk = kind_of(&variable.objref);
    let wanted = IdRef {
        gvk: gvk.as_ref(),
        name: &variable.objref.name,
        namespace: &variable.objref.namespace,
    };
    // No namespace means any, not the default one.
    let any = wanted.namespace.is_empty() && !wanted.gvk.is_cluster_scoped();
    let found = resources.by_any_id(|id| {
        if any {
            id.same_but_namespace(wanted)
        } else {
            id.same(wanted)
        }
    });
    match found.as_slice() {
        [] => Ok(()),
        [at] => {
            if let Some(resource) = resources.get_mut(*at) {
                resource.variables.push(variable.name.clone());
            }
            Ok(())
        }
        several => Err(format!(
            "the variable {} fits {} objects; name a namespace",
            variable.name,
            several.len()
        )),
    }
}

fn kind_of(reference: &ObjectReference) -> Gvk {
    let (group, version) = match reference.api_version.split_once('/') {
        Some((group, version)) => (group, version),
        None if reference.api_version.is_empty() => (&*reference.group, &*reference.version),
        None => (&*reference.group, &*reference.api_version),
    };
    Gvk::new(group.to_owned(), version.to_owned(), reference.kind.clone())
}

/// Puts the values of all variables where they are named.
pub(crate) fn resolve(
    resources: &mut Resources,
    variables: &BTreeMap<String, Var>,
    specs: &[FieldSpec],
) -> Vec<String> {
    if variables.is_empty() {
        return Vec::new();
    }
    let mut errors = Vec::new();
    let mut values = BTreeMap::new();
    for (name, variable) in variables {
        match value_of(resources, variable) {
            Ok(value) => {
                values.insert(name.as_str(), value);
            }
            Err(error) => errors.push(format!("the variable {name}: {error}")),
        }
    }
    if !errors.is_empty() {
        return errors;
    }
    let budget = resources.budget.clone();
    for resource in resources.iter_mut() {
        for spec in specs {
            let visited =
                fieldspec::visit(&mut resource.value, spec, Create::Never, &mut |field| {
                    set(field, &values, &budget)
                });
            if let Err(error) = visited.and_then(|()| budget.spend(1)) {
                errors.push(format!("{}: {error}", resource.id()));
            }
        }
    }
    errors
}

fn value_of(resources: &Resources, variable: &Var) -> Result<Value, String> {
    let resource = resources
        .iter()
        .find(|resource| resource.variables.contains(&variable.name))
        .ok_or_else(|| {
            format!(
                "there is no {} named {}",
                variable.objref.kind, variable.objref.name
            )
        })?;
    let path = match variable.fieldref.field_path.as_str() {
        "" => "metadata.name",
        path => path,
    };
    // `list[0]` means the same as `list.0`.
    let dotted = path.replace('[', ".[").replace("..[", ".[");
    let indexed: String = dotted
        .split(".[")
        .enumerate()
        .map(|(at, part)| match part.split_once(']') {
            Some((index, rest)) if at > 0 && index.bytes().all(|b| b.is_ascii_digit()) => {
                format!(".{index}{rest}")
            }
            _ if at > 0 => format!(".[{part}"),
            _ => part.to_owned(),
        })
        .collect();
    let value = FieldPath::parse(&indexed)?
        .get(&resource.value)
        .ok_or_else(|| format!("{} has no field {path}", resource.id()))?;
    Ok(match (value, resource.notation(value)) {
        (Value::String(_), Some(text)) => text.into(),
        // kustomize takes no number for octal here.
        (Value::Number(_), Some(text)) => text
            .parse::<i64>()
            .map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    })
}

fn set(field: &mut Value, values: &BTreeMap<&str, Value>, budget: &Budget) -> Result<(), String> {
    match field {
        Value::String(text) => {
            *field = expand(text, values, budget)?;
            Ok(())
        }
        Value::Object(fields) => {
            for value in fields.values_mut() {
                if let Value::String(text) = value {
                    *value = expand(text, values, budget)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
            Value::String(text) => {
                *item = expand(text, values, budget)?;
                Ok(())
            }
            _ => Err("an item is not text".to_owned()),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Replaces `$(NAME)`; `$$` is a `$`. A text that is one variable takes its type.
fn expand(text: &str, values: &BTreeMap<&str, Value>, budget: &Budget) -> Result<Value, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some((name, behind)) = variable(rest) {
            let value = values
                .get(name)
                .filter(|value| !value.is_array() && !value.is_object());
            if let Some(value) = value
                && text.len() == name.len() + 3
            {
                budget.spend(budget::weight(value))?;
                return Ok(value.clone());
            }
            match value.map(text_of) {
                Some(text) => {
                    budget.spend_text(&text)?;
                    out.push_str(&text);
                }
                // Nobody knows it: it stays as it is.
                None => out.extend(["$(", name, ")"]),
            }
            rest = behind;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(Value::String(out))
}

fn variable(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix('(')?.split_once(')')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("$(A)", json!(1))]
    #[case("a$(A)b", json!("a1b"))]
    #[case("$$(A)", json!("$(A)"))]
    #[case("$(X) $", json!("$(X) $"))]
    #[case("$(A", json!("$(A"))]
    #[case("$x", json!("$x"))]
    fn variables_are_expanded(#[case] text: &str, #[case] expected: Value) {
        let values = BTreeMap::from([("A", json!(1))]);
        assert_eq!(expand(text, &values, &Budget::default()), Ok(expected));
    }
}
