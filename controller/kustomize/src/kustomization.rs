//! The kustomization file.

pub(crate) mod shapes;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::fieldspec::FieldSpecSource;
use crate::shape::{self, Source};
use crate::yaml::{self, Dialect};
use crate::{Error, Note};

pub(crate) use shapes::REPLACEMENT;

/// A kustomization file, with deprecated fields moved to those that replaced them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Kustomization {
    pub(crate) kind: String,
    pub(crate) api_version: String,
    pub(crate) openapi: BTreeMap<String, String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: BTreeMap<String, String>,
    pub(crate) labels: Vec<Labels>,
    pub(crate) common_annotations: BTreeMap<String, String>,
    pub(crate) patches_strategic_merge: Vec<String>,
    #[serde(rename = "patchesJson6902")]
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    image_tags: Vec<Image>,
    pub(crate) replacements: Vec<Value>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    bases: Vec<String>,
    pub(crate) config_map_generator: Vec<Generator>,
    pub(crate) secret_generator: Vec<Generator>,
    pub(crate) helm_globals: Option<Value>,
    pub(crate) helm_charts: Vec<Value>,
    helm_chart_inflation_generator: Vec<Value>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
}

/// Labels to add, and where.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Labels {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) include_volume_claim_templates: bool,
    pub(crate) fields: Vec<FieldSpecSource>,
}

/// A change to an image's name, tag or digest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

/// A number of replicas for the workloads of a name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

/// A patch, and what it is for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Patch {
    pub(crate) path: String,
    #[serde(rename = "patch")]
    pub(crate) text: String,
    pub(crate) target: Option<Selector>,
    pub(crate) options: BTreeMap<String, bool>,
}

/// Which objects are meant; names are regular expressions where the use says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Selector {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    #[serde(rename = "annotationSelector")]
    pub(crate) annotations: String,
    #[serde(rename = "labelSelector")]
    pub(crate) labels: String,
}

/// A variable: a name for the value of a field of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) objref: ObjectReference,
    pub(crate) fieldref: FieldReference,
}

/// The object of a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ObjectReference {
    pub(crate) api_version: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// The field of a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct FieldReference {
    #[serde(rename = "fieldPath", alias = "fieldpath")]
    pub(crate) field_path: String,
}

/// The order of the objects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy_sort_options: Option<LegacySortOptions>,
}

/// The kinds that come first and last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LegacySortOptions {
    pub(crate) order_first: Vec<String>,
    pub(crate) order_last: Vec<String>,
}

/// A ConfigMap or Secret to make.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Generator {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) env: String,
    pub(crate) options: Option<GeneratorOptions>,
    #[serde(rename = "type")]
    pub(crate) secret_type: String,
}

/// How ConfigMaps and Secrets are made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

pub(crate) const COMPONENT: &str = "Component";

impl Kustomization {
    /// Reads a kustomization file.
    ///
    /// # Errors
    /// Everything in it that is not known or of the wrong type.
    pub(crate) fn read(
        bytes: &[u8],
        path: &str,
        notes: &mut Vec<Note>,
    ) -> Result<(Self, Source), Vec<Error>> {
        let documents =
            yaml::parse_lines(bytes, path, Dialect::Configuration).map_err(|error| vec![error])?;
        let Some((document, lines)) = documents.into_iter().next() else {
            return Err(vec![Error::new(path, "the kustomization is empty")]);
        };
        let source = Source {
            path: path.to_owned(),
            lines,
            line: None,
        };
        let value = document.value;
        if value.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(vec![source.error("", "the kustomization is empty")]);
        }
        let mut kustomization = Self::of_value(value, &source)?;
        kustomization.modernise(&source, notes);
        kustomization.check(&source)?;
        Ok((kustomization, source))
    }

    /// Reads the fields of a kustomization.
    pub(crate) fn of_value(mut value: Value, source: &Source) -> Result<Self, Vec<Error>> {
        let mut errors = Vec::new();
        shape::conform(&mut value, shapes::KUSTOMIZATION, source, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        if is_empty(&value) {
            return Err(vec![source.error("", "the kustomization is empty")]);
        }
        serde_json::from_value(value)
            .map_err(|error| vec![source.error("", format!("cannot be understood: {error}"))])
    }

    /// Moves what stands in deprecated fields to those that replaced them.
    fn modernise(&mut self, source: &Source, notes: &mut Vec<Note>) {
        let deprecated = [
            (!self.bases.is_empty(), "bases", "resources"),
            (!self.image_tags.is_empty(), "imageTags", "images"),
            (!self.common_labels.is_empty(), "commonLabels", "labels"),
            (
                !self.patches_json6902.is_empty(),
                "patchesJson6902",
                "patches",
            ),
            (
                !self.patches_strategic_merge.is_empty(),
                "patchesStrategicMerge",
                "patches",
            ),
            (!self.vars.is_empty(), "vars", "replacements"),
        ];
        for (_, field, instead) in deprecated.into_iter().filter(|(used, ..)| *used) {
            notes.push(Note {
                path: source.path.clone(),
                message: format!("{field} is deprecated; use {instead}"),
            });
        }
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        self.helm_charts
            .append(&mut self.helm_chart_inflation_generator);
        for generator in self
            .config_map_generator
            .iter_mut()
            .chain(&mut self.secret_generator)
        {
            let env = std::mem::take(&mut generator.env);
            generator.envs.extend((!env.is_empty()).then_some(env));
        }
        if self.kind.is_empty() {
            "Kustomization".clone_into(&mut self.kind);
        }
    }

    fn check(&self, source: &Source) -> Result<(), Vec<Error>> {
        let mut errors = Vec::new();
        let version = match self.kind.as_str() {
            "Kustomization" => "kustomize.config.k8s.io/v1beta1",
            COMPONENT => "kustomize.config.k8s.io/v1alpha1",
            _ => {
                errors.push(source.error("kind", "must be Kustomization or Component"));
                ""
            }
        };
        if !version.is_empty() && !self.api_version.is_empty() && self.api_version != version {
            let message = format!("must be {version} for a {}", self.kind);
            errors.push(source.error("apiVersion", message));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

/// Whether a kustomization says nothing but what it is.
fn is_empty(value: &Value) -> bool {
    value.as_object().is_none_or(|fields| {
        fields
            .keys()
            .all(|key| matches!(key.as_str(), "kind" | "apiVersion"))
    })
}
