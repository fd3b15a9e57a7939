//! One kustomization with its files.

use serde_json::{Map, Value, json};

use super::{Known, World, cluster};
use crate::kustomize::text;

/// What a kustomization is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Base,
    Overlay,
    Component,
}

/// A kustomization that is being made.
pub(super) struct Layer {
    pub(super) directory: &'static str,
    pub(super) role: Role,
    pub(super) fields: Map<String, Value>,
    /// All that its transformers act on.
    pub(super) known: Vec<Known>,
    resources: Vec<Value>,
}

impl Layer {
    pub(super) fn new(directory: &'static str, role: Role) -> Self {
        Self {
            directory,
            role,
            fields: Map::new(),
            known: Vec::new(),
            resources: Vec::new(),
        }
    }

    /// Adds what is there already when a component begins.
    pub(super) fn with(mut self, known: &[Known]) -> Self {
        self.known = known.to_vec();
        self
    }

    /// Adds a kustomization below.
    pub(super) fn include(&mut self, directory: &str, known: Vec<Known>) {
        self.resources.push(format!("../{directory}").into());
        self.known.extend(known);
    }

    /// Adds a component, which left `known` behind.
    pub(super) fn component(&mut self, directory: &str, known: Vec<Known>) {
        let path = format!("../{directory}").into();
        self.push("components", path);
        self.known = known;
    }

    /// Sets a field.
    pub(super) fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    /// Adds to a list.
    pub(super) fn push(&mut self, field: &str, value: Value) {
        let list = self.fields.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(items) = list {
            items.push(value);
        }
    }

    /// Fills all fields, writes the files, and returns what it makes.
    pub(super) fn build(mut self, world: &mut World) -> Vec<Known> {
        self.head(world);
        self.objects(world);
        super::generators::add(world, &mut self);
        super::patches::add(world, &mut self);
        super::replacements::add(world, &mut self);
        super::configuration::add(world, &mut self);
        super::fields::add(world, &mut self);
        self.write(world);
        self.known
    }

    fn head(&mut self, world: &mut World) {
        if self.role == Role::Component {
            self.set("apiVersion", json!("kustomize.config.k8s.io/v1alpha1"));
            self.set("kind", json!("Component"));
        } else if world.chance.one_in(3) {
            self.set("apiVersion", json!("kustomize.config.k8s.io/v1beta1"));
            self.set("kind", json!("Kustomization"));
        }
    }

    fn objects(&mut self, world: &mut World) {
        let most = if self.role == Role::Base { 4 } else { 2 };
        let least = usize::from(self.role == Role::Base || self.resources.is_empty());
        for _ in 0..world.chance.between(least, most).min(3) {
            let mut documents = Vec::new();
            for _ in 0..world.chance.between(1, 2) {
                let object = cluster::object(world);
                let same = |known: &Known| cluster::same(&known.value, &object);
                if !self.known.iter().any(same) || world.chance.one_in(60) {
                    self.known.push(Known::new(object.clone()));
                    documents.push(object);
                }
            }
            if documents.is_empty() {
                continue;
            }
            let content = if documents.len() > 1 && world.chance.one_in(6) {
                let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
                text::yaml(&mut world.chance, &list)
            } else {
                text::documents(&mut world.chance, &documents)
            };
            let name = world.file(self.directory, "r", content);
            let at = world.chance.below(self.resources.len() + 1);
            self.resources.insert(at, name.into());
        }
    }

    fn write(&mut self, world: &mut World) {
        if !self.resources.is_empty() {
            let legacy = world.chance.one_in(12);
            for path in std::mem::take(&mut self.resources) {
                let below = path.as_str().is_some_and(|path| path.starts_with("../"));
                self.push(
                    if legacy && below {
                        "bases"
                    } else {
                        "resources"
                    },
                    path,
                );
            }
        }
        let mut fields: Vec<(String, Value)> =
            std::mem::take(&mut self.fields).into_iter().collect();
        // The order of the fields must not matter.
        for at in (1..fields.len()).rev() {
            fields.swap(at, world.chance.below(at + 1));
        }
        let value = Value::Object(fields.into_iter().collect());
        let content = text::yaml(&mut world.chance, &value);
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let name = if world.chance.one_in(10) {
            world.chance.pick(&names)
        } else {
            names[0]
        };
        let path = format!("{}/{name}", self.directory);
        world.files.insert(path, content);
    }
}
