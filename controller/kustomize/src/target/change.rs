//! What a kustomization does to what it brought in, in kustomize's order.

use super::{Accumulated, Builder, Target};
use crate::config::Config;
use crate::fieldspec::{self, FieldSpec};
use crate::kustomization::Labels;
use crate::transform::affix::{self, Affix};
use crate::transform::namespace::Namespace;
use crate::transform::{image, metadata, replicas, variables};

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

    /// Names what a build cannot do.
    fn refuse_unsupported(&mut self, target: &Target) {
        let k = &target.kustomization;
        if !k.helm_charts.is_empty() || k.helm_globals.is_some() {
            let message = "is not supported: a build runs no other program";
            let error = target.source.error("helmCharts", message);
            self.errors
                .push(error.hint("render the chart into the repository"));
        }
    }

    /// Notes for which objects the variables stand.
    pub(super) fn bind_variables(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, variable) in target.kustomization.vars.iter().enumerate() {
            let field = format!("vars[{index}]");
            let result = variables::bind(&mut acc.resources, variable);
            self.report(target, &field, result);
            let known = acc
                .variables
                .insert(variable.name.clone(), variable.clone());
            if known.is_some() {
                let message = format!("the variable {} is defined twice", variable.name);
                self.fail(target, &field, message);
            }
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
        if namespace.name.is_empty() {
            return;
        }
        let result = namespace.apply(&mut acc.resources);
        self.report(target, "namespace", result);
        self.mark(target, acc, "NamespaceTransformer", "namespace");
    }

    fn rename(&mut self, target: &Target, acc: &mut Accumulated) {
        let k = &target.kustomization;
        let config = acc.config.clone();
        if !k.name_prefix.is_empty() {
            let specs = &config.name_prefix;
            let result = affix::apply(&mut acc.resources, Affix::Prefix, &k.name_prefix, specs);
            self.report(target, "namePrefix", result);
            self.mark(target, acc, "PrefixTransformer", "namePrefix");
        }
        if !k.name_suffix.is_empty() {
            let specs = &config.name_suffix;
            let result = affix::apply(&mut acc.resources, Affix::Suffix, &k.name_suffix, specs);
            self.report(target, "nameSuffix", result);
            self.mark(target, acc, "SuffixTransformer", "nameSuffix");
        }
    }

    fn label(&mut self, target: &Target, acc: &mut Accumulated) {
        let k = &target.kustomization;
        for (index, labels) in k.labels.iter().enumerate() {
            let result = label_specs(labels, &acc.config)
                .and_then(|specs| metadata::apply(&mut acc.resources, &labels.pairs, &specs));
            let field = format!("labels[{index}]");
            self.report(target, &field, result);
            self.mark(target, acc, "LabelTransformer", &field);
        }
        if !(k.labels.is_empty() && k.common_labels.is_empty()) {
            let specs = &acc.config.common_labels;
            let result = metadata::apply(&mut acc.resources, &k.common_labels, specs);
            self.report(target, "commonLabels", result);
            self.mark(target, acc, "LabelTransformer", "commonLabels");
        }
    }

    fn annotate(&mut self, target: &Target, acc: &mut Accumulated) {
        let annotations = &target.kustomization.common_annotations;
        if !annotations.is_empty() {
            let specs = &acc.config.common_annotations;
            let result = metadata::apply(&mut acc.resources, annotations, specs);
            self.report(target, "commonAnnotations", result);
            self.mark(target, acc, "AnnotationsTransformer", "commonAnnotations");
        }
    }

    fn scale(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, replica) in target.kustomization.replicas.iter().enumerate() {
            let result = replicas::apply(&mut acc.resources, replica, &acc.config.replicas);
            let field = format!("replicas[{index}]");
            self.report(target, &field, result);
            self.mark(target, acc, "ReplicaCountTransformer", &field);
        }
    }

    fn set_images(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, image) in target.kustomization.images.iter().enumerate() {
            let result = image::apply(&mut acc.resources, image, &acc.config.images);
            let field = format!("images[{index}]");
            self.report(target, &field, result);
            self.mark(target, acc, "ImageTagTransformer", &field);
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
