//! Random trees of kustomizations, mostly ones that build.

mod cluster;
mod configuration;
mod fields;
mod generators;
mod layer;
mod patches;
mod paths;
mod replacements;
mod workloads;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Order, Tree, chance::Chance};
use layer::{Layer, Role};

/// Names of objects: few, so that they meet.
const NAMES: &[&str] = &["web", "db", "api", "cache", "settings", "web-1"];

/// Namespaces.
const NAMESPACES: &[&str] = &["shop", "ops", "default"];

/// Texts for labels, annotations and data.
const WORDS: &[&str] = &["red", "green", "blue", "a-b", "x.y", "1", "true", "on", ""];

/// Something that a kustomization can speak of: an object, and the names it has had.
#[derive(Debug, Clone)]
struct Known {
    value: Value,
    names: Vec<String>,
    namespaces: Vec<Option<String>>,
}

impl Known {
    fn new(value: Value) -> Self {
        let text = |field: &str| value["metadata"][field].as_str().map(str::to_owned);
        Self {
            names: vec![text("name").unwrap_or_default()],
            namespaces: vec![text("namespace")],
            value,
        }
    }

    fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// Group and version.
    fn group_version(&self) -> (&str, &str) {
        let version = self.value["apiVersion"].as_str().unwrap_or_default();
        version.split_once('/').unwrap_or(("", version))
    }

    /// A name that it has or had; mostly the one it has.
    fn name(&self, chance: &mut Chance) -> String {
        let old = chance.one_in(4);
        let name = if old {
            self.names.first()
        } else {
            self.names.last()
        };
        name.cloned().unwrap_or_default()
    }

    fn namespace(&self, chance: &mut Chance) -> Option<String> {
        let old = chance.one_in(4);
        let namespaces = &self.namespaces;
        let found = if old {
            namespaces.first()
        } else {
            namespaces.last()
        };
        found.cloned().flatten()
    }
}

/// What is being made.
struct World {
    chance: Chance,
    files: BTreeMap<String, String>,
    /// How many files were made, for their names.
    count: usize,
}

/// Makes the tree of a seed.
pub(super) fn tree(seed: u64) -> Tree {
    let mut world = World {
        chance: Chance::new(seed),
        files: BTreeMap::new(),
        count: 0,
    };
    world.everything();
    let legacy = world.chance.one_in(4);
    Tree {
        files: world.files,
        target: "app".to_owned(),
        order: if legacy { Order::Legacy } else { Order::Fifo },
    }
}

impl World {
    /// A base or two, what lies between, components, and the top.
    fn everything(&mut self) {
        let mut known = BTreeMap::new();
        for base in ["base", "other"]
            .into_iter()
            .take(self.chance.between(0, 2))
        {
            let made = Layer::new(base, Role::Base).build(self);
            known.insert(base, made);
        }
        let bases: Vec<&str> = known.keys().copied().collect();
        let mut below = bases.clone();
        if !bases.is_empty() && self.chance.one_in(3) {
            below.clear();
            let middles: &[&str] = if self.chance.one_in(2) {
                &["mid"]
            } else {
                &["mid", "mid2"]
            };
            for &middle in middles {
                let mut layer = Layer::new(middle, Role::Overlay);
                let all = middles.len() == 1;
                let some = if all {
                    bases.clone()
                } else {
                    self.chance.some_of(&bases, 1)
                };
                for base in some {
                    layer.include(base, known.get(base).cloned().unwrap_or_default());
                }
                let made = layer.build(self);
                known.insert(middle, made);
                below.push(middle);
            }
        }
        let mut top = Layer::new("app", Role::Overlay);
        for part in below {
            top.include(part, known.get(part).cloned().unwrap_or_default());
        }
        for component in ["extra", "more"].into_iter().take(self.chance.below(3)) {
            if self.chance.one_in(2) {
                let made = Layer::new(component, Role::Component)
                    .with(&top.known)
                    .build(self);
                top.component(component, made);
            }
        }
        top.build(self);
    }

    fn word(&mut self) -> &'static str {
        self.chance.pick(WORDS)
    }

    fn name(&mut self) -> &'static str {
        self.chance.pick(NAMES)
    }

    /// Writes a file of a layer and returns its name there.
    fn file(&mut self, directory: &str, stem: &str, content: String) -> String {
        self.count += 1;
        let name = format!("{stem}{}.yaml", self.count);
        self.files.insert(format!("{directory}/{name}"), content);
        name
    }
}
