//! What a kustomization does to what it brought in, in kustomize's order.

use super::{Accumulated, Builder, Target};
use crate::config::Config;
use crate::fieldspec::{self, FieldSpec};
use crate::kustomization::Labels;
use crate::transform::affix::{self, Affix};
use crate::transform::namespace::Namespace;
use crate::transform::{image, metadata, replicas};

impl Builder<'_, '_> {
    /// Runs all transformers of a kustomization.
    pub(super) fn change(&mut self, target: &Target, acc: &mut Accumulated) {
        self.refuse_unsupported(target);
        self.merge_patches(target, acc);
        self.patch(target, acc);
        self.set_namespace(target, acc);
        self.rename(target, acc);
        self.label(target, acc);
        self.annotate(target, acc);
        self.patch_json(target, acc);
        self.scale(target, acc);
        self.set_images(target, acc);
        self.replace(target, acc);
    }

    /// Names the fields that do nothing yet.
    fn refuse_unsupported(&mut self, target: &Target) {
        let k = &target.kustomization;
        let fields = [
            (
                "patchesStrategicMerge",
                k.patches_strategic_merge.is_empty(),
            ),
            ("vars", k.vars.is_empty()),
            ("openapi", k.openapi.is_empty()),
            ("crds", k.crds.is_empty()),
            ("configurations", k.configurations.is_empty()),
            ("generators", k.generators.is_empty()),
            ("transformers", k.transformers.is_empty()),
            ("validators", k.validators.is_empty()),
            ("buildMetadata", k.build_metadata.is_empty()),
        ];
        for (field, unused) in fields {
            if !unused {
                self.fail(target, field, "is not supported yet");
            }
        }
        if !k.helm_charts.is_empty() || k.helm_globals.is_some() {
            self.fail(
                target,
                "helmCharts",
                "is not supported: a build runs no other program; render the chart into the repository",
            );
        }
    }

    pub(super) fn report(&mut self, target: &Target, field: &str, result: Result<(), String>) {
        if let Err(error) = result {
            self.fail(target, field, error);
        }
    }

    fn set_namespace(&mut self, target: &Target, acc: &mut Accumulated) {
        let namespace = Namespace {
            name: target.kustomization.namespace.clone(),
            specs: acc.config.namespace.clone(),
            ..Namespace::default()
        };
        let result = namespace.apply(&mut acc.resources);
        self.report(target, "namespace", result);
    }

    fn rename(&mut self, target: &Target, acc: &mut Accumulated) {
        let k = &target.kustomization;
        let all = [
            (
                "namePrefix",
                Affix::Prefix,
                &k.name_prefix,
                &acc.config.name_prefix,
            ),
            (
                "nameSuffix",
                Affix::Suffix,
                &k.name_suffix,
                &acc.config.name_suffix,
            ),
        ];
        for (field, which, text, specs) in all {
            if !text.is_empty() {
                let result = affix::apply(&mut acc.resources, which, text, specs);
                self.report(target, field, result);
            }
        }
    }

    fn label(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, labels) in target.kustomization.labels.iter().enumerate() {
            let result = label_specs(labels, &acc.config)
                .and_then(|specs| metadata::apply(&mut acc.resources, &labels.pairs, &specs));
            self.report(target, &format!("labels[{index}]"), result);
        }
        let labels = &target.kustomization.common_labels;
        let result = metadata::apply(&mut acc.resources, labels, &acc.config.common_labels);
        self.report(target, "commonLabels", result);
    }

    fn annotate(&mut self, target: &Target, acc: &mut Accumulated) {
        let annotations = &target.kustomization.common_annotations;
        let specs = &acc.config.common_annotations;
        let result = metadata::apply(&mut acc.resources, annotations, specs);
        self.report(target, "commonAnnotations", result);
    }

    fn scale(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, replica) in target.kustomization.replicas.iter().enumerate() {
            let result = replicas::apply(&mut acc.resources, replica, &acc.config.replicas);
            self.report(target, &format!("replicas[{index}]"), result);
        }
    }

    fn set_images(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, image) in target.kustomization.images.iter().enumerate() {
            let result = image::apply(&mut acc.resources, image, &acc.config.images);
            self.report(target, &format!("images[{index}]"), result);
        }
    }
}

/// Returns the fields that labels go to.
fn label_specs(labels: &Labels, config: &Config) -> Result<Vec<FieldSpec>, String> {
    let mut specs: Vec<FieldSpec> = labels.fields.iter().cloned().map(FieldSpec::from).collect();
    fieldspec::merge(&mut specs, &config.labels)?;
    if labels.include_selectors {
        fieldspec::merge(&mut specs, &config.common_labels)?;
    } else {
        if labels.include_templates {
            fieldspec::merge(&mut specs, &config.template_labels)?;
        }
        if labels.include_volume_claim_templates {
            fieldspec::merge(&mut specs, &config.volume_claim_template_labels)?;
        }
        fieldspec::merge(&mut specs, &[FieldSpec::new("//", "metadata/labels", true)])?;
    }
    Ok(specs)
}
