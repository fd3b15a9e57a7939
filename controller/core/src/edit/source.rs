//! A file that is edited: its values, and where each of them stands.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use flux_kustomize::{Content, Document, Node, NodeId, Outline, parse_yaml};
use serde_json::Value;

use super::Error;
use super::path::{FieldPath, Step};
use crate::object;

/// A value of a file: its document and the way there, with aliases and merge keys replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The document, from 0; empty ones do not count.
    pub(super) document: usize,
    /// The way there.
    pub(super) path: FieldPath,
}

/// An object of a file.
#[derive(Debug, Clone)]
pub(super) struct Object<'s> {
    pub(super) document: usize,
    /// The way from the root of the document.
    pub(super) path: FieldPath,
    pub(super) value: &'s Value,
}

impl Object<'_> {
    /// Returns the place that a path from the root of the object leads to.
    pub(super) fn place(&self, path: &FieldPath) -> Place {
        Place {
            document: self.document,
            path: FieldPath([self.path.0.clone(), path.0.clone()].concat()),
        }
    }
}

/// A file with its values and their places.
pub(super) struct Source<'t> {
    pub(super) path: &'t str,
    pub(super) text: &'t str,
    pub(super) documents: Vec<Document>,
    pub(super) outline: Outline,
    /// The root of each of the documents.
    pub(super) roots: Vec<NodeId>,
    /// The places of each scalar, if there are aliases.
    uses: OnceCell<BTreeMap<NodeId, Vec<Place>>>,
}

impl<'t> Source<'t> {
    /// Reads a file.
    pub(super) fn read(path: &'t str, bytes: &'t [u8]) -> Result<Self, Error> {
        let documents = parse_yaml(bytes, path).map_err(Error::Yaml)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::Yaml(flux_kustomize::Error::new(path, "is not UTF-8 text")))?;
        let outline = Outline::new(text, path).map_err(Error::Yaml)?;
        let roots = roots(&outline, &documents);
        Ok(Self {
            path,
            text,
            documents,
            outline,
            roots,
            uses: OnceCell::new(),
        })
    }

    /// Whether SOPS encrypted one of the documents.
    pub(super) fn is_encrypted(&self) -> bool {
        let is_sops =
            |sops: &Value| sops.get("mac").is_some() || sops.get("lastmodified").is_some();
        self.documents
            .iter()
            .any(|document| document.value.get("sops").is_some_and(is_sops))
    }

    /// Returns all objects, the items of lists included.
    pub(super) fn objects(&self) -> Vec<Object<'_>> {
        let mut objects = Vec::new();
        for (document, Document { value, .. }) in self.documents.iter().enumerate() {
            let root = FieldPath::default();
            if !is_list(value) {
                let path = root;
                objects.push(Object {
                    document,
                    path,
                    value,
                });
                continue;
            }
            let items = value["items"].as_array().into_iter().flatten();
            objects.extend(items.enumerate().map(|(at, value)| Object {
                document,
                path: root.key("items").index(at),
                value,
            }));
        }
        objects
    }

    /// Returns the value at a place.
    pub(super) fn value(&self, place: &Place) -> Option<&Value> {
        place.path.get(&self.documents.get(place.document)?.value)
    }

    /// Returns the node at a place, as it stands there: it may be an alias.
    pub(super) fn locate(&self, place: &Place) -> Option<NodeId> {
        let root = *self.roots.get(place.document)?;
        let steps = place.path.0.iter();
        steps
            .into_iter()
            .try_fold(root, |node, step| self.step(node, step))
    }

    fn step(&self, node: NodeId, step: &Step) -> Option<NodeId> {
        let node = self.outline.resolve(node);
        match (&self.outline.node(node).content, step) {
            (Content::List { items, .. }, Step::Index(index)) => items.get(*index).copied(),
            (Content::Mapping { .. }, Step::Key(key)) => self.field(node, key),
            _ => None,
        }
    }

    /// Returns the value of a key, its own one or a merged one.
    fn field(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        let fields = self.fields(mapping);
        fields
            .into_iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// Returns the fields of a mapping: its own ones, then those merged that it does not have itself.
    fn fields(&self, mapping: NodeId) -> Vec<(&str, NodeId)> {
        let Content::Mapping { entries, .. } = &self.outline.node(mapping).content else {
            return Vec::new();
        };
        let mut fields: Vec<(&str, NodeId)> = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in entries {
            match self.key_text(*key) {
                Some(text) if self.is_merge(*key) && text == "<<" => merged.push(*value),
                Some(text) => fields.push((text, *value)),
                None => {}
            }
        }
        if merged.is_empty() {
            return fields;
        }
        let mut names: HashSet<&str> = fields.iter().map(|(name, _)| *name).collect();
        for source in merged
            .into_iter()
            .flat_map(|source| self.merge_sources(source))
        {
            let others = self.fields(source).into_iter();
            fields.extend(others.filter(|(name, _)| names.insert(name)));
        }
        fields
    }

    fn merge_sources(&self, source: NodeId) -> Vec<NodeId> {
        let source = self.outline.resolve(source);
        match &self.outline.node(source).content {
            Content::List { items, .. } => items
                .iter()
                .map(|item| self.outline.resolve(*item))
                .collect(),
            _ => vec![source],
        }
    }

    pub(super) fn key_text(&self, key: NodeId) -> Option<&str> {
        match &self.outline.node(self.outline.resolve(key)).content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    fn is_merge(&self, key: NodeId) -> bool {
        let node = self.outline.node(key);
        !node.is_tagged && self.text.get(node.range.clone()) == Some("<<")
    }

    /// Returns the node that an edit of this place would change.
    pub(super) fn scalar(&self, place: &Place) -> Option<(NodeId, &Node)> {
        let id = self.outline.resolve(self.locate(place)?);
        Some((id, self.outline.node(id)))
    }

    /// Returns all places that an edit of a scalar changes; none if no alias is in the file.
    pub(super) fn uses(&self, node: NodeId) -> &[Place] {
        let is_alias = |node: &Node| matches!(node.content, Content::Alias(_));
        let uses = self.uses.get_or_init(|| {
            if self.outline.nodes().any(|(_, node)| is_alias(node)) {
                self.places()
            } else {
                BTreeMap::new()
            }
        });
        uses.get(&node).map_or(&[], Vec::as_slice)
    }

    /// Returns all places of each scalar, where aliases and merges show it more than once.
    pub(super) fn places(&self) -> BTreeMap<NodeId, Vec<Place>> {
        let mut places = BTreeMap::new();
        for (document, root) in self.roots.iter().enumerate() {
            let path = FieldPath::default();
            self.collect(*root, &Place { document, path }, &mut places);
        }
        places
    }

    /// Depth and amount are bounded: the same text was read into values before.
    fn collect(&self, node: NodeId, place: &Place, places: &mut BTreeMap<NodeId, Vec<Place>>) {
        let node = self.outline.resolve(node);
        let document = place.document;
        match &self.outline.node(node).content {
            Content::List { items, .. } => {
                for (at, item) in items.iter().enumerate() {
                    let path = place.path.index(at);
                    self.collect(*item, &Place { document, path }, places);
                }
            }
            Content::Mapping { .. } => {
                for (key, value) in self.fields(node) {
                    let path = place.path.key(key);
                    self.collect(value, &Place { document, path }, places);
                }
            }
            Content::Scalar { .. } => places.entry(node).or_default().push(place.clone()),
            Content::Alias(_) => {}
        }
    }

    /// Returns the object around a place, an item of a list included, and the way to it.
    pub(super) fn object_at(&self, place: &Place) -> Option<(FieldPath, &Value)> {
        let root = &self.documents.get(place.document)?.value;
        if is_list(root)
            && let [items @ Step::Key(key), item @ Step::Index(_), ..] = place.path.0.as_slice()
            && key == "items"
        {
            let path = FieldPath(vec![items.clone(), item.clone()]);
            return path.get(root).map(|value| (path.clone(), value));
        }
        Some((FieldPath::default(), root))
    }

    /// Returns the name of the object around a place: `Deployment/shop/web`.
    pub(super) fn object_name(&self, place: &Place) -> Option<String> {
        let (_, value) = self.object_at(place)?;
        object::id_of(value).ok().map(|id| id.to_string())
    }

    /// Returns the name of the container around a place.
    pub(super) fn container_name(&self, place: &Place) -> Option<String> {
        let steps = &place.path.0;
        let at = steps.windows(2).rposition(
            |pair| matches!(pair, [Step::Key(key), Step::Index(_)] if is_containers(key)),
        )?;
        let container = FieldPath(steps[..at + 2].to_vec());
        let root = &self.documents.get(place.document)?.value;
        let name = container.get(root)?.get("name")?.as_str()?;
        Some(name.to_owned())
    }
}

/// Whether a field is a list of containers.
pub(super) fn is_containers(key: &str) -> bool {
    matches!(key, "containers" | "initContainers" | "ephemeralContainers")
}

/// Whether a document is a list of objects.
pub(super) fn is_list(root: &Value) -> bool {
    root["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"))
        && root["items"].is_array()
}

/// Finds the root of each document; the outline also has those that are empty.
fn roots(outline: &Outline, documents: &[Document]) -> Vec<NodeId> {
    let mut all = outline.documents().iter();
    documents
        .iter()
        .filter_map(|document| {
            all.find(|id| outline.node(**id).line == document.line)
                .copied()
        })
        .collect()
}
