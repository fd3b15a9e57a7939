//! Manifests on their way through a build.

mod folded;
mod parse;
mod set;
mod shared;
mod texts;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::build::Origin;
use crate::explain::Change;
use crate::gvk::{GvkRef, IdRef};
use crate::yaml::{self, Notation};

pub(crate) use parse::from_documents;
pub(crate) use set::Resources;
pub(crate) use shared::Shared;

/// A manifest with what the build remembers of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    /// How some of its values were written.
    pub(crate) notations: Vec<Notation>,
    /// Folded texts, as they are written.
    folded: Vec<Notation>,
    /// Labels that a generator made, by their pointers: what is written over them is text.
    pub(crate) made_labels: Vec<String>,
    /// Texts in several places that change together.
    pub(crate) shared: Vec<Shared>,
    /// The names it had, the oldest first.
    pub(crate) previous: Vec<Previous>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) suffixes: Vec<String>,
    /// Whether its name gets a hash of its content at the end.
    pub(crate) needs_hash: bool,
    /// Variables whose value is taken from it.
    pub(crate) variables: Vec<String>,
    pub(crate) trace: Trace,
    /// What kustomizations changed, and what it was before the step that is going on; only if a
    /// build explains itself.
    pub(crate) changes: Vec<Change>,
    pub(crate) before: Option<Box<Value>>,
}

/// A name that a resource had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// What `buildMetadata` can say about a resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) origin: Option<Value>,
    pub(crate) transformations: Vec<Value>,
}

impl Resource {
    pub(crate) fn new(value: Value, origin: Origin) -> Self {
        Self {
            value,
            origin,
            ..Self::default()
        }
    }

    pub(crate) fn gvk(&self) -> GvkRef<'_> {
        GvkRef::of(&self.value)
    }

    pub(crate) fn id(&self) -> IdRef<'_> {
        IdRef::of(&self.value)
    }

    pub(crate) fn name(&self) -> &str {
        self.id().name
    }

    /// Returns the ids that it had, the oldest first.
    pub(crate) fn previous_ids(&self) -> impl DoubleEndedIterator<Item = IdRef<'_>> {
        let gvk = self.gvk();
        self.previous.iter().map(move |previous| IdRef {
            gvk: GvkRef {
                kind: &previous.kind,
                ..gvk
            },
            name: &previous.name,
            namespace: &previous.namespace,
        })
    }

    /// Returns the ids that it had and has.
    pub(crate) fn any_ids(&self) -> impl Iterator<Item = IdRef<'_>> {
        self.previous_ids().chain([self.id()])
    }

    /// Returns the id that it had first.
    pub(crate) fn original_id(&self) -> IdRef<'_> {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Remembers its id, which is about to change.
    pub(crate) fn remember_id(&mut self) {
        let id = self.id();
        let previous = Previous {
            kind: id.gvk.kind.to_owned(),
            name: id.name.to_owned(),
            namespace: id.effective_namespace().to_owned(),
        };
        self.previous.push(previous);
    }

    /// Returns how a value of this resource was written, if that is not how it is printed.
    pub(crate) fn notation(&self, value: &Value) -> Option<&str> {
        // What has changed since it was written has no notation any more.
        let is_meant = |notation: &&Notation| {
            let there = self.value.pointer(&notation.pointer);
            there.is_some_and(|there| std::ptr::eq(there, value))
                && yaml::resolve_plain(&notation.text).as_ref() == Some(value)
        };
        let found = self.notations.iter().rev().find(is_meant);
        found.map(|notation| notation.text.as_str())
    }

    /// Forgets how anything was written.
    pub(crate) fn forget_notations(&mut self) {
        self.notations.clear();
        self.folded.clear();
    }

    /// Returns the metadata, made if it is missing.
    pub(crate) fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        child_mut(&mut self.value, "metadata")
    }

    pub(crate) fn set_name(&mut self, name: String) {
        self.metadata_mut().insert("name".to_owned(), name.into());
    }

    /// Returns a label or annotation.
    pub(crate) fn text(&self, field: &str, key: &str) -> Option<Cow<'_, str>> {
        let value = self.value.get("metadata")?.get(field)?.get(key)?;
        let is_plain = !value.is_array() && !value.is_object();
        is_plain.then(|| self.written(value))
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<Cow<'_, str>> {
        self.text("annotations", name)
    }
}

/// Returns a mapping in a mapping, made if it is missing; what is no mapping gives way.
pub(crate) fn child_mut<'v>(value: &'v mut Value, field: &str) -> &'v mut Map<String, Value> {
    let fields = object_mut(value);
    object_mut(fields.entry(field).or_insert(Value::Null))
}

/// Returns a field of a mapping, made null if it is missing.
pub(crate) fn field_mut<'v>(value: &'v mut Value, field: &str) -> &'v mut Value {
    object_mut(value).entry(field).or_insert(Value::Null)
}

fn object_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("it was made a mapping"),
    }
}
