//! One kustomization after another: what each brings in, and what it does to it.

mod bring;
mod change;
mod configure;
mod finish;
mod layer;
mod patches;
mod place;
mod plain;
mod plugin;
mod plugins;
mod remote;
mod replace;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::build::Origin;
use crate::config::Config;
use crate::error::{Error, Note};
use crate::explain;
use crate::files::Files;
use crate::kustomization::{COMPONENT, Kustomization, Var};
use crate::options::Options;
use crate::resource::{Resource, Resources};
use crate::schema::Custom;
use crate::shape::Source;
use crate::trace;

pub(crate) use place::Place;

/// What kustomizations have brought together so far.
#[derive(Debug, Default)]
pub(crate) struct Accumulated {
    pub(crate) resources: Resources,
    pub(crate) config: Arc<Config>,
    pub(crate) variables: BTreeMap<String, Var>,
}

/// Why a kustomization is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is what is built, or a base of it.
    Base,
    /// It is a component of another.
    Component,
}

/// A kustomization that has been read.
pub(crate) struct Target {
    /// The directory, by its real path.
    pub(crate) directory: String,
    pub(crate) kustomization: Kustomization,
    pub(crate) source: Source,
}

/// A build of kustomizations in progress.
pub(crate) struct Builder<'b, 't> {
    pub(crate) files: &'b Files<'t>,
    pub(crate) options: &'b Options,
    pub(crate) notes: Vec<Note>,
    pub(crate) errors: Vec<Error>,
    /// The directories that are being built, the outermost first.
    stack: Vec<String>,
    /// Kustomizations of other repositories around those.
    outer: usize,
    /// Repositories that lead to this one, each named by the one before.
    remotes: usize,
    /// What `buildMetadata` of the outermost kustomization asks for.
    pub(crate) trace: bool,
    /// The directory that is built.
    pub(crate) top: trace::Top,
    /// The schema of the first kustomization that names one.
    schema: Option<Arc<Custom>>,
    schema_is_set: bool,
    /// Kustomizations built so far.
    built: usize,
}

impl<'b, 't> Builder<'b, 't> {
    pub(crate) fn new(files: &'b Files<'t>, options: &'b Options) -> Self {
        Self {
            files,
            options,
            notes: Vec::new(),
            errors: Vec::new(),
            stack: Vec::new(),
            outer: 0,
            remotes: 0,
            trace: false,
            top: trace::Top::default(),
            schema: None,
            schema_is_set: false,
            built: 0,
        }
    }

    /// Reads the kustomization file of a directory; what is wrong with it is noted.
    pub(crate) fn read(&mut self, directory: &str) -> Option<Target> {
        match self.try_read(directory) {
            Ok(target) => Some(target),
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    fn try_read(&mut self, directory: &str) -> Result<Target, Vec<Error>> {
        let names = place::kustomization_files(self.files, directory).map_err(|e| vec![e])?;
        let path = match names.as_slice() {
            [path] => path,
            [] => {
                let directory = self.files.shown(directory);
                let error = Error::new(directory, "there is no kustomization in this directory")
                    .hint("add a kustomization.yaml");
                return Err(vec![error]);
            }
            [first, second, ..] => {
                let message = format!("there are two kustomizations: this and {second}");
                return Err(vec![Error::new(self.files.shown(first), message)]);
            }
        };
        let content = self.files.read(path).map_err(|error| vec![error])?;
        let (kustomization, source) =
            Kustomization::read(&content, &self.files.shown(path), &mut self.notes)?;
        Ok(Target {
            directory: directory.to_owned(),
            kustomization,
            source,
        })
    }

    /// Brings in what a kustomization names, and changes it as it says.
    ///
    /// A component goes on with what its parent has brought together.
    pub(crate) fn accumulate(&mut self, target: &Target, mut acc: Accumulated) -> Accumulated {
        if self.outer + self.stack.len() >= self.options.limits.depth {
            self.errors.push(
                target
                    .source
                    .error("", "kustomizations are nested too deeply"),
            );
            return acc;
        }
        if let Err(error) = self.files.budget.spend(1) {
            self.errors.push(target.source.error("", error));
            return acc;
        }
        self.built += 1;
        if self.built > self.options.limits.kustomizations {
            if self.built == self.options.limits.kustomizations + 1 {
                let message = "the build includes too many kustomizations";
                self.errors.push(target.source.error("", message));
            }
            return acc;
        }
        self.stack.push(target.directory.clone());
        let before = self.errors.len();
        self.bring_resources(target, &mut acc);
        self.bring_configuration(target, &mut acc);
        self.generate(target, &mut acc);
        self.run_generators(target, &mut acc);
        self.bring_components(target, &mut acc);
        // What is missing would only make every later step fail too.
        if self.errors.len() == before {
            acc.resources.schema.clone_from(&self.schema);
            acc.resources.scopes = self.options.scopes;
            acc.resources.budget = self.files.budget.clone();
            if self.options.explain {
                explain::begin(&mut acc.resources);
            }
            self.change(target, &mut acc);
            self.run_transformers(target, &mut acc);
            self.run_validators(target, &mut acc);
            self.bind_variables(target, &mut acc);
        }
        if acc.resources.len() > self.options.limits.objects {
            let limit = self.options.limits.objects;
            self.errors.push(
                target
                    .source
                    .error("", format!("there are more than {limit} objects")),
            );
        }
        self.stack.pop();
        acc
    }

    /// Notes what an entry of a kustomization changed, if the build explains itself.
    pub(crate) fn explain(&self, target: &Target, acc: &mut Accumulated, field: &str, what: &str) {
        if self.options.explain {
            let by = Origin {
                path: target.source.path.clone(),
                line: target.source.lines.of(field).unwrap_or(1),
            };
            explain::note(&mut acc.resources, &by, what);
        }
    }

    /// Notes that a transformer of a kustomization ran.
    pub(crate) fn mark(&self, target: &Target, acc: &mut Accumulated, kind: &str, field: &str) {
        self.explain(target, acc, field, field);
        if self.trace {
            let by = trace::of_built_in(&self.top, &target.source.path, kind);
            trace::mark(&mut acc.resources, &by);
        }
    }

    fn plugin_origin(&self, config: &Resource) -> Value {
        trace::of_config(&self.top, config)
    }

    pub(crate) fn place<'p>(&'p self, target: &'p Target) -> Place<'p, 't> {
        Place {
            files: self.files,
            directory: &target.directory,
            source: &target.source,
            restriction: self.options.restriction,
        }
    }

    /// Notes an error about a field of a kustomization.
    pub(crate) fn fail(&mut self, target: &Target, field: &str, message: impl Into<String>) {
        self.errors.push(target.source.error(field, message));
    }

    /// Whether a kustomization is what it is used as.
    fn check_role(&mut self, target: &Target, role: Role) -> bool {
        let is_component = target.kustomization.kind == COMPONENT;
        match (role, is_component) {
            (Role::Base, false) | (Role::Component, true) => return true,
            (Role::Base, true) => self.fail(
                target,
                "kind",
                "a Component cannot be a resource; name it under components",
            ),
            (Role::Component, false) => self.fail(
                target,
                "kind",
                "must be Component to be used as one; name it under resources",
            ),
        }
        false
    }
}
