//! `generators`, `transformers` and `validators`: built-in ones, given as configuration.

use std::collections::HashSet;

use super::{Accumulated, Builder, Role, Target};
use crate::error::Error;
use crate::explain;
use crate::files::Found;
use crate::resource::{self, Resource};
use crate::target::plugin::{self, Plugin};
use crate::trace;
use crate::yaml;

impl Builder<'_, '_> {
    /// Runs the generators of `generators`.
    pub(super) fn run_generators(&mut self, target: &Target, acc: &mut Accumulated) {
        for (config, field) in self.configs(target, "generators", &target.kustomization.generators)
        {
            let origin = self.trace.then(|| self.plugin_origin(&config));
            let made = plugin::generate(&self.place(target), &config);
            let made = made.map_err(|errors| self.errors.extend(errors));
            for (mut resource, behavior) in made.unwrap_or_default() {
                resource.trace.origin.clone_from(&origin);
                let absorbed = crate::generate::absorb(&mut acc.resources, resource, &behavior);
                self.report(target, &field, absorbed);
            }
        }
    }

    /// Runs the transformers of `transformers`.
    pub(super) fn run_transformers(&mut self, target: &Target, acc: &mut Accumulated) {
        let configs = self.configs(target, "transformers", &target.kustomization.transformers);
        for (config, field) in configs {
            self.run_transformer(target, &config, &field, acc);
            if self.options.explain {
                explain::note(&mut acc.resources, &config.origin, config.gvk().kind);
            }
            if self.trace {
                let origin = self.plugin_origin(&config);
                trace::mark(&mut acc.resources, &origin);
            }
        }
    }

    /// Runs the transformers of `validators`, which must not change anything.
    pub(super) fn run_validators(&mut self, target: &Target, acc: &mut Accumulated) {
        let configs = self.configs(target, "validators", &target.kustomization.validators);
        for (config, field) in configs {
            let before: Vec<_> = acc.resources.iter().map(|r| r.value.clone()).collect();
            self.run_transformer(target, &config, &field, acc);
            let after = acc.resources.iter().map(|resource| &resource.value);
            if !before.iter().eq(after) {
                self.fail(target, &field, "a validator must not change objects");
            }
        }
    }

    fn run_transformer(
        &mut self,
        target: &Target,
        config: &Resource,
        field: &str,
        acc: &mut Accumulated,
    ) {
        match Plugin::read(&self.place(target), config) {
            Ok(plugin) => {
                let result = plugin.apply(&mut acc.resources).map_err(|error| {
                    format!("{} of {}: {error}", config.gvk().kind, config.origin)
                });
                self.report(target, field, result);
                acc.resources.retain(|resource| !resource.value.is_null());
            }
            Err(errors) => self.errors.extend(errors),
        }
    }

    /// Loads configurations: those that stand in the kustomization first, then those in files.
    fn configs(
        &mut self,
        target: &Target,
        list: &str,
        entries: &[String],
    ) -> Vec<(Resource, String)> {
        let mut configs = Vec::new();
        let mut paths = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let field = format!("{list}[{index}]");
            match inline(entry, target, &field) {
                Some(Ok(resources)) => {
                    configs.extend(
                        resources
                            .into_iter()
                            .map(|resource| (resource, field.clone())),
                    );
                }
                Some(Err(errors)) => self.errors.extend(errors),
                None => paths.push((entry, field)),
            }
        }
        for (path, field) in paths {
            let loaded = self.load_configs(target, path, &field);
            configs.extend(loaded.into_iter().map(|resource| (resource, field.clone())));
        }
        self.check_config_names(target, &configs);
        configs
    }

    /// Two configurations of one kind and name would be taken for one.
    fn check_config_names(&mut self, target: &Target, configs: &[(Resource, String)]) {
        let mut seen = HashSet::new();
        for (config, field) in configs {
            if !seen.insert(config.id().key()) {
                let message = format!("{} is there twice; give each a name", config.id());
                self.fail(target, field, message);
            }
        }
    }

    fn load_configs(&mut self, target: &Target, written: &str, field: &str) -> Vec<Resource> {
        let error = match self.place(target).find(written, field) {
            Ok(Found::File(real)) => return self.load_file(target, &real, written, field),
            Ok(Found::Directory(real)) => {
                let Some(base) = self.base(target, field, &real, Role::Base) else {
                    return Vec::new();
                };
                return self
                    .accumulate(&base, Accumulated::default())
                    .resources
                    .into_list();
            }
            Ok(Found::Nothing) => self.place(target).missing(written, field),
            Err(error) => error,
        };
        self.errors.push(error);
        Vec::new()
    }
}

/// Reads a configuration that stands in the kustomization itself; `None` for a path.
fn inline(entry: &str, target: &Target, field: &str) -> Option<Result<Vec<Resource>, Vec<Error>>> {
    let line = target.source.lines.of(field).unwrap_or(1);
    let path = &target.source.path;
    let documents = match yaml::parse_yaml(entry.as_bytes(), path) {
        Ok(documents) if documents.iter().all(|document| document.value.is_object()) => documents,
        Err(error) if entry.trim().contains('\n') => {
            return Some(Err(vec![target.source.error(field, error.message)]));
        }
        Ok(_) | Err(_) => return None,
    };
    let mut errors = Vec::new();
    let mut resources = resource::from_documents(documents, path, &mut errors);
    for resource in &mut resources {
        resource.origin.line = line;
    }
    Some(if errors.is_empty() {
        Ok(resources)
    } else {
        Err(errors)
    })
}
