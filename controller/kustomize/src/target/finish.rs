//! What is done once, at the end: hashes, references, order.

use super::place::kustomization_files;
use super::{Accumulated, Builder, Target};
use crate::fieldspec::FieldSpec;
use crate::options::{CommonMetadata, Order};
use crate::resource::Resources;
use crate::transform::{hash, metadata, order, references};

impl Builder<'_, '_> {
    /// Builds a directory, which may have a kustomization or not.
    pub(crate) fn run(&mut self, directory: &str) -> Resources {
        let target = match kustomization_files(self.files, directory) {
            Ok(files) if files.is_empty() => None,
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
        hash::apply(&mut acc.resources);
        for error in references::apply(&mut acc.resources, &acc.config.name_reference) {
            self.errors.push(source.error("", error));
        }
        acc.resources
            .retain(|resource| !is_local(resource.annotation(LOCAL_CONFIG)));
        self.sort(target, acc);
        self.add_common_metadata(acc);
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
                    .push(crate::Error::new(path, error).field("commonMetadata"));
            }
        }
    }
}

/// Marks an object that is only for tools.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

fn is_local(mark: Option<&str>) -> bool {
    mark.is_some_and(|mark| mark != "false")
}
