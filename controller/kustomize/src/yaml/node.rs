//! A YAML text as a tree that keeps its styles and comments, for texts that are changed and written again.
//!
//! Where kustomize changes a YAML text that stands in a field, it writes the whole text anew, and the bytes count:
//! they are data. So comments belong to the same nodes here, and everything is written in the same form.

mod comments;
mod cursor;
mod flow;
mod read;
mod scan;
mod text;
mod write;

use serde_json::Value;

use super::{emit, scalar};

pub(super) use text::folded_again;

/// One document of a text, the first.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The comment above it, set off by an empty line.
    head: String,
    pub(crate) root: Node,
    /// The comment below it.
    foot: String,
}

/// A value with all that belongs to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    content: Content,
    anchor: Option<String>,
    /// The tag as it is written.
    tag: Option<String>,
    /// The comment on the lines above, beside it and on the lines below.
    head: String,
    line: String,
    foot: String,
}

#[derive(Debug, Clone)]
enum Content {
    Scalar {
        text: String,
        style: Style,
        /// Whether it is text, so that it needs quotes where it would read as something else.
        is_text: bool,
    },
    Alias(String),
    List {
        items: Vec<Node>,
        is_flow: bool,
    },
    Mapping {
        entries: Vec<(Node, Node)>,
        is_flow: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

impl Default for Content {
    fn default() -> Self {
        Self::Scalar {
            text: String::new(),
            style: Style::Plain,
            is_text: false,
        }
    }
}

impl From<Content> for Node {
    fn from(content: Content) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Content::List {
                items: items.iter().map(Self::from).collect(),
                is_flow: false,
            }
            .into(),
            Value::Object(fields) => {
                let entries = fields.iter();
                let entries = entries.map(|(key, value)| (Self::clear(key), Self::from(value)));
                Content::Mapping {
                    entries: entries.collect(),
                    is_flow: false,
                }
                .into()
            }
            Value::String(text) => Self::clear(text),
            value => Self::plain(&value.to_string()),
        }
    }
}

impl Text {
    /// Reads the first document of a text; `None` for what is no YAML, or of a form that nobody writes.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (tokens, comments) = scan::scan(text)?;
        read::read(tokens, comments)
    }

    /// Writes it as kustomize does.
    pub(crate) fn write(&self) -> String {
        write::write(self)
    }
}

impl Node {
    /// A scalar without quotes, whatever that makes of it.
    pub(crate) fn plain(text: &str) -> Self {
        Content::Scalar {
            text: text.to_owned(),
            style: Style::Plain,
            is_text: false,
        }
        .into()
    }

    /// A text that is one for every reader.
    fn clear(text: &str) -> Self {
        let is_clear = text.contains('\n') || emit::is_string(text);
        Content::Scalar {
            text: text.to_owned(),
            style: if is_clear {
                Style::Plain
            } else {
                Style::DoubleQuoted
            },
            is_text: true,
        }
        .into()
    }

    /// An empty list.
    pub(crate) fn list() -> Self {
        Self::from(&Value::Array(Vec::new()))
    }

    /// An empty mapping.
    pub(crate) fn mapping() -> Self {
        Self::from(&Value::Object(serde_json::Map::new()))
    }

    /// Returns the text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Changes the text of a scalar, which keeps its quotes.
    ///
    /// What was text is so again, also if it reads as a number now; anything else takes the type of the new text.
    pub(crate) fn set_text(&mut self, new: String) {
        if let Content::Scalar {
            text,
            style,
            is_text,
        } = &mut self.content
        {
            let same = scalar::plain_tag(text) == scalar::plain_tag(&new);
            if *style == Style::Plain && !*is_text && !same {
                self.tag = None;
            }
            *text = new;
        }
    }

    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self.content, Content::Mapping { .. })
    }

    /// Tells whether it is a scalar without a value.
    pub(crate) fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar { text, style, .. } => {
                *style == Style::Plain && scalar::plain_tag(text) == "!!null"
            }
            _ => false,
        }
    }

    /// Returns the items of a list.
    pub(crate) fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.content {
            Content::List { items, .. } => Some(items),
            _ => None,
        }
    }

    /// Returns a field of a mapping.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        match &self.content {
            Content::Mapping { entries, .. } => entries
                .iter()
                .find(|(key, _)| key.text() == Some(name))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns a field of a mapping to be changed.
    pub(crate) fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        match &mut self.content {
            Content::Mapping { entries, .. } => entries
                .iter_mut()
                .find(|(key, _)| key.text() == Some(name))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Adds a field to a mapping.
    pub(crate) fn add_field(&mut self, name: &str, value: Self) {
        if let Content::Mapping { entries, .. } = &mut self.content {
            entries.push((Self::plain(name), value));
        }
    }
}

#[cfg(test)]
mod tests;
