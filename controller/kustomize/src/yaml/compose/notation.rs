//! How values are written, where that is not how they are printed.

use serde_json::Value;

use super::{Composer, Content, Key};
use crate::yaml::{Dialect, Notation};

impl Composer<'_> {
    /// Notes how a value is written, if that is not how it is printed.
    pub(super) fn note(&mut self, value: Option<&Value>, text: &str) {
        let same = match value {
            Some(Value::String(value)) => value == text,
            Some(Value::Number(value)) => value.to_string() == text,
            Some(Value::Bool(value)) => text == if *value { "true" } else { "false" },
            _ => true,
        };
        if !same && self.dialect == Dialect::Manifest && !self.expects_key() {
            self.notations.push(Notation {
                pointer: self.pointer(),
                text: text.to_owned(),
            });
        }
    }

    /// Where the value that comes next will be.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            pointer.push('/');
            match &frame.content {
                Content::Sequence(items) => pointer.push_str(&items.len().to_string()),
                Content::Mapping {
                    key: Some(Key::Field(name)),
                    ..
                } => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Content::Mapping { .. } => {}
            }
        }
        pointer
    }
}
