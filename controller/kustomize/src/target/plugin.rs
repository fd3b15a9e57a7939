//! One built-in generator or transformer with its configuration.

mod shapes;
mod value_add;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Place;
use super::patches;
use super::replace;
use crate::Error;
use crate::fieldspec::{FieldSpec, FieldSpecSource};
use crate::generate::{self, Kind};
use crate::kustomization::{self, Generator, Image, Replica, Selector};
use crate::patch::{self, Allowed, Patch};
use crate::resource::{Resource, Resources};
use crate::selector::Selection;
use crate::shape::{self, Source};
use crate::transform::affix::{self, Affix};
use crate::transform::namespace::{Namespace, Subjects};
use crate::transform::replacement::Replacement;
use crate::transform::{hash, image, metadata, replicas};
use value_add::ValueAdd;

/// A transformer that is ready to run.
pub(super) enum Plugin {
    Patch(Patch, Option<Selection>, Allowed),
    Merge(Vec<Resource>),
    Json(Vec<patch::json::Operation>, Selection),
    Namespace(Namespace),
    Affix(Vec<(Affix, String)>, Vec<FieldSpec>),
    Texts(BTreeMap<String, String>, Vec<FieldSpec>),
    Image(Image, Vec<FieldSpec>),
    Replica(Replica, Vec<FieldSpec>),
    Replacement(Vec<Replacement>),
    ValueAdd(ValueAdd),
    Hash,
}

/// The fields of all transformers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    metadata: Metadata,
    path: String,
    patch: String,
    json_op: String,
    target: Option<Selector>,
    options: BTreeMap<String, bool>,
    paths: Vec<String>,
    patches: String,
    field_specs: Vec<FieldSpecSource>,
    unset_only: bool,
    set_role_binding_subjects: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    prefix: String,
    suffix: String,
    image_tag: Image,
    replica: Replica,
    replacements: Vec<Value>,
    value: String,
    targets: Vec<value_add::Target>,
    target_file_path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: String,
}

fn source_of(config: &Resource) -> Source {
    Source {
        path: config.origin.path.clone(),
        line: Some(config.origin.line),
        ..Source::default()
    }
}

/// Reads the fields of a configuration; those that are not known do nothing.
fn decode<T: DeserializeOwned>(
    config: &Resource,
    shape: shape::Shape,
    source: &Source,
) -> Result<T, Vec<Error>> {
    let mut value = config.value.clone();
    let mut errors = Vec::new();
    shape::conform_known(&mut value, shape, source, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    serde_json::from_value(value)
        .map_err(|error| vec![source.error("", format!("cannot be understood: {error}"))])
}

fn check_built_in(config: &Resource, source: &Source) -> Result<(), Vec<Error>> {
    let gvk = config.gvk();
    if gvk.group.is_empty() && gvk.version == "builtin" {
        return Ok(());
    }
    let message = format!("{} is no built-in plugin, and others are not run", gvk.kind);
    Err(vec![source.error("apiVersion", message)])
}

impl Plugin {
    /// Reads the configuration of a transformer.
    pub(super) fn read(place: &Place<'_, '_>, config: &Resource) -> Result<Self, Vec<Error>> {
        let source = source_of(config);
        check_built_in(config, &source)?;
        let place = Place {
            source: &source,
            ..*place
        };
        let fields: Config = decode(config, shapes::TRANSFORMER, &source)?;
        Self::of(&place, config.gvk().kind, fields)
    }

    fn of(place: &Place<'_, '_>, kind: &str, config: Config) -> Result<Self, Vec<Error>> {
        let specs =
            |sources: Vec<FieldSpecSource>| sources.into_iter().map(FieldSpec::from).collect();
        Ok(match kind {
            "PatchTransformer" => read_patch(place, config)?,
            "PatchStrategicMergeTransformer" => read_merge(place, &config)?,
            "PatchJson6902Transformer" => {
                let (operations, selection) = patches::read_json_entry(place, &entry(config), "")?;
                Self::Json(operations, selection)
            }
            "NamespaceTransformer" => Self::Namespace(read_namespace(place, config)?),
            "PrefixTransformer" => affixes(
                place,
                vec![(Affix::Prefix, config.prefix)],
                config.field_specs,
            )?,
            "SuffixTransformer" => affixes(
                place,
                vec![(Affix::Suffix, config.suffix)],
                config.field_specs,
            )?,
            "PrefixSuffixTransformer" => {
                let both = vec![
                    (Affix::Prefix, config.prefix),
                    (Affix::Suffix, config.suffix),
                ];
                affixes(place, both, config.field_specs)?
            }
            "LabelTransformer" => Self::Texts(config.labels, specs(config.field_specs)),
            "AnnotationsTransformer" => Self::Texts(config.annotations, specs(config.field_specs)),
            "ImageTagTransformer" => Self::Image(config.image_tag, specs(config.field_specs)),
            "ReplicaCountTransformer" => Self::Replica(config.replica, specs(config.field_specs)),
            "ReplacementTransformer" => {
                let mut all = Vec::new();
                for (index, entry) in config.replacements.iter().enumerate() {
                    all.extend(replace::read(
                        place,
                        entry,
                        &format!("replacements[{index}]"),
                    )?);
                }
                Self::Replacement(all)
            }
            "ValueAddTransformer" => Self::ValueAdd(ValueAdd::read(
                place,
                &config.value,
                config.targets,
                &config.target_file_path,
            )?),
            "HashTransformer" => Self::Hash,
            _ => {
                let message = format!("{kind} is no built-in transformer");
                return Err(vec![place.source.error("kind", message)]);
            }
        })
    }

    /// Runs the transformer.
    pub(super) fn apply(&self, resources: &mut Resources) -> Result<(), String> {
        match self {
            Self::Patch(patch, selection, allowed) => {
                patch.apply(resources, selection.as_ref(), *allowed)
            }
            Self::Merge(patches) => patches
                .iter()
                .try_for_each(|patch| patch::apply_listed(resources, patch)),
            Self::Json(operations, selection) => {
                let budget = resources.budget.clone();
                for at in selection.select(resources) {
                    if let Some(resource) = resources.get_mut(at) {
                        patch::apply_json(resource, operations, &budget)?;
                    }
                }
                Ok(())
            }
            Self::Namespace(namespace) => namespace.apply(resources),
            Self::Affix(texts, specs) => texts
                .iter()
                .try_for_each(|(which, text)| affix::apply(resources, *which, text, specs)),
            Self::Texts(texts, specs) => metadata::apply(resources, texts, specs),
            Self::Image(image, specs) => image::apply(resources, image, specs),
            Self::Replica(replica, specs) => replicas::apply(resources, replica, specs),
            Self::Replacement(replacements) => replacements
                .iter()
                .try_for_each(|replacement| replacement.apply(resources)),
            Self::ValueAdd(add) => add.apply(resources),
            Self::Hash => {
                hash::apply(resources);
                Ok(())
            }
        }
    }
}

fn entry(config: Config) -> kustomization::Patch {
    kustomization::Patch {
        path: config.path,
        text: if config.patch.is_empty() {
            config.json_op
        } else {
            config.patch
        },
        target: config.target,
        options: config.options,
    }
}

fn read_patch(place: &Place<'_, '_>, config: Config) -> Result<Plugin, Vec<Error>> {
    let entry = entry(config);
    let (patch, selection) = patches::read_entry(place, &entry, "")?;
    Ok(Plugin::Patch(patch, selection, patches::allowed(&entry)))
}

fn read_merge(place: &Place<'_, '_>, config: &Config) -> Result<Plugin, Vec<Error>> {
    let mut all = Vec::new();
    for (index, path) in config.paths.iter().enumerate() {
        all.extend(patches::read_merge_patches(
            place,
            path,
            &format!("paths[{index}]"),
        )?);
    }
    if !config.patches.is_empty() {
        all.extend(patches::read_merge_patches(
            place,
            &config.patches,
            "patches",
        )?);
    }
    if all.is_empty() {
        return Err(vec![place.source.error("", "needs paths or patches")]);
    }
    Ok(Plugin::Merge(all))
}

fn read_namespace(place: &Place<'_, '_>, config: Config) -> Result<Namespace, Vec<Error>> {
    let subjects = match config.set_role_binding_subjects.as_str() {
        "" | "defaultOnly" => Subjects::Default,
        "allServiceAccounts" => Subjects::ServiceAccounts,
        "none" => Subjects::None,
        _ => {
            let message = "must be defaultOnly, allServiceAccounts or none";
            return Err(vec![place.source.error("setRoleBindingSubjects", message)]);
        }
    };
    Ok(Namespace {
        name: config.metadata.namespace,
        specs: config
            .field_specs
            .into_iter()
            .map(FieldSpec::from)
            .collect(),
        unset_only: config.unset_only,
        subjects,
    })
}

fn affixes(
    place: &Place<'_, '_>,
    texts: Vec<(Affix, String)>,
    specs: Vec<FieldSpecSource>,
) -> Result<Plugin, Vec<Error>> {
    if specs.is_empty() {
        return Err(vec![place.source.error("fieldSpecs", "is missing")]);
    }
    Ok(Plugin::Affix(
        texts,
        specs.into_iter().map(FieldSpec::from).collect(),
    ))
}

/// Makes what the configuration of a generator says, with its behavior.
pub(super) fn generate(
    place: &Place<'_, '_>,
    config: &Resource,
) -> Result<Vec<(Resource, String)>, Vec<Error>> {
    let source = source_of(config);
    check_built_in(config, &source)?;
    let place = Place {
        source: &source,
        ..*place
    };
    let kind = match config.gvk().kind {
        "ConfigMapGenerator" => Kind::ConfigMap,
        "SecretGenerator" => Kind::Secret,
        "IAMPolicyGenerator" => return Ok(vec![(iam_policy(config, &source)?, String::new())]),
        kind => {
            let message = format!("{kind} is no built-in generator");
            return Err(vec![source.error("kind", message)]);
        }
    };
    let mut generator: Generator = decode(config, shapes::GENERATOR, &source)?;
    let Config { metadata, .. } = decode(config, shapes::TRANSFORMER, &source).unwrap_or_default();
    if generator.name.is_empty() {
        generator.name = metadata.name;
    }
    if generator.namespace.is_empty() {
        generator.namespace = metadata.namespace;
    }
    let env = std::mem::take(&mut generator.env);
    generator.envs.extend((!env.is_empty()).then_some(env));
    let made = generate::make(&place, kind, &generator, None, "")?;
    Ok(vec![(made, generator.behavior)])
}

/// The service account of a workload on Google Kubernetes Engine.
fn iam_policy(config: &Resource, source: &Source) -> Result<Resource, Vec<Error>> {
    let text = |pointer: &str| {
        config
            .value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if text("/cloud") != "gke" {
        return Err(vec![source.error("cloud", "must be gke")]);
    }
    let account = format!(
        "{}@{}.iam.gserviceaccount.com",
        text("/serviceAccount/name"),
        text("/serviceAccount/projectId")
    );
    let mut value = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "annotations": {"iam.gke.io/gcp-service-account": account},
            "name": text("/kubernetesService/name"),
        },
    });
    let namespace = text("/kubernetesService/namespace");
    if let Some(metadata) = value.get_mut("metadata").filter(|_| !namespace.is_empty()) {
        *crate::resource::field_mut(metadata, "namespace") = namespace.into();
    }
    Ok(Resource::new(value, config.origin.clone()))
}
