//! `replicas`.

use crate::fieldspec::{self, Create, FieldSpec};
use crate::kustomization::Replica;
use crate::resource::Resources;

/// Sets the number of replicas of the workloads that have or had a name.
///
/// # Errors
/// There is none.
pub(crate) fn apply(
    resources: &mut Resources,
    replica: &Replica,
    specs: &[FieldSpec],
) -> Result<(), String> {
    let mut found = false;
    for spec in specs {
        let named =
            resources.by_any_id(|id| id.name == replica.name && id.gvk.is_selected(&spec.gvk));
        found |= !named.is_empty();
        for at in named {
            if let Some(resource) = resources.get_mut(at) {
                fieldspec::visit(&mut resource.value, spec, Create::Text, &mut |field| {
                    *field = replica.count.into();
                    Ok(())
                })?;
            }
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<&str> = specs.iter().map(|spec| &*spec.gvk.kind).collect();
    Err(format!(
        "there is no {} named {}",
        kinds.join(", "),
        replica.name
    ))
}
