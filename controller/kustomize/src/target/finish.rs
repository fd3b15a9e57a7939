//! What is done once, at the end: hashes, references, order.

use serde_json::Value;

use super::place::kustomization_files;
use super::{Accumulated, Builder, Target};
use crate::Error;
use crate::fieldspec::FieldSpec;
use crate::options::{CommonMetadata, Order};
use crate::resource::{Resource, Resources};
use crate::trace;
use crate::transform::{hash, metadata, order, references, variables};

impl Builder<'_, '_> {
    /// Builds a directory, which may have a kustomization or not.
    pub(crate) fn run(&mut self, directory: &str) -> Resources {
        let target = match kustomization_files(self.files, directory) {
            Ok(files) if files.is_empty() && !self.options.require_kustomization => None,
            Ok(_) => match self.read(directory) {
                Some(target) => Some(target),
                None => return Resources::default(),
            },
            Err(error) => {
                self.errors.push(error);
                return Resources::default();
            }
        };
        let acc = match &target {
            Some(target) => {
                self.trace = !target.kustomization.build_metadata.is_empty();
                self.top = trace::Top::Built(directory.to_owned());
                self.take_schema(target);
                self.accumulate(target, Accumulated::default())
            }
            None => self.accumulate_plain(directory),
        };
        let mut acc = self.put_overlay(directory, acc);
        if self.errors.is_empty() {
            self.finish(target.as_ref(), &mut acc);
        }
        acc.resources
    }

    fn finish(&mut self, target: Option<&Target>, acc: &mut Accumulated) {
        let source = target
            .map(|target| target.source.clone())
            .unwrap_or_default();
        acc.resources.budget = self.files.budget.clone();
        hash::apply(&mut acc.resources);
        self.explain_end(target, acc, "", "hash of the content");
        for error in references::apply(&mut acc.resources, &acc.config.name_reference) {
            self.errors.push(source.error("", error));
        }
        self.explain_end(target, acc, "", "reference to a renamed object");
        let variables = std::mem::take(&mut acc.variables);
        let specs = &acc.config.var_reference;
        for error in variables::resolve(&mut acc.resources, &variables, specs) {
            self.errors.push(source.error("vars", error));
        }
        self.explain_end(target, acc, "vars", "vars");
        self.errors
            .extend(acc.resources.iter().filter_map(incomplete));
        if let Err(error) = acc.resources.check_unique() {
            let message = format!("two objects end up as one: {error}");
            self.errors.push(source.error("", message));
        }
        acc.resources
            .retain(|resource| !is_local(resource.annotation(LOCAL_CONFIG).as_deref()));
        self.sort(target, acc);
        self.add_common_metadata(acc);
        self.add_build_metadata(target, acc);
    }

    fn explain_end(&self, target: Option<&Target>, acc: &mut Accumulated, field: &str, what: &str) {
        if let Some(target) = target {
            self.explain(target, acc, field, what);
        }
    }

    fn add_build_metadata(&mut self, target: Option<&Target>, acc: &mut Accumulated) {
        let wanted = target.map(|target| target.kustomization.build_metadata.as_slice());
        let wants =
            |option: &str| wanted.is_some_and(|all| all.iter().any(|known| known == option));
        if let (Some(target), Some(options)) = (target, wanted) {
            for (index, option) in options.iter().enumerate() {
                if !BUILD_METADATA.contains(&option.as_str()) {
                    let message = format!("must be one of {}", BUILD_METADATA.join(", "));
                    self.fail(target, &format!("buildMetadata[{index}]"), message);
                }
            }
        }
        if wants("managedByLabel") || self.options.managed_by_label {
            let label = ("app.kubernetes.io/managed-by", "kustomize-v5.8.2");
            let labels = [label]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into();
            let specs = [FieldSpec::new("//", "metadata/labels", true)];
            if let Err(error) = metadata::apply(&mut acc.resources, &labels, &specs) {
                self.errors.push(Error::new("", error));
            }
        }
        let wanted = trace::Wanted {
            origin: wants("originAnnotations"),
            transformations: wants("transformerAnnotations"),
        };
        trace::write(&mut acc.resources, wanted);
    }

    fn sort(&mut self, target: Option<&Target>, acc: &mut Accumulated) {
        let options = target.and_then(|target| target.kustomization.sort_options.as_ref());
        let (Some(options), Some(target)) = (options, target) else {
            if self.options.order == Order::Legacy {
                order::sort(&mut acc.resources, None);
            }
            return;
        };
        match (options.order.as_str(), &options.legacy_sort_options) {
            ("fifo", None) => {}
            ("fifo", Some(_)) => self.fail(
                target,
                "sortOptions.legacySortOptions",
                "is of no use with order: fifo",
            ),
            ("legacy", kinds) => order::sort(&mut acc.resources, kinds.as_ref()),
            _ => self.fail(target, "sortOptions.order", "must be fifo or legacy"),
        }
    }

    fn add_common_metadata(&mut self, acc: &mut Accumulated) {
        let CommonMetadata {
            labels,
            annotations,
        } = &self.options.overlay.common_metadata;
        for (texts, path) in [
            (labels, "metadata/labels"),
            (annotations, "metadata/annotations"),
        ] {
            let specs = [FieldSpec::new("//", path, true)];
            if let Err(error) = metadata::apply(&mut acc.resources, texts, &specs) {
                let path = self.options.overlay.source.clone();
                self.errors
                    .push(Error::new(path, error).field("commonMetadata"));
            }
        }
    }
}

/// What `buildMetadata` may ask for.
const BUILD_METADATA: [&str; 3] = [
    "originAnnotations",
    "transformerAnnotations",
    "managedByLabel",
];

/// Says what an object lacks, for example because a patch took it away.
fn incomplete(resource: &Resource) -> Option<Error> {
    let is_there = |value: Option<&Value>| match value {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(_) | Value::Bool(_)) => true,
        _ => false,
    };
    let name = resource
        .value
        .get("metadata")
        .and_then(|metadata| metadata.get("name"));
    let missing = if !is_there(resource.value.get("kind")) {
        "kind"
    } else if !is_there(name) && !resource.gvk().kind.ends_with("List") {
        "metadata.name"
    } else {
        return None;
    };
    let error = Error::new(resource.origin.path.clone(), "missing after all changes");
    Some(error.line(resource.origin.line).field(missing))
}

/// Marks an object that is only for tools.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

fn is_local(mark: Option<&str>) -> bool {
    mark.is_some_and(|mark| mark != "false")
}
