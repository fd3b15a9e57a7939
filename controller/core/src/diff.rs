//! Shows how two versions of an object differ, field by field, in words of the user.
//!
//! What only the server writes (status, managed fields, versions) is left out, and what is secret
//! is masked before anything is compared, so that a change is visible and its content never is.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::object::ObjectId;

mod lists;
mod mask;
mod render;
#[cfg(test)]
mod tests;

pub use mask::mask;
pub use render::{Style, render};

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where, such as `spec.template.spec.containers[name=app].image`.
    pub path: String,
    /// The value before; none when the field is new.
    pub before: Option<Value>,
    /// The value after; none when the field goes.
    pub after: Option<Value>,
}

/// How one object differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectChange {
    /// The object.
    pub id: ObjectId,
    /// What happens to it.
    pub kind: ChangeKind,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// It goes.
    Deleted,
    /// Some of its fields differ.
    Changed(Vec<FieldChange>),
    /// Nothing.
    Unchanged,
}

impl ObjectChange {
    /// Compares an object with what it shall become.
    ///
    /// Without either there is nothing to say, which is `Unchanged`.
    pub fn between(id: ObjectId, before: Option<&Value>, after: Option<&Value>) -> Self {
        let kind = match (before, after) {
            (None, None) => ChangeKind::Unchanged,
            (None, Some(_)) => ChangeKind::Created,
            (Some(_), None) => ChangeKind::Deleted,
            (Some(before), Some(after)) => match compare(before, after) {
                fields if fields.is_empty() => ChangeKind::Unchanged,
                fields => ChangeKind::Changed(fields),
            },
        };
        Self { id, kind }
    }

    /// Says whether anything differs.
    pub fn is_change(&self) -> bool {
        self.kind != ChangeKind::Unchanged
    }
}

/// Fields that only the server writes.
const SERVER_FIELDS: [(&str, &[&str]); 2] = [
    ("", &["status"]),
    (
        "metadata",
        &[
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ],
    ),
];

/// Returns the fields that differ, in the order of the fields of `after`, then those that go.
///
/// *Guarantees*: no value of a Secret, nor the last-applied annotation, is in the answer.
pub fn compare(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (before, after) = mask::mask_pair(before, after);
    let mut changes = Vec::new();
    Walk {
        path: Path::default(),
        changes: &mut changes,
    }
    .values(&before, &after);
    changes
}

/// A path that grows and shrinks on the way through a value.
#[derive(Default)]
struct Path(Vec<String>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            if place > 0 && !segment.starts_with('[') {
                f.write_str(".")?;
            }
            f.write_str(segment)?;
        }
        Ok(())
    }
}

/// Returns the segment of a key; one with dots or the like stands in brackets.
fn key_segment(key: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '$');
    if !key.is_empty() && key.chars().all(is_plain) {
        return key.to_owned();
    }
    format!("[{key}]")
}

struct Walk<'a> {
    path: Path,
    changes: &'a mut Vec<FieldChange>,
}

impl Walk<'_> {
    fn values(&mut self, before: &Value, after: &Value) {
        match (before, after) {
            (before, after) if before == after => {}
            (Value::Object(before), Value::Object(after)) => self.maps(before, after),
            (Value::Array(before), Value::Array(after)) => self.lists(before, after),
            (before, after) => self.record(Some(before), Some(after)),
        }
    }

    fn at(&mut self, segment: String, before: Option<&Value>, after: Option<&Value>) {
        self.path.0.push(segment);
        match (before, after) {
            (Some(before), Some(after)) => self.values(before, after),
            (before, after) => self.record(before, after),
        }
        self.path.0.pop();
    }

    fn maps(&mut self, before: &Map<String, Value>, after: &Map<String, Value>) {
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        for key in after.keys().chain(gone) {
            if !self.is_server_field(key) {
                self.at(key_segment(key), before.get(key), after.get(key));
            }
        }
    }

    fn is_server_field(&self, key: &str) -> bool {
        let parent = match self.path.0.as_slice() {
            [] => "",
            [parent] => parent,
            _ => return false,
        };
        SERVER_FIELDS
            .iter()
            .any(|(of, fields)| *of == parent && fields.contains(&key))
    }

    fn lists(&mut self, before: &[Value], after: &[Value]) {
        match lists::keyed(before, after) {
            Some((before, after)) => self.keyed(&before, &after),
            None => self.indexed(before, after),
        }
    }

    fn keyed(&mut self, before: &lists::Keyed<'_>, after: &lists::Keyed<'_>) {
        for (key, value) in &after.items {
            self.at(format!("[{key}]"), before.get(key), Some(value));
        }
        for (key, value) in &before.items {
            if after.get(key).is_none() {
                self.at(format!("[{key}]"), Some(value), None);
            }
        }
        let kept = |of: &lists::Keyed<'_>, other: &lists::Keyed<'_>| -> Vec<Value> {
            let keys = of.items.iter().map(|(key, _)| key);
            keys.filter(|key| other.get(key).is_some())
                .map(|key| Value::from(key.clone()))
                .collect()
        };
        let (old_order, new_order) = (kept(before, after), kept(after, before));
        if old_order != new_order {
            self.path.0.push("[order]".to_owned());
            self.record(Some(&old_order.into()), Some(&new_order.into()));
            self.path.0.pop();
        }
    }

    /// Items without a key: what both ends have in common is the same, the middle differs.
    fn indexed(&mut self, before: &[Value], after: &[Value]) {
        let (start, end) = lists::common_ends(before, after);
        let middle_end = |items: &[Value]| items.len() - end;
        for place in start..middle_end(before).max(middle_end(after)) {
            let old = before.get(place).filter(|_| place < middle_end(before));
            let new = after.get(place).filter(|_| place < middle_end(after));
            self.at(format!("[{place}]"), old, new);
        }
    }

    fn record(&mut self, before: Option<&Value>, after: Option<&Value>) {
        self.changes.push(FieldChange {
            path: self.path.to_string(),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// Returns the paths of the changes without repetition, for events and the status.
pub fn paths(changes: &[FieldChange]) -> BTreeSet<&str> {
    changes.iter().map(|change| change.path.as_str()).collect()
}
