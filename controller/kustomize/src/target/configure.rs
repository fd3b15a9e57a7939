//! `configurations`, `crds` and `openapi`: what a kustomization says about kinds.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Accumulated, Builder, Place, Target};
use crate::Error;
use crate::config::{Config, NameReference};
use crate::crds;
use crate::fieldspec::{FieldSpec, FieldSpecSource};
use crate::gvk::Gvk;
use crate::kustomization::shapes::FIELD_SPEC;
use crate::schema::Custom;
use crate::shape::{self, Shape, Source};
use crate::yaml::{self, Dialect};

const SPECS: Shape = Shape::List(&FIELD_SPEC);

/// The fields of a file of `configurations`.
const CONFIGURATION: Shape = Shape::Fields(&[
    ("namePrefix", SPECS),
    ("nameSuffix", SPECS),
    ("namespace", SPECS),
    ("commonLabels", SPECS),
    ("labels", SPECS),
    ("templateLabels", SPECS),
    ("volumeClaimTemplateLabels", SPECS),
    ("commonAnnotations", SPECS),
    (
        "nameReference",
        Shape::List(&Shape::Fields(&[
            ("group", Shape::Text),
            ("version", Shape::Text),
            ("kind", Shape::Text),
            ("fieldSpecs", SPECS),
        ])),
    ),
    ("varReference", SPECS),
    ("images", SPECS),
    ("replicas", SPECS),
]);

/// A file of `configurations`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Configuration {
    name_prefix: Vec<FieldSpecSource>,
    name_suffix: Vec<FieldSpecSource>,
    namespace: Vec<FieldSpecSource>,
    common_labels: Vec<FieldSpecSource>,
    labels: Vec<FieldSpecSource>,
    template_labels: Vec<FieldSpecSource>,
    volume_claim_template_labels: Vec<FieldSpecSource>,
    common_annotations: Vec<FieldSpecSource>,
    name_reference: Vec<NameReferenceSource>,
    var_reference: Vec<FieldSpecSource>,
    images: Vec<FieldSpecSource>,
    replicas: Vec<FieldSpecSource>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NameReferenceSource {
    group: String,
    version: String,
    kind: String,
    field_specs: Vec<FieldSpecSource>,
}

impl From<Configuration> for Config {
    fn from(source: Configuration) -> Self {
        let specs = |list: Vec<FieldSpecSource>| list.into_iter().map(FieldSpec::from).collect();
        let reference = |source: NameReferenceSource| NameReference {
            gvk: Gvk::new(source.group, source.version, source.kind),
            referrers: specs(source.field_specs),
        };
        let mut config = Self {
            name_prefix: specs(source.name_prefix),
            name_suffix: specs(source.name_suffix),
            namespace: specs(source.namespace),
            common_labels: specs(source.common_labels),
            labels: specs(source.labels),
            template_labels: specs(source.template_labels),
            volume_claim_template_labels: specs(source.volume_claim_template_labels),
            common_annotations: specs(source.common_annotations),
            name_reference: source.name_reference.into_iter().map(reference).collect(),
            var_reference: specs(source.var_reference),
            images: specs(source.images),
            replicas: specs(source.replicas),
        };
        config.sort();
        config
    }
}

impl Builder<'_, '_> {
    /// Adds the fields that transformers work on: those that are known, and configured ones.
    pub(super) fn bring_configuration(&mut self, target: &Target, acc: &mut Accumulated) {
        let mut config = Config::built_in();
        for (index, path) in target.kustomization.configurations.iter().enumerate() {
            let field = format!("configurations[{index}]");
            match read_configuration(&self.place(target), path, &field) {
                Ok(read) => match config.merge(&Arc::new(read)) {
                    Ok(merged) => config = merged,
                    Err(error) => self.fail(target, &field, error),
                },
                Err(errors) => self.errors.extend(errors),
            }
        }
        self.merge_config(target, "configurations", acc, &config);
        for (index, path) in target.kustomization.crds.iter().enumerate() {
            let field = format!("crds[{index}]");
            match read_file(&self.place(target), path, &field) {
                Ok((value, _)) => match crds::config_of(&value) {
                    Ok(read) => self.merge_config(target, &field, acc, &Arc::new(read)),
                    Err(error) => self.fail(target, &field, error),
                },
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn merge_config(
        &mut self,
        target: &Target,
        field: &str,
        acc: &mut Accumulated,
        config: &Arc<Config>,
    ) {
        match acc.config.merge(config) {
            Ok(config) => acc.config = config,
            Err(error) => self.fail(target, field, error),
        }
    }

    /// Takes the schema that a kustomization names; the first one found is used for all.
    pub(super) fn take_schema(&mut self, target: &Target) {
        let openapi = &target.kustomization.openapi;
        if self.schema_is_set {
            return;
        }
        let version = openapi.get("version").filter(|version| !version.is_empty());
        match (openapi.get("path"), version) {
            (None, None) => {}
            (Some(_), Some(_)) => self.fail(target, "openapi", "has both a path and a version"),
            (None, Some(version)) => {
                self.schema_is_set = true;
                if version != "v1.21.2" {
                    let message = format!("the schema {version} is not built in");
                    self.fail(target, "openapi.version", message);
                }
            }
            (Some(path), None) => {
                self.schema_is_set = true;
                match read_schema(&self.place(target), path) {
                    Ok(schema) => self.schema = Some(Arc::new(schema)),
                    Err(error) => self.errors.push(error),
                }
            }
        }
    }
}

fn read_schema(place: &Place<'_, '_>, path: &str) -> Result<Custom, Error> {
    let field = "openapi.path";
    let (value, source) = read_file(place, path, field)?;
    Custom::of(value).map_err(|error| source.error("", error))
}

/// Reads a file of settings.
fn read_file(place: &Place<'_, '_>, path: &str, field: &str) -> Result<(Value, Source), Error> {
    read(place, path, field, |bytes, path| {
        yaml::parse_lines(bytes, path, Dialect::Configuration)
    })
}

type Documents = Vec<(yaml::Document, yaml::Lines)>;

fn read(
    place: &Place<'_, '_>,
    path: &str,
    field: &str,
    parse: impl Fn(&[u8], &str) -> Result<Documents, Error>,
) -> Result<(Value, Source), Error> {
    let (path, content) = place.read(path, field)?;
    let (value, lines) = parse(&content, &path)?
        .into_iter()
        .next()
        .map(|(document, lines)| (document.value, lines))
        .unwrap_or_default();
    let source = Source {
        path,
        lines,
        line: None,
    };
    Ok((value, source))
}

fn read_configuration(
    place: &Place<'_, '_>,
    path: &str,
    field: &str,
) -> Result<Config, Vec<Error>> {
    let (mut value, source) =
        read(place, path, field, yaml::parse_unique).map_err(|error| vec![error])?;
    if value.is_null() {
        return Ok(Config::default());
    }
    let mut errors = Vec::new();
    shape::conform(&mut value, CONFIGURATION, &source, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let configuration: Configuration = serde_json::from_value(value)
        .map_err(|error| vec![source.error("", format!("cannot be understood: {error}"))])?;
    Ok(configuration.into())
}
