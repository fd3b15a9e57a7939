//! What a kustomization brings in: resources, bases, generated objects, components.

use super::{Accumulated, Builder, Role, Target};
use crate::error::Error;
use crate::files::Found;
use crate::generate::{self, Kind};
use crate::kustomization::Generator;
use crate::resource::{self, Resource};
use crate::{Document, budget, path, remote, trace, yaml};

impl Builder<'_, '_> {
    /// Brings in files and bases, in the order in which they are named.
    pub(super) fn bring_resources(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, written) in target.kustomization.resources.iter().enumerate() {
            let field = format!("resources[{index}]");
            if remote::is_remote(written) {
                let empty = Accumulated::default();
                let built = self.remote_base(target, (written, &field), Role::Base, empty);
                self.merge(target, &field, acc, built);
                continue;
            }
            match self.place(target).find(written, &field) {
                Ok(Found::File(real)) => {
                    let resources = self.load_file(target, &real, written, &field);
                    self.add_all(target, &field, acc, resources);
                }
                Ok(Found::Directory(real)) => {
                    if let Some(base) = self.base(target, &field, &real, Role::Base) {
                        let built = self.accumulate(&base, Accumulated::default());
                        self.merge(target, &field, acc, built);
                    }
                }
                Ok(Found::Nothing) => {
                    let error = self.place(target).missing(written, &field);
                    self.errors.push(error);
                }
                Err(error) => self.errors.push(error),
            }
        }
    }

    /// Reads the manifests of a file.
    pub(super) fn load_file(
        &mut self,
        target: &Target,
        real: &str,
        written: &str,
        field: &str,
    ) -> Vec<Resource> {
        let content = self.place(target).read_found(real, written, field);
        let documents = content.and_then(|(path, content)| {
            let documents = yaml::parse_manifests(&content, &path)?;
            self.pay_for(&documents, &path)?;
            Ok((path, documents))
        });
        match documents {
            Ok((path, documents)) => {
                let mut resources = resource::from_documents(documents, &path, &mut self.errors);
                if self.trace {
                    for resource in &mut resources {
                        resource.trace.origin = Some(trace::of_file(&self.top, &path));
                    }
                }
                resources
            }
            Err(error) => {
                self.errors.push(error);
                Vec::new()
            }
        }
    }

    /// Takes what was read from what the build may spend.
    pub(super) fn pay_for(&self, documents: &[Document], path: &str) -> Result<(), Error> {
        let weight = documents
            .iter()
            .map(|document| budget::weight(&document.value))
            .sum();
        let paid = self.files.budget.spend(weight);
        paid.map_err(|error| Error::new(path, error))
    }

    pub(super) fn add_all(
        &mut self,
        target: &Target,
        field: &str,
        acc: &mut Accumulated,
        resources: Vec<Resource>,
    ) {
        for resource in resources {
            if let Err(error) = acc.resources.add(resource) {
                self.fail(target, field, error);
            }
        }
    }

    /// Reads the kustomization of a directory that another names.
    pub(super) fn base(
        &mut self,
        target: &Target,
        field: &str,
        real: &str,
        role: Role,
    ) -> Option<Target> {
        if let Some(inner) = self.stack.iter().find(|inner| path::is_within(inner, real)) {
            let message = if inner == real {
                format!("{} includes itself", shown(real))
            } else {
                format!(
                    "{} includes {}, which is below it",
                    shown(real),
                    shown(inner)
                )
            };
            self.fail(target, field, message);
            return None;
        }
        let base = self.read(real)?;
        self.take_schema(&base);
        self.check_role(&base, role).then_some(base)
    }

    /// Adds what a base brought together.
    pub(super) fn merge(
        &mut self,
        target: &Target,
        field: &str,
        acc: &mut Accumulated,
        built: Accumulated,
    ) {
        self.add_all(target, field, acc, built.resources.into_list());
        match acc.config.merge(&built.config) {
            Ok(config) => acc.config = config,
            Err(error) => self.fail(target, field, error),
        }
        for (name, variable) in built.variables {
            if acc.variables.insert(name.clone(), variable).is_some() {
                self.fail(
                    target,
                    field,
                    format!("the variable {name} is defined twice"),
                );
            }
        }
    }

    /// Makes ConfigMaps and Secrets.
    pub(super) fn generate(&mut self, target: &Target, acc: &mut Accumulated) {
        let kustomization = &target.kustomization;
        let lists: [(&str, Kind, &[Generator]); 2] = [
            (
                "configMapGenerator",
                Kind::ConfigMap,
                &kustomization.config_map_generator,
            ),
            (
                "secretGenerator",
                Kind::Secret,
                &kustomization.secret_generator,
            ),
        ];
        for (list, kind, generators) in lists {
            for (index, generator) in generators.iter().enumerate() {
                let field = format!("{list}[{index}]");
                let options = kustomization.generator_options.as_ref();
                match generate::make(&self.place(target), kind, generator, options, &field) {
                    Ok(mut made) => {
                        if self.trace {
                            let kind = match kind {
                                Kind::ConfigMap => "ConfigMapGenerator",
                                Kind::Secret => "SecretGenerator",
                            };
                            let by = trace::of_built_in(&self.top, &target.source.path, kind);
                            made.trace.origin = Some(by);
                        }
                        let absorbed =
                            generate::absorb(&mut acc.resources, made, &generator.behavior);
                        if let Err(error) = absorbed {
                            self.fail(target, &field, error);
                        }
                    }
                    Err(errors) => self.errors.extend(errors),
                }
            }
        }
    }

    /// Lets components go on with what there is.
    pub(super) fn bring_components(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, written) in target.kustomization.components.iter().enumerate() {
            let field = format!("components[{index}]");
            if remote::is_remote(written) {
                let so_far = std::mem::take(acc);
                *acc = self.remote_base(target, (written, &field), Role::Component, so_far);
                continue;
            }
            let error: Error = match self.place(target).find(written, &field) {
                Ok(Found::Directory(real)) => {
                    if let Some(component) = self.base(target, &field, &real, Role::Component) {
                        let so_far = std::mem::take(acc);
                        let built = self.accumulate(&component, so_far);
                        acc.resources.schema.clone_from(&built.resources.schema);
                        // As a base's, so that no two objects end up with one name.
                        self.merge(target, &field, acc, built);
                    }
                    continue;
                }
                Ok(Found::File(_)) => target.source.error(
                    &field,
                    format!("{written} is a file; a component is a directory"),
                ),
                Ok(Found::Nothing) => self.place(target).missing(written, &field),
                Err(error) => error,
            };
            self.errors.push(error);
        }
    }
}

fn shown(directory: &str) -> &str {
    if directory.is_empty() {
        "the root"
    } else {
        directory
    }
}
