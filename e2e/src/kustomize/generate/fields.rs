//! The fields that say one thing.

use serde_json::{Value, json};

use super::{
    NAMESPACES, World, cluster,
    layer::{Layer, Role},
};

pub(super) fn add(world: &mut World, layer: &mut Layer) {
    names(world, layer);
    metadata(world, layer);
    if world.chance.one_in(5) {
        for _ in 0..world.chance.between(1, 2) {
            let image = image(world);
            let legacy = world.chance.one_in(10);
            layer.push(if legacy { "imageTags" } else { "images" }, image);
        }
    }
    replicas(world, layer);
    if world.chance.one_in(12) {
        let option = world.chance.pick(&[
            "originAnnotations",
            "managedByLabel",
            "transformerAnnotations",
        ]);
        layer.push("buildMetadata", option.into());
    }
    if layer.role == Role::Overlay && world.chance.one_in(10) {
        let order = world.chance.pick(&["fifo", "legacy"]);
        let mut options = json!({"order": order});
        if order == "legacy" && world.chance.one_in(2) {
            options["legacySortOptions"] =
                json!({"orderFirst": ["Service", "ConfigMap"], "orderLast": ["Deployment"]});
        }
        layer.set("sortOptions", options);
    }
}

fn names(world: &mut World, layer: &mut Layer) {
    let (mut prefix, mut suffix) = ("", "");
    if world.chance.one_in(3) {
        prefix = world.chance.pick(&["p-", "q-", "p-p-"]);
        layer.set("namePrefix", prefix.into());
    }
    if world.chance.one_in(4) {
        suffix = world.chance.pick(&["-s", "-v1"]);
        layer.set("nameSuffix", suffix.into());
    }
    let namespace = world
        .chance
        .one_in(3)
        .then(|| world.chance.pick(NAMESPACES));
    if let Some(namespace) = namespace {
        layer.set("namespace", namespace.into());
    }
    for known in &mut layer.known {
        let last = known.names.last().cloned().unwrap_or_default();
        known.names.push(format!("{prefix}{last}{suffix}"));
        if let Some(namespace) = namespace {
            known.namespaces.push(Some(namespace.to_owned()));
        }
    }
}

fn metadata(world: &mut World, layer: &mut Layer) {
    if world.chance.one_in(6) {
        let pairs = cluster::pairs(world);
        layer.set("commonLabels", pairs);
    }
    if world.chance.one_in(6) {
        let pairs = cluster::pairs(world);
        layer.set("commonAnnotations", pairs);
    }
    if world.chance.one_in(5) {
        let mut label = json!({"pairs": cluster::pairs(world)});
        for field in [
            "includeSelectors",
            "includeTemplates",
            "includeVolumeClaimTemplates",
        ] {
            if world.chance.one_in(3) {
                label[field] = true.into();
            }
        }
        if world.chance.one_in(6) {
            label["fields"] = json!([{"path": "spec/selector", "kind": "Service", "create": world.chance.one_in(2)}]);
        }
        layer.push("labels", label);
    }
}

fn image(world: &mut World) -> Value {
    let names = [
        "nginx",
        "ghcr.io/org/app",
        "localhost:5000/app",
        "docker.io/library/nginx",
        "my-nginx",
        ".*",
    ];
    let mut image = json!({"name": world.chance.pick(&names)});
    if world.chance.one_in(2) {
        image["newName"] = world.chance.pick(&["httpd", "example.com:80/x"]).into();
    }
    match world.chance.below(4) {
        0 | 1 => image["newTag"] = world.chance.pick(&["2.0", "latest"]).into(),
        2 => {
            image["digest"] =
                "sha256:0000000000000000000000000000000000000000000000000000000000000000".into();
        }
        _ => {}
    }
    if world.chance.one_in(8) {
        image["tagSuffix"] = "-alpine".into();
    }
    image
}

fn replicas(world: &mut World, layer: &mut Layer) {
    if !world.chance.one_in(8) {
        return;
    }
    let scalable = |known: &&super::Known| ["Deployment", "StatefulSet"].contains(&known.kind());
    let scalable: Vec<super::Known> = layer.known.iter().filter(scalable).cloned().collect();
    if scalable.is_empty() && !world.chance.one_in(10) {
        return;
    }
    let name = match world.chance.choose(&scalable) {
        Some(known) => known.name(&mut world.chance),
        None => world.name().to_owned(),
    };
    layer.push(
        "replicas",
        json!({"name": name, "count": world.chance.below(9)}),
    );
}
