//! `configMapGenerator`, `secretGenerator` and what they read.

use serde_json::{Map, Value, json};

use super::{Known, NAMESPACES, World, cluster, layer::Layer};

pub(super) fn add(world: &mut World, layer: &mut Layer) {
    for (field, kind) in [
        ("configMapGenerator", "ConfigMap"),
        ("secretGenerator", "Secret"),
    ] {
        let often = if kind == "Secret" { 5 } else { 3 };
        if world.chance.one_in(often) {
            for _ in 0..world.chance.between(1, 2) {
                let generator = generator(world, layer, kind);
                layer.push(field, generator);
            }
        }
    }
    if world.chance.one_in(8) {
        let options = options(world);
        layer.set("generatorOptions", options);
    }
}

fn generator(world: &mut World, layer: &mut Layer, kind: &str) -> Value {
    let mut generator = Map::new();
    let there: Vec<Known> = layer
        .known
        .iter()
        .filter(|known| known.kind() == kind)
        .cloned()
        .collect();
    let old = world
        .chance
        .one_in(2)
        .then(|| world.chance.choose(&there).cloned())
        .flatten();
    let mut name = world.name().to_owned();
    if let Some(old) = &old {
        name = old.name(&mut world.chance);
        let usual = ["merge", "replace"];
        let odd = ["create", "unspecified", "any"];
        let behavior = if world.chance.one_in(15) {
            world.chance.pick(&odd)
        } else {
            world.chance.pick(&usual)
        };
        generator.insert("behavior".to_owned(), behavior.into());
        if let Some(namespace) = old.namespaces.last().cloned().flatten() {
            generator.insert("namespace".to_owned(), namespace.into());
        }
    } else {
        if there.iter().any(|known| known.names.contains(&name)) && !world.chance.one_in(20) {
            name = format!("{name}-{}", there.len());
        }
        if world.chance.one_in(8) {
            let namespace = world.chance.pick(NAMESPACES);
            generator.insert("namespace".to_owned(), namespace.into());
        }
    }
    generator.insert("name".to_owned(), name.clone().into());
    sources(world, layer.directory, &mut generator);
    if kind == "Secret" && world.chance.one_in(3) {
        generator.insert("type".to_owned(), "kubernetes.io/tls".into());
    }
    if world.chance.one_in(4) {
        generator.insert("options".to_owned(), options(world));
    }
    if old.is_none() {
        let namespace = generator.get("namespace").cloned();
        // Its real name has a hash, which is not guessed here.
        let mut metadata = json!({ "name": name });
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace;
        }
        let literals = generator.get("literals").and_then(Value::as_array);
        let pairs = literals.into_iter().flatten().filter_map(|literal| {
            let (key, value) = literal.as_str()?.split_once('=')?;
            Some((key.to_owned(), Value::from(value)))
        });
        let data: Map<String, Value> = pairs.collect();
        let value = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data});
        layer.known.push(Known::new(value));
    }
    Value::Object(generator)
}

fn options(world: &mut World) -> Value {
    let mut options = json!({});
    if world.chance.one_in(2) {
        options["disableNameSuffixHash"] = world.chance.one_in(2).into();
    }
    if world.chance.one_in(4) {
        options["immutable"] = world.chance.one_in(2).into();
    }
    if world.chance.one_in(3) {
        options["labels"] = cluster::pairs(world);
    }
    if world.chance.one_in(3) {
        options["annotations"] = cluster::pairs(world);
    }
    options
}

fn sources(world: &mut World, directory: &str, generator: &mut Map<String, Value>) {
    if !world.chance.one_in(5) {
        let all = [
            "key=value",
            "HOST=db",
            "quoted=\"a b\"",
            "single='x'",
            "empty=",
            "eq=a=b",
            "html=<&>",
            "sp= x ",
            "long=0123456789012345678901234567890123456789012345678901234567890123456789",
        ];
        let count = world.chance.between(1, 3);
        let literals = world.chance.some_of(&all, count);
        generator.insert("literals".to_owned(), json!(literals));
    }
    if world.chance.one_in(4) {
        let content = world.chance.pick(&[
            "text\n",
            "",
            "{\"host\":\"db\"}",
            "host: db # c\nlist: [a]\n",
            "tab\there\r\nx\n",
            "\u{feff}bom\n",
            "é – ü\n",
        ]);
        let name = world.file(directory, "data", content.to_owned());
        let form = world.chance.below(4);
        let entry = if form == 0 {
            format!("renamed={name}")
        } else {
            name
        };
        generator.insert("files".to_owned(), json!([entry]));
    }
    if world.chance.one_in(4) {
        let content = world.chance.pick(&[
            "A=1\nB=two words\n",
            "# comment\n\nC='quoted'\n",
            "  D=x \n",
            "E\n",
            "F=\"#x\"\r\nG=2\n",
            "H=a=b\n#",
            "export I=1\n",
        ]);
        let name = world.file(directory, "env", content.to_owned());
        if world.chance.one_in(4) {
            generator.insert("env".to_owned(), name.into());
        } else {
            generator.insert("envs".to_owned(), json!([name]));
        }
    }
}
