//! `patches` and the two fields before it.

use serde_json::{Map, Value, json};

use super::{Known, World, layer::Layer, paths};
use crate::kustomize::text;

pub(super) fn add(world: &mut World, layer: &mut Layer) {
    if layer.known.is_empty() || !world.chance.one_in(2) {
        return;
    }
    for _ in 0..world.chance.between(1, 3) {
        let Some(known) = world.chance.choose(&layer.known).cloned() else {
            return;
        };
        match world.chance.below(8) {
            0 => legacy_merge(world, layer, &known),
            1 => legacy_json(world, layer, &known),
            2..5 => merge(world, layer, &known),
            _ => json_patch(world, layer, &known),
        }
    }
}

/// Puts a patch into the kustomization or into a file beside it.
fn given(world: &mut World, layer: &Layer, patch: &Value) -> (&'static str, Value) {
    let content = if world.chance.one_in(8) {
        patch.to_string().replace("\\u0000", "")
    } else {
        text::yaml(&mut world.chance, patch)
    };
    if world.chance.one_in(3) {
        ("path", world.file(layer.directory, "patch", content).into())
    } else {
        ("patch", content.into())
    }
}

fn legacy_merge(world: &mut World, layer: &mut Layer, known: &Known) {
    let patch = strategic(world, known);
    let (_, value) = given(world, layer, &patch);
    layer.push("patchesStrategicMerge", value);
}

fn legacy_json(world: &mut World, layer: &mut Layer, known: &Known) {
    let operations = operations(world, known);
    let (field, value) = given(world, layer, &operations);
    let (group, version) = known.group_version();
    let mut target =
        json!({"version": version, "kind": known.kind(), "name": known.name(&mut world.chance)});
    if !group.is_empty() {
        target["group"] = group.into();
    }
    if let Some(namespace) = known.namespace(&mut world.chance) {
        target["namespace"] = namespace.into();
    }
    layer.push("patchesJson6902", json!({"target": target, field: value}));
}

fn merge(world: &mut World, layer: &mut Layer, known: &Known) {
    let mut patch = strategic(world, known);
    let mut entry = Map::new();
    if world.chance.one_in(2) {
        entry.insert("target".to_owned(), target(world, known));
        if world.chance.one_in(2) {
            patch["metadata"]["name"] = "any".into();
        }
    }
    if world.chance.one_in(8) {
        let options = json!({"allowNameChange": world.chance.one_in(2), "allowKindChange": world.chance.one_in(2)});
        entry.insert("options".to_owned(), options);
    }
    let (field, value) = given(world, layer, &patch);
    entry.insert(field.to_owned(), value);
    layer.push("patches", Value::Object(entry));
}

fn json_patch(world: &mut World, layer: &mut Layer, known: &Known) {
    let operations = operations(world, known);
    let (field, value) = given(world, layer, &operations);
    let target = target(world, known);
    layer.push("patches", json!({"target": target, field: value}));
}

/// Selects an object, and maybe others.
pub(super) fn target(world: &mut World, known: &Known) -> Value {
    let mut target = Map::new();
    let (group, version) = known.group_version();
    let name = known.name(&mut world.chance);
    let mut put = |key: &str, value: String| target.insert(key.to_owned(), value.into());
    if !world.chance.one_in(4) {
        put("kind", known.kind().to_owned());
    }
    match world.chance.below(5) {
        0..2 => drop(put("name", name)),
        2 => drop(put(
            "name",
            format!("{}.*", name.get(..1).unwrap_or_default()),
        )),
        3 => drop(put("name", format!("({name}|api)"))),
        _ => {}
    }
    if world.chance.one_in(4) && !group.is_empty() {
        put("group", group.to_owned());
    }
    if world.chance.one_in(6) {
        put("version", version.to_owned());
    }
    if world.chance.one_in(6) {
        let namespace = known
            .namespace(&mut world.chance)
            .unwrap_or_else(|| "default".to_owned());
        put("namespace", namespace);
    }
    if world.chance.one_in(10) {
        let selector = world.chance.pick(&[
            "app=x",
            "app",
            "!app",
            "tier in (red, blue)",
            "app notin (x)",
            "tier!=red",
        ]);
        let field = world.chance.pick(&["labelSelector", "annotationSelector"]);
        put(field, selector.to_owned());
    }
    Value::Object(target)
}

/// A part of an object with some of it changed.
fn strategic(world: &mut World, known: &Known) -> Value {
    let mut patch = json!({
        "apiVersion": known.value["apiVersion"], "kind": known.kind(),
        "metadata": {"name": known.name(&mut world.chance)},
    });
    if let Some(namespace) = known.namespace(&mut world.chance) {
        patch["metadata"]["namespace"] = namespace.into();
    }
    if world.chance.one_in(15) {
        patch["$patch"] = world.chance.pick(&["delete", "replace", "merge"]).into();
    }
    if world.chance.one_in(6) {
        let texts = world.chance.pick(&["labels", "annotations"]);
        patch["metadata"][texts] = super::cluster::written_pairs(world);
    }
    if let Value::Object(fields) = &known.value {
        for (key, value) in fields {
            if !["apiVersion", "kind", "metadata"].contains(&key.as_str()) {
                let part = part(world, value);
                patch[key.as_str()] = part;
            }
        }
    }
    if known.kind() == "ConfigMap" && world.chance.one_in(2) {
        patch["data"]["added"] = world.word().into();
    }
    patch
}

fn part(world: &mut World, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut part = Map::new();
            let named = [
                "name",
                "containerPort",
                "port",
                "protocol",
                "mountPath",
                "topologyKey",
                "ip",
                "whenUnsatisfiable",
            ];
            for (key, value) in fields {
                if named.contains(&key.as_str()) && !value.is_object() {
                    part.insert(key.clone(), value.clone());
                } else if world.chance.one_in(30) {
                    part.insert(key.clone(), Value::Null);
                } else if !world.chance.one_in(3) {
                    let inner = self::part(world, value);
                    part.insert(key.clone(), inner);
                }
            }
            if world.chance.one_in(40) {
                part.insert(
                    "$patch".to_owned(),
                    world.chance.pick(&["delete", "replace", "merge"]).into(),
                );
            }
            Value::Object(part)
        }
        Value::Array(items) => list(world, items),
        Value::String(text) if world.chance.one_in(2) && !text.starts_with(text::RAW) => {
            world.word().into()
        }
        Value::Number(_) if world.chance.one_in(2) => json!(world.chance.below(9)),
        other => other.clone(),
    }
}

fn list(world: &mut World, items: &[Value]) -> Value {
    let mut parts = Vec::new();
    for item in items {
        if !world.chance.one_in(4) {
            parts.push(part(world, item));
        }
    }
    let maps = items.iter().all(Value::is_object);
    if world.chance.one_in(4) {
        match items.first() {
            Some(first) if maps => {
                let mut new = part(world, first);
                // Another item, by whatever key the list has.
                let keys = [
                    ("name", json!("new")),
                    ("port", json!(9)),
                    ("containerPort", json!(9)),
                    ("mountPath", json!("/new")),
                    ("ip", json!("10.0.0.9")),
                    ("topologyKey", json!("rack")),
                ];
                for (key, value) in keys {
                    if new.get(key).is_some() {
                        new[key] = value;
                    }
                }
                parts.push(new);
            }
            _ => parts.push("new".into()),
        }
    }
    if maps && world.chance.one_in(30) {
        parts.push(json!({"$patch": world.chance.pick(&["delete", "replace", "merge"])}));
    }
    Value::Array(parts)
}

/// JSON operations on places that are there, and on some that are not.
fn operations(world: &mut World, known: &Known) -> Value {
    let mut operations = Vec::new();
    for _ in 0..world.chance.between(1, 3) {
        operations.push(operation(world, known));
    }
    Value::Array(operations)
}

fn operation(world: &mut World, known: &Known) -> Value {
    if world.chance.one_in(25) {
        return odd_operation(world, known);
    }
    let steps = paths::place(&mut world.chance, &known.value);
    let path = paths::pointer(&steps);
    let stem = path.rsplit_once('/').map_or("", |(stem, _)| stem);
    let found = paths::at(&known.value, &steps);
    let value = like(world, found);
    let in_list = matches!(steps.last(), Some(paths::Step::At(_)));
    match world.chance.below(10) {
        0..3 => json!({"op": "replace", "path": path, "value": value}),
        3 => json!({"op": "add", "path": path, "value": value}),
        4 if in_list => json!({"op": "add", "path": format!("{stem}/-"), "value": value}),
        4 if path.matches('/').count() > 2 => {
            json!({"op": "add", "path": format!("{stem}/new~1key"), "value": world.word()})
        }
        5 if in_list => json!({"op": "replace", "path": format!("{stem}/-1"), "value": value}),
        6..8 if steps.len() > 1 => json!({"op": "remove", "path": path}),
        8 => {
            let to = paths::pointer(&paths::leaf(&mut world.chance, &known.value));
            let from = paths::pointer(&paths::leaf(&mut world.chance, &known.value));
            json!({"op": "copy", "from": from, "path": to})
        }
        _ => json!({"op": "test", "path": path, "value": found}),
    }
}

/// A value of the same sort.
fn like(world: &mut World, value: &Value) -> Value {
    match value {
        Value::String(_) => world.word().into(),
        Value::Number(_) => json!(world.chance.below(9)),
        Value::Bool(known) => (!known).into(),
        other => other.clone(),
    }
}

fn operand(world: &mut World) -> Value {
    match world.chance.below(8) {
        0 => json!({"name": "new", "value": [1, "two"]}),
        1 => json!(["a"]),
        2 => json!(7),
        3 => json!(true),
        4 => Value::Null,
        _ => world.word().into(),
    }
}

/// An operation that may not be possible.
fn odd_operation(world: &mut World, known: &Known) -> Value {
    let mut place = || paths::pointer(&paths::place(&mut world.chance, &known.value));
    let (path, from) = (place(), place());
    let stem = path.rsplit_once('/').map_or("", |(stem, _)| stem);
    let path = match world.chance.below(8) {
        0 => format!("{stem}/-"),
        1 => format!("{stem}/7"),
        2 => format!("{path}/missing/deep"),
        3 => "/metadata/labels/app".to_owned(),
        4 => path.trim_start_matches('/').to_owned(),
        5 => format!("{stem}/-2"),
        6 => String::new(),
        _ => path,
    };
    let op = world.chance.pick(&[
        "add", "replace", "remove", "test", "move", "copy", "Replace", "merge",
    ]);
    let value = operand(world);
    match op {
        "remove" => json!({"op": op, "path": path}),
        "move" | "copy" => json!({"op": op, "from": from, "path": path}),
        _ => json!({"op": op, "path": path, "value": value}),
    }
}
