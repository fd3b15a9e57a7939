//! What Kubernetes wants as text, and people forget to quote: it is the text that they wrote.

use std::borrow::Cow;

use serde_json::Value;

use super::Resource;
use crate::fieldpath::text_of;
use crate::fieldspec::escaped;
use crate::yaml::{self, Notation};

const ANNOTATIONS: &str = "/metadata/annotations";

/// Makes text of the name of an object.
pub(super) fn quote_name(value: &mut Value, notations: &[Notation]) {
    let Some(name) = value.pointer_mut("/metadata/name") else {
        return;
    };
    if is_bare(name) {
        let notation = notations.iter().find(|n| n.pointer == "/metadata/name");
        let text = notation.map_or_else(|| text_of(name), |notation| notation.text.clone());
        *name = Value::String(text);
    }
}

fn is_bare(value: &Value) -> bool {
    value.is_number() || value.is_boolean()
}

impl Resource {
    /// Returns the text of a plain value of this resource as it is written.
    pub(crate) fn written<'r>(&'r self, value: &'r Value) -> Cow<'r, str> {
        match (self.notation(value), value) {
            (Some(text), _) => text.into(),
            (None, Value::String(text)) => text.into(),
            (None, value) => text_of(value).into(),
        }
    }

    /// Makes text of annotations that are numbers or booleans.
    pub(crate) fn quote_annotations(&mut self) {
        self.quote(ANNOTATIONS);
    }

    /// Makes text of labels that are numbers or booleans.
    pub(crate) fn quote_labels(&mut self) {
        self.quote("/metadata/labels");
    }

    fn quote(&mut self, pointer: &str) {
        let bare = self.bare(pointer);
        let texts: Vec<(String, String)> = bare
            .map(|(key, value)| (key.clone(), self.written(value).into_owned()))
            .collect();
        if let Some(fields) = self
            .value
            .pointer_mut(pointer)
            .and_then(Value::as_object_mut)
        {
            for (key, text) in texts {
                fields.insert(key, Value::String(text));
            }
        }
    }

    /// Notes how all annotations without quotes are written, also those that are printed so.
    pub(super) fn note_annotations(&mut self) {
        let notes: Vec<Notation> = self
            .bare(ANNOTATIONS)
            .map(|(key, value)| Notation {
                pointer: format!("{ANNOTATIONS}/{}", escaped(key)),
                text: self.written(value).into_owned(),
            })
            .collect();
        self.notations.extend(notes);
    }

    /// Makes what they would be as JSON of annotations that were written without quotes.
    pub(crate) fn unquote_annotations(&mut self) {
        for notation in &self.notations {
            let is_annotation = notation
                .pointer
                .strip_prefix(ANNOTATIONS)
                .is_some_and(|key| key.starts_with('/'));
            if is_annotation
                && let Some(annotation) = self.value.pointer_mut(&notation.pointer)
                && *annotation == notation.text
                && let Some(value) = yaml::resolve_plain(&notation.text)
            {
                *annotation = value;
            }
        }
    }

    /// Notes how a value is written that stands at an address in this resource.
    pub(crate) fn note_written(&mut self, address: *const Value, text: &str) {
        if let Some(pointer) = pointer_to(&self.value, address) {
            let text = text.to_owned();
            self.notations.push(Notation { pointer, text });
        }
    }

    /// Forgets that annotations were written without quotes: they are written anew.
    pub(crate) fn forget_written_annotations(&mut self) {
        self.notations
            .retain(|notation| !notation.pointer.starts_with(ANNOTATIONS));
    }

    fn bare(&self, pointer: &str) -> impl Iterator<Item = (&String, &Value)> {
        let fields = self.value.pointer(pointer).and_then(Value::as_object);
        let fields = fields.into_iter().flatten();
        // A date is text, but not that which is written.
        let is_date = |value| self.notation(value).is_some();
        fields.filter(move |(_, value)| is_bare(value) || value.is_string() && is_date(value))
    }
}

/// Returns the JSON pointer to what stands at an address in a value.
fn pointer_to(value: &Value, address: *const Value) -> Option<String> {
    let below = |part: &str, inner: &Value| {
        let rest = pointer_to(inner, address)?;
        Some(format!("/{}{rest}", escaped(part)))
    };
    match value {
        value if std::ptr::eq(value, address) => Some(String::new()),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| below(name, field)),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| below(&at.to_string(), item))
        }
        _ => None,
    }
}
