//! `namespace`.

use serde_json::Value;

use crate::fieldspec::{self, Create, FieldSpec};
use crate::resource::{self, Resource, Resources};
use crate::schema::ClusterKinds;

/// Which subjects of role bindings are put into the namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those named `default`; others follow the service account that they name.
    #[default]
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

/// A namespace for all resources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) specs: Vec<FieldSpec>,
    /// Leave a namespace that is set already.
    pub(crate) unset_only: bool,
    pub(crate) subjects: Subjects,
}

impl Namespace {
    /// Puts all resources into the namespace.
    ///
    /// # Errors
    /// Two resources become the same.
    pub(crate) fn apply(&self, resources: &mut Resources) -> Result<(), String> {
        if self.name.is_empty() {
            return Ok(());
        }
        let outside = ClusterKinds::of(resources);
        let budget = resources.budget.clone();
        for resource in resources.iter_mut() {
            budget.spend_text(&self.name)?;
            resource.remember_id();
            self.apply_one(resource, &outside)
                .map_err(|error| format!("{} ({}): {error}", resource.id(), resource.origin))?;
        }
        resources
            .check_unique()
            .map_err(|error| format!("puts two objects in one place: {error}"))
    }

    /// Puts one resource into the namespace.
    pub(crate) fn apply_one(
        &self,
        resource: &mut Resource,
        outside: &ClusterKinds,
    ) -> Result<(), String> {
        let gvk = resource.gvk();
        let is_binding = matches!(gvk.kind, "RoleBinding" | "ClusterRoleBinding");
        let is_core = gvk.group.is_empty() && gvk.version == "v1";
        if !outside.contains(gvk) {
            let metadata = resource.metadata_mut();
            let field = metadata
                .entry("namespace")
                .or_insert_with(|| Value::String(String::new()));
            self.set(field)?;
        }
        if is_binding {
            self.bind(&mut resource.value)?;
        }
        for spec in &self.specs {
            // The first is done above. Only core Namespaces are named after the namespace.
            let skip = spec.path == "metadata/namespace"
                || (spec.path == "metadata/name" && !is_core)
                || (spec.path == "subjects/namespace"
                    && matches!(&*spec.gvk.kind, "RoleBinding" | "ClusterRoleBinding")
                    && is_binding);
            if !skip {
                fieldspec::visit(&mut resource.value, spec, Create::Text, &mut |field| {
                    self.set(field)
                })?;
            }
        }
        Ok(())
    }

    fn set(&self, field: &mut Value) -> Result<(), String> {
        match field {
            Value::Array(_) | Value::Object(_) => {
                Err("the field for the namespace is not text".to_owned())
            }
            Value::String(known) if self.unset_only && !known.is_empty() => Ok(()),
            field => {
                *field = Value::String(self.name.clone());
                Ok(())
            }
        }
    }

    fn bind(&self, binding: &mut Value) -> Result<(), String> {
        let subjects = binding.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            let is = |field, text| subject.get(field).and_then(Value::as_str) == Some(text);
            let bound = match self.subjects {
                Subjects::Default => is("name", "default"),
                Subjects::ServiceAccounts => is("kind", "ServiceAccount"),
                Subjects::None => false,
            };
            if bound && subject.is_object() {
                let field = resource::field_mut(subject, "namespace");
                self.set(field)?;
            }
        }
        Ok(())
    }
}
