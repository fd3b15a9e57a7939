//! What a build may still spend: values that it makes, and time.
//!
//! Every step that touches an object or writes a text asks for it, so that nothing in the files,
//! however it multiplies, keeps a build going for long or makes it grow without end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value;

use crate::options::Limits;

/// The letters of a text that count as one value.
const TEXT: usize = 64;

const TIME: &str = "the build takes longer than it may";

/// What is left of the limits of a build; the default is without end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget(Option<Rc<Left>>);

#[derive(Debug)]
struct Left {
    values: Cell<usize>,
    limit: usize,
    deadline: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Some(Rc::new(Left {
            values: Cell::new(limits.values),
            limit: limits.values,
            deadline: limits.deadline,
        })))
    }

    /// Takes values from what is left.
    ///
    /// # Errors
    /// There are not so many left, or the time is over.
    pub(crate) fn spend(&self, values: usize) -> Result<(), String> {
        let Some(left) = &self.0 else {
            return Ok(());
        };
        if let Some(rest) = left.values.get().checked_sub(values) {
            left.values.set(rest);
        } else {
            // Nothing that comes after it may go on.
            left.values.set(0);
            return Err(too_many(left.limit));
        }
        match left.deadline {
            Some(deadline) if Instant::now() > deadline => Err(TIME.to_owned()),
            _ => Ok(()),
        }
    }

    /// Takes one change of an object, with a text that is written into it.
    pub(crate) fn spend_text(&self, text: &str) -> Result<(), String> {
        self.spend(1 + text.len() / TEXT)
    }

    /// Whether an error says that nothing is left.
    pub(crate) fn is_over(&self, error: &str) -> bool {
        let left = self.0.as_deref();
        error.contains(TIME) || left.is_some_and(|left| error.contains(&too_many(left.limit)))
    }
}

fn too_many(limit: usize) -> String {
    format!("the build makes more than {limit} values")
}

/// Returns how many values a value is, nested ones included.
pub(crate) fn weight(value: &Value) -> usize {
    let mut weight = 0usize;
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        weight += 1;
        match value {
            Value::String(text) => weight += text.len() / TEXT,
            Value::Array(items) => rest.extend(items),
            Value::Object(fields) => rest.extend(fields.values()),
            _ => {}
        }
    }
    weight
}

/// Returns how many values a text is.
pub(crate) fn text_weight(text: &str) -> usize {
    1 + text.len() / TEXT
}
