//! How values are written, where that is not how they are printed.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle, Span};
use serde_json::Value;

use super::{Composer, Content, Key};
use crate::yaml::{Dialect, Notation};

/// A value that is left out is no `~`, which is what the parser makes of it.
pub(super) fn as_written<'e>(event: Event<'e>, span: Span, source: &str) -> Event<'e> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, anchor, None) if text == "~" => {
            let start = span.start.byte_offset();
            let first = start.and_then(|at| source.as_bytes().get(at));
            let text = if first == Some(&b'~') {
                text
            } else {
                Cow::Borrowed("")
            };
            Event::Scalar(text, ScalarStyle::Plain, anchor, None)
        }
        event => event,
    }
}

impl Composer<'_> {
    /// Notes how a value is written, if that is not how it is printed.
    pub(super) fn note(&mut self, value: Option<&Value>, text: &str) {
        let same = match value {
            Some(Value::String(value)) => value == text,
            Some(Value::Number(value)) => value.to_string() == text,
            Some(Value::Bool(value)) => text == if *value { "true" } else { "false" },
            Some(Value::Null) => text == "null",
            _ => true,
        };
        if !same && self.dialect == Dialect::Manifest && !self.expects_key() {
            self.notations.push(Notation {
                pointer: self.pointer(),
                text: text.to_owned(),
            });
        }
    }

    /// Notes a folded text, unless it is an item or in one: merging moves items.
    pub(super) fn note_folded(&mut self, text: &str) {
        let is_list = |content: &Content| matches!(content, Content::Sequence(_));
        if !self.expects_key() && !self.frames.iter().any(|frame| is_list(&frame.content)) {
            let (pointer, text) = (self.pointer(), text.to_owned());
            self.folded.push(Notation { pointer, text });
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
