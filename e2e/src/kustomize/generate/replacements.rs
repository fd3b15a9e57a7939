//! `replacements` and `vars`.

use serde_json::{Map, Value, json};

use super::{Known, World, layer::Layer, patches, paths};
use crate::kustomize::text;

pub(super) fn add(world: &mut World, layer: &mut Layer) {
    if layer.known.is_empty() {
        return;
    }
    if world.chance.one_in(3) {
        for _ in 0..world.chance.between(1, 2) {
            if let Some(replacement) = replacement(world, layer) {
                let entry = given(world, layer, replacement);
                layer.push("replacements", entry);
            }
        }
    }
    if world.chance.one_in(6) {
        vars(world, layer);
    }
}

fn given(world: &mut World, layer: &Layer, replacement: Value) -> Value {
    if world.chance.one_in(4) {
        let content = if world.chance.one_in(2) {
            text::yaml(&mut world.chance, &json!([replacement]))
        } else {
            text::yaml(&mut world.chance, &replacement)
        };
        return json!({"path": world.file(layer.directory, "replacement", content)});
    }
    replacement
}

fn replacement(world: &mut World, layer: &Layer) -> Option<Value> {
    let source = world.chance.choose(&layer.known)?.clone();
    let mut targets = Vec::new();
    // Not the source itself: what becomes of it is another matter in kustomize.
    let others = layer
        .known
        .iter()
        .filter(|known| known.kind() != source.kind());
    let others: Vec<Known> = others.cloned().collect();
    for _ in 0..world.chance.between(1, 2) {
        let target = world.chance.choose(&others)?.clone();
        targets.push(target_of(world, &target));
    }
    if world.chance.one_in(12) {
        return Some(json!({"sourceValue": world.word(), "targets": targets}));
    }
    let mut from = json!({"kind": source.kind(), "name": source.name(&mut world.chance)});
    if let Some(namespace) = source.namespace(&mut world.chance) {
        from["namespace"] = namespace.into();
    }
    if !world.chance.one_in(5) {
        from["fieldPath"] = path(world, &source, End::Source).into();
    }
    if world.chance.one_in(8) {
        from["options"] = options(world);
    }
    Some(json!({"source": from, "targets": targets}))
}

/// Which end of a replacement a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Source,
    Target,
}

fn target_of(world: &mut World, known: &Known) -> Value {
    let mut select = patches::target(world, known);
    select["kind"] = known.kind().into();
    if world.chance.one_in(2) {
        select = json!({"kind": known.kind(), "name": known.name(&mut world.chance)});
    }
    let mut fields = vec![path(world, known, End::Target)];
    if world.chance.one_in(4) {
        fields.push(path(world, known, End::Target));
    }
    let mut target = json!({"select": select, "fieldPaths": &fields});
    if world.chance.one_in(8) {
        target["reject"] = json!([{"name": world.name()}]);
    }
    let made = ["added", "owner", "env"];
    let absent = fields
        .iter()
        .any(|path| made.iter().any(|word| path.contains(word)));
    if absent && !world.chance.one_in(8) {
        target["options"] = json!({"create": true});
    } else if world.chance.one_in(6) {
        target["options"] = options(world);
    }
    if world.chance.one_in(12) {
        target["fieldPaths"] = Value::Null;
        // Then it is the name.
    }
    target
}

fn options(world: &mut World) -> Value {
    let mut options = json!({});
    if world.chance.one_in(2) {
        options["create"] = true.into();
    }
    if world.chance.one_in(2) {
        options["delimiter"] = world.chance.pick(&["/", ":", "-", ".", "@"]).into();
        let index = world.chance.below(4);
        options["index"] = if index == 3 { json!(-1) } else { json!(index) };
    }
    options
}

/// A place in an object; for a target sometimes one that could be made, or several.
fn path(world: &mut World, known: &Known, end: End) -> String {
    let steps = if world.chance.one_in(12) {
        paths::place(&mut world.chance, &known.value)
    } else {
        paths::leaf(&mut world.chance, &known.value)
    };
    let target = end == End::Target;
    let path = paths::dotted(&mut world.chance, &known.value, &steps, target);
    let there = |pointer: &str| known.value.pointer(pointer).is_some();
    let pods = there("/spec/template/spec/containers");
    match world.chance.below(12) {
        0 if target => "metadata.annotations.added".to_owned(),
        1 if target => "metadata.labels.[example.com/owner]".to_owned(),
        2 => "metadata.name".to_owned(),
        3 if world.chance.one_in(3) => format!("{path}.missing"),
        4 if there("/data/config.json") => "data.config\\.json.host".to_owned(),
        5 if there("/data/app.yaml") => "data.[app.yaml].list.[name=x].value".to_owned(),
        6 if there("/data/app.yaml") => "data.[app.yaml].host".to_owned(),
        7 if pods && target => "spec.template.spec.containers.*.image".to_owned(),
        8 if pods => "spec.template.spec.containers.[name=main].image".to_owned(),
        9 if pods && target => {
            "spec.template.spec.containers.[name=main].env.[name=HOST].value".to_owned()
        }
        10 if world.chance.one_in(3) => "metadata.namespace".to_owned(),
        _ => path,
    }
}

fn vars(world: &mut World, layer: &mut Layer) {
    for name in ["HOST", "PORT"] {
        let Some(known) = world.chance.choose(&layer.known).cloned() else {
            return;
        };
        let version = known.value["apiVersion"].clone();
        let mut reference = Map::new();
        reference.insert("apiVersion".to_owned(), version);
        reference.insert("kind".to_owned(), known.kind().into());
        let first = known.names.first().cloned().unwrap_or_default();
        reference.insert("name".to_owned(), first.into());
        let mut variable = json!({"name": name, "objref": reference});
        if world.chance.one_in(2) {
            let steps = paths::place(&mut world.chance, &known.value);
            let path =
                paths::dotted(&mut world.chance, &known.value, &steps, false).replace(".*", "[0]");
            variable["fieldref"] = json!({"fieldPath": path});
        }
        layer.push("vars", variable);
        if world.chance.one_in(2) {
            return;
        }
    }
}
