//! Which fields of a manifest our Apply entry does not hold any more, and who holds them now.

use serde_json::{Map, Value};

use crate::managed_fields::{ManagedField, own_entry};

/// A field of a manifest that is not ours any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// For people: `spec.template.spec.containers[name=app].image`.
    pub path: String,
    /// The field managers that hold it; none for what was removed.
    pub managers: Vec<String>,
    /// Where it is in the manifest.
    pub(super) place: Vec<Step>,
}

/// A step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a mapping.
    Field(String),
    /// Into a list.
    Item(usize),
}

impl Lost {
    /// Returns the place as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.place {
            pointer.push('/');
            match step {
                Step::Field(name) => {
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

/// A node of `fieldsV1`.
type Node = Map<String, Value>;

/// Returns the fields of `manifest` that our entry does not hold, in the order of the manifest. Without an entry of ours
/// that is every field.
pub(super) fn lost(manifest: &Value, entries: &[ManagedField]) -> Vec<Lost> {
    let ours = own_entry(entries).and_then(fields).unwrap_or_default();
    let others: Vec<(&str, Node)> = entries
        .iter()
        .filter(|entry| !entry.is_own() && entry.subresource != "status")
        .filter_map(|entry| Some((entry.manager.as_str(), fields(entry)?)))
        .collect();
    let mut search = Search {
        manifest,
        others: &others,
        found: Vec::new(),
        place: Vec::new(),
        path: String::new(),
    };
    search.value(manifest, Some(&ours));
    search.found
}

fn fields(entry: &ManagedField) -> Option<Node> {
    serde_json::from_str(entry.fields_v1.as_ref()?.get()).ok()
}

struct Search<'a> {
    manifest: &'a Value,
    others: &'a [(&'a str, Node)],
    found: Vec<Lost>,
    place: Vec<Step>,
    path: String,
}

impl Search<'_> {
    /// Looks at a value; `node` is what of it is ours, `None` when nothing is.
    fn value(&mut self, value: &Value, node: Option<&Node>) {
        match (value, node) {
            (Value::Null, _) => {}
            (Value::Array(items), None) if items.is_empty() => {}
            (Value::Object(fields), node) => self.fields(fields, node),
            (Value::Array(items), Some(node)) => self.items(items, node),
            // A list of which nothing is ours, or a value where a mapping was ours.
            (_, _) => self.lose(),
        }
    }

    fn fields(&mut self, fields: &Node, node: Option<&Node>) {
        for (name, value) in fields {
            if self.is_identity(name) {
                continue;
            }
            let held = node.and_then(|node| node.get(&format!("f:{name}")));
            let length = self.path.len();
            self.push_name(name);
            self.place.push(Step::Field(name.clone()));
            self.child(value, held);
            self.place.pop();
            self.path.truncate(length);
        }
    }

    fn items(&mut self, items: &[Value], node: &Node) {
        for (index, item) in items.iter().enumerate() {
            let length = self.path.len();
            self.path.push_str(&item_name(item, index, node));
            self.place.push(Step::Item(index));
            self.child(item, find(node, item));
            self.place.pop();
            self.path.truncate(length);
        }
    }

    fn child(&mut self, value: &Value, node: Option<&Value>) {
        match node.and_then(Value::as_object) {
            // A leaf: the value, or a list or mapping that is owned as a whole.
            Some(node) if node.is_empty() => {}
            Some(node) => self.value(value, Some(node)),
            None if matches!(self.place.last(), Some(Step::Item(_))) => self.lose(),
            None => self.value(value, None),
        }
    }

    fn lose(&mut self) {
        let holds = |(_, node): &&(&str, Node)| holds(node, self.manifest, &self.place);
        let managers = self.others.iter().filter(holds);
        self.found.push(Lost {
            managers: managers.map(|(name, _)| (*name).to_owned()).collect(),
            path: self.path.clone(),
            place: self.place.clone(),
        });
    }

    /// What says which object it is, is nobody's field.
    fn is_identity(&self, name: &str) -> bool {
        match self.place.as_slice() {
            [] => ["apiVersion", "kind"].contains(&name),
            [Step::Field(first)] => first == "metadata" && ["name", "namespace"].contains(&name),
            _ => false,
        }
    }

    fn push_name(&mut self, name: &str) {
        if name.contains(['.', '/']) {
            self.path.push('[');
            self.path.push_str(name);
            self.path.push(']');
            return;
        }
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }
}

/// Returns what of a list's item is held: by its key fields (`k:`), its value (`v:`), or not at all.
fn find<'a>(node: &'a Node, item: &Value) -> Option<&'a Value> {
    node.iter()
        .find(|(key, _)| is_key_of(key, item))
        .map(|(_, held)| held)
}

fn is_key_of(key: &str, item: &Value) -> bool {
    if let Some(value) = key.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    // A key field that the manifest does not have has its default there, such as the protocol of a port.
    key_fields(key).is_some_and(|fields| {
        let fits = |(name, value): (&String, &Value)| item.get(name).is_none_or(|v| v == value);
        item.is_object() && fields.iter().all(fits)
    })
}

fn key_fields(key: &str) -> Option<Node> {
    serde_json::from_str(key.strip_prefix("k:")?).ok()
}

/// Returns `[name=app]`, or the place in the list where the item has no key.
fn item_name(item: &Value, index: usize, node: &Node) -> String {
    let names = node.keys().find_map(|key| key_fields(key));
    let names = names.map_or_else(
        || vec!["name".to_owned()],
        |fields| fields.into_iter().map(|(name, _)| name).collect(),
    );
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| Some((name, item.get(name)?)))
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            value => format!("{name}={value}"),
        })
        .collect();
    if parts.is_empty() {
        format!("[{index}]")
    } else {
        format!("[{}]", parts.join(","))
    }
}

/// Tells whether an owner of `node` holds the value at `place`, or one around it as a whole.
fn holds(mut node: &Node, mut value: &Value, place: &[Step]) -> bool {
    for step in place {
        let (held, inner) = match step {
            Step::Field(name) => (node.get(&format!("f:{name}")), value.get(name)),
            Step::Item(index) => {
                let inner = value.get(index);
                (inner.and_then(|item| find(node, item)), inner)
            }
        };
        let (Some(held), Some(inner)) = (held.and_then(Value::as_object), inner) else {
            return false;
        };
        if held.is_empty() {
            return true;
        }
        (node, value) = (held, inner);
    }
    true
}

/// Removes a value, and the mappings that are empty without it.
pub(super) fn remove(value: &mut Value, place: &[Step]) {
    let Some((step, rest)) = place.split_first() else {
        return;
    };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => {
            if let Some(inner) = fields.get_mut(name).filter(|_| !rest.is_empty()) {
                remove(inner, rest);
            }
            let is_empty = fields
                .get(name)
                .and_then(Value::as_object)
                .is_some_and(Map::is_empty);
            if rest.is_empty() || is_empty {
                fields.shift_remove(name);
            }
        }
        (Step::Item(index), Value::Array(items)) if *index < items.len() => {
            if rest.is_empty() {
                items.remove(*index);
            } else if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}
