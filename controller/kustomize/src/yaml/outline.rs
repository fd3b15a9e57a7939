//! Where everything stands in a YAML text: for those who change a few bytes and keep the rest.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};
use serde_json::Value;

use super::{Dialect, emit, scalar};
use crate::Error;

/// Comments in a row; the parser keeps them until it knows what they belong to.
const MAX_COMMENTS: usize = 1_000_000;

/// The byte order mark at the beginning of a text.
const BOM: char = '\u{feff}';

/// The nodes and comments of a YAML text, with the bytes that they stand at.
///
/// It says where things are, not what they mean: that is for [`parse_yaml`](crate::parse_yaml),
/// which also checks more. Aliases are not replaced, merge keys not merged.
///
/// ```
/// use flux_kustomize::{Content, Outline};
///
/// let text = "image: 'nginx:1.0' # here\n";
/// let outline = Outline::new(text, "x.yaml")?;
/// let document = outline.node(outline.documents()[0]);
/// let Content::Mapping { entries, .. } = &document.content else { unreachable!() };
/// assert_eq!(&text[outline.node(entries[0].1).range.clone()], "'nginx:1.0'");
/// assert_eq!(outline.comments()[0].text, " here");
/// # Ok::<(), flux_kustomize::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Outline {
    nodes: Vec<Node>,
    documents: Vec<NodeId>,
    comments: Vec<Comment>,
}

/// A node of the [`Outline`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

/// A value, or the key of one.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Its bytes: a scalar with its quotes, without anchor and tag; the lines of a block scalar without
    /// what stands in front of them. A block of other nodes ends behind the last of them.
    pub range: Range<usize>,
    /// The line of its first byte, from 1.
    pub line: usize,
    /// Whether it has an anchor.
    pub is_anchored: bool,
    /// Whether it has a tag.
    pub is_tagged: bool,
}

/// What a [`Node`] is.
#[derive(Debug, Clone)]
pub enum Content {
    /// A scalar.
    Scalar {
        /// The text that it means, without quotes.
        text: String,
        /// How it is written.
        style: Style,
    },
    /// A list.
    List {
        /// Its items.
        items: Vec<NodeId>,
        /// Whether it is written in brackets.
        is_flow: bool,
    },
    /// A mapping.
    Mapping {
        /// Its keys and values, in the order of the text.
        entries: Vec<(NodeId, NodeId)>,
        /// Whether it is written in braces.
        is_flow: bool,
    },
    /// An alias of this node, which stands before it.
    Alias(NodeId),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// A block of lines behind `|` or `>`.
    Block,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What stands behind the `#`.
    pub text: String,
    /// Its bytes, from the `#` to the end of the line.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
}

impl Outline {
    /// Reads a text; `path` is only used to say where an error is.
    pub fn new(text: &str, path: &str) -> Result<Self, Error> {
        let body = text.strip_prefix(BOM).unwrap_or(text);
        let mut reader = Reader {
            outline: Self::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
            offset: text.len() - body.len(),
            path,
        };
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(true);
        options.block_scalar_eof_without_line_feed = true;
        options.max_buffered_comment_events = MAX_COMMENTS;
        for event in Parser::new_from_str_with_options(body, options) {
            let (event, span) = event.map_err(|error| {
                Error::new(path, format!("invalid YAML: {}", error.info()))
                    .line(error.marker().line())
            })?;
            reader.event(event, span)?;
        }
        Ok(reader.outline)
    }

    /// Returns the root of each document, also of those that are empty.
    pub fn documents(&self) -> &[NodeId] {
        &self.documents
    }

    /// Returns the comments in the order of the text.
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Returns a node.
    pub fn node(&self, id: NodeId) -> &Node {
        // An id comes from this outline.
        &self.nodes[id.0]
    }

    /// Returns all nodes in the order of the text; a collection stands before what is in it.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (NodeId(at), node))
    }

    /// Returns what an alias stands for, and any other node as it is.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match self.node(id).content {
            Content::Alias(target) => target,
            _ => id,
        }
    }
}

/// Writes a text as a scalar of a style, in one line; `None` for blocks, and for text that has no such form.
///
/// Without quotes if it reads back as this text without them, else with quotes.
pub fn write_scalar(text: &str, style: Style) -> Option<String> {
    let written = match style {
        Style::Block => return None,
        Style::SingleQuoted if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        Style::Plain if is_plain(text) => text.to_owned(),
        Style::Plain if !text.contains(char::is_control) => {
            emit::to_yaml(&Value::from(text)).trim_end().to_owned()
        }
        Style::Plain | Style::DoubleQuoted | Style::SingleQuoted => emit::double_quoted_text(text),
    };
    (!written.contains(['\n', '\r'])).then_some(written)
}

/// Whether a text of harmless characters is text for every reader: `1.10.2`, but not `1.10`.
fn is_plain(text: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
    let is_text = |dialect| scalar::resolve(text, dialect).is_ok_and(|value| value.is_string());
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_harmless)
        && !text.ends_with(':')
        && is_text(Dialect::Manifest)
        && is_text(Dialect::Configuration)
        && !scalar::is_float(text)
        // What only some readers take for a number: `12:30:45`, `0o17`, a date.
        && !text.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'-')
}

/// A collection whose end is not read yet, with the key that waits for its value.
struct Open {
    id: NodeId,
    anchor: usize,
    key: Option<NodeId>,
}

struct Reader<'p> {
    outline: Outline,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    /// Bytes before the text that the parser sees.
    offset: usize,
    path: &'p str,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        let is_tagged = span.tag_start().is_some();
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let content = Content::Scalar {
                    text: text.into_owned(),
                    style: style_of(style),
                };
                let id = self.add(content, span, anchor, is_tagged)?;
                if anchor != 0 {
                    self.anchors.insert(anchor, id);
                }
            }
            Event::SequenceStart(style, anchor, _) => {
                let content = Content::List {
                    items: Vec::new(),
                    is_flow: style == StructureStyle::Flow,
                };
                self.begin(content, span, anchor, is_tagged)?;
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    is_flow: style == StructureStyle::Flow,
                };
                self.begin(content, span, anchor, is_tagged)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => {
                let line = span.start.line();
                let target = *self.anchors.get(&anchor).ok_or_else(|| {
                    Error::new(self.path, "an alias stands inside its own anchor").line(line)
                })?;
                self.add(Content::Alias(target), span, 0, false)?;
            }
            Event::Comment(text, _) => {
                let comment = Comment {
                    text: text.trim_end_matches('\r').to_owned(),
                    range: self.range(span)?,
                    line: span.start.line(),
                };
                self.outline.comments.push(comment);
            }
            Event::DocumentStart(..) => self.anchors.clear(),
            _ => {}
        }
        Ok(())
    }

    fn range(&self, span: Span) -> Result<Range<usize>, Error> {
        let range = span.byte_range().ok_or_else(|| {
            Error::new(self.path, "a place has no position").line(span.start.line())
        })?;
        Ok(range.start + self.offset..range.end + self.offset)
    }

    /// Adds a node to the collection around it, or as a document.
    fn add(
        &mut self,
        content: Content,
        span: Span,
        anchor: usize,
        is_tagged: bool,
    ) -> Result<NodeId, Error> {
        let id = NodeId(self.outline.nodes.len());
        let range = self.range(span)?;
        self.outline.nodes.push(Node {
            content,
            range,
            line: span.start.line(),
            is_anchored: anchor != 0,
            is_tagged,
        });
        let Some(open) = self.open.last_mut() else {
            self.outline.documents.push(id);
            return Ok(id);
        };
        match &mut self.outline.nodes[open.id.0].content {
            Content::List { items, .. } => items.push(id),
            Content::Mapping { entries, .. } => match open.key.take() {
                Some(key) => entries.push((key, id)),
                None => open.key = Some(id),
            },
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
        Ok(id)
    }

    fn begin(
        &mut self,
        content: Content,
        span: Span,
        anchor: usize,
        is_tagged: bool,
    ) -> Result<(), Error> {
        let id = self.add(content, span, anchor, is_tagged)?;
        self.open.push(Open {
            id,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Error> {
        let Some(Open { id, anchor, .. }) = self.open.pop() else {
            return Ok(());
        };
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        let last = match &self.outline.node(id).content {
            Content::List { items, is_flow } if !is_flow => items.last(),
            Content::Mapping { entries, is_flow } if !is_flow => entries.last().map(|(_, v)| v),
            _ => None,
        };
        let end = match last {
            Some(last) => self.outline.node(*last).range.end,
            None => self.range(span)?.end,
        };
        let range = &mut self.outline.nodes[id.0].range;
        range.end = end.max(range.start);
        Ok(())
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

#[cfg(test)]
mod tests;
