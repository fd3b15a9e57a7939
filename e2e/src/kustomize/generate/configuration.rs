//! `configurations`, `crds`, `transformers` and `generators` given as objects.

use serde_json::{Value, json};

use super::{NAMESPACES, World, cluster, layer::Layer};
use crate::kustomize::text;

pub(super) fn add(world: &mut World, layer: &mut Layer) {
    if world.chance.one_in(10) {
        let configuration = configuration(world);
        let content = text::yaml(&mut world.chance, &configuration);
        let name = world.file(layer.directory, "configuration", content);
        layer.set("configurations", json!([name]));
    }
    if world.chance.one_in(14) {
        let name = world.file(layer.directory, "crd", definitions().to_string());
        layer.set("crds", json!([name]));
    }
    if world.chance.one_in(8) {
        for _ in 0..world.chance.between(1, 2) {
            let transformer = transformer(world);
            let content = text::yaml(&mut world.chance, &transformer);
            let entry = if world.chance.one_in(3) {
                content.into()
            } else {
                world.file(layer.directory, "transformer", content).into()
            };
            layer.push("transformers", entry);
        }
    }
    if world.chance.one_in(14) {
        let generator = json!({
            "apiVersion": "builtin", "kind": "ConfigMapGenerator",
            "metadata": {"name": world.name()}, "name": world.name(), "literals": ["a=b"],
        });
        let content = text::yaml(&mut world.chance, &generator);
        let name = world.file(layer.directory, "generator", content);
        layer.set("generators", json!([name]));
    }
}

fn configuration(world: &mut World) -> Value {
    let mut configuration = json!({});
    let references = json!([{"kind": "ConfigMap", "fieldSpecs": [{"path": "spec/reference/name", "kind": "Gadget"}]}]);
    let choices = [
        ("nameReference", references),
        (
            "namePrefix",
            json!([{"path": "metadata/name"}, {"path": "spec/reference/name", "kind": "Gadget"}]),
        ),
        (
            "commonLabels",
            json!([{"path": "spec/extra/labels", "create": true, "kind": "Gadget"}]),
        ),
        (
            "commonAnnotations",
            json!([{"path": "spec/template/metadata/annotations", "create": true, "kind": "Gadget"}]),
        ),
        (
            "images",
            json!([{"path": "spec/template/spec/containers[]/image", "kind": "Gadget"}]),
        ),
        (
            "replicas",
            json!([{"path": "spec/replicas", "create": true, "kind": "Gadget"}]),
        ),
        (
            "varReference",
            json!([{"path": "spec/items/value", "kind": "Gadget"}, {"path": "data", "kind": "ConfigMap"}]),
        ),
        (
            "namespace",
            json!([{"path": "spec/reference/namespace", "create": true, "kind": "Gadget"}]),
        ),
        (
            "labels",
            json!([{"path": "spec/more/labels", "create": true, "kind": "Gadget"}]),
        ),
    ];
    for (field, value) in choices {
        if world.chance.one_in(4) {
            configuration[field] = value;
        }
    }
    configuration
}

/// `OpenAPI` definitions of a custom kind that names a config map.
fn definitions() -> Value {
    let reference = json!({
        "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap",
        "type": "object", "properties": {"name": {"type": "string"}},
    });
    let spec = json!({"type": "object", "properties": {"reference": reference}});
    json!({"example.com/v1.Gadget": {"Schema": {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}, "spec": spec,
        },
    }, "Dependencies": []}})
}

fn transformer(world: &mut World) -> Value {
    let specs = json!([{"path": "metadata/labels", "create": true}]);
    let (kind, mut fields) = match world.chance.below(9) {
        0 => (
            "PrefixTransformer",
            json!({"prefix": "t-", "fieldSpecs": [{"path": "metadata/name"}]}),
        ),
        1 => (
            "SuffixTransformer",
            json!({"suffix": "-t", "fieldSpecs": [{"path": "metadata/name"}]}),
        ),
        2 => (
            "LabelTransformer",
            json!({"labels": cluster::pairs(world), "fieldSpecs": specs}),
        ),
        3 => (
            "AnnotationsTransformer",
            json!({"annotations": cluster::pairs(world), "fieldSpecs": [{"path": "metadata/annotations", "create": true}]}),
        ),
        4 => {
            let mut fields =
                json!({"fieldSpecs": [{"path": "metadata/namespace", "create": true}]});
            let only = world.chance.one_in(2);
            fields["unsetOnly"] = only.into();
            fields["setRoleBindingSubjects"] = world
                .chance
                .pick(&["none", "defaultOnly", "allServiceAccounts"])
                .into();
            ("NamespaceTransformer", fields)
        }
        5 => (
            "ImageTagTransformer",
            json!({"imageTag": {"name": "nginx", "newTag": "9"}, "fieldSpecs": [{"path": "spec/template/spec/containers[]/image"}]}),
        ),
        6 => (
            "ReplicaCountTransformer",
            json!({"replica": {"name": world.name(), "count": 4}, "fieldSpecs": [{"path": "spec/replicas", "create": true, "kind": "Deployment"}]}),
        ),
        7 => (
            "PatchTransformer",
            json!({"patch": "- {op: add, path: /metadata/labels, value: {t: t}}", "target": {"kind": "ConfigMap"}}),
        ),
        _ => (
            "PrefixSuffixTransformer",
            json!({"prefix": "u-", "suffix": "-u", "fieldSpecs": [{"path": "metadata/name"}]}),
        ),
    };
    let mut metadata = json!({"name": "any"});
    if kind == "NamespaceTransformer" {
        metadata["namespace"] = world.chance.pick(NAMESPACES).into();
    }
    fields["apiVersion"] = "builtin".into();
    fields["kind"] = kind.into();
    fields["metadata"] = metadata;
    fields
}
