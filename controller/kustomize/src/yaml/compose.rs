//! From the parser's events to JSON values.

mod lines;
mod notation;

use std::collections::HashMap;
use std::fmt::Write as _;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::node::folded_again;
use super::{Dialect, Document, Notation, scalar};
use crate::{Error, budget};

pub(crate) use lines::Lines;

/// Nodes of one file; a long text counts as several.
const MAX_NODES: usize = 4_000_000;

/// Nodes that the aliases of one file may expand to.
const MAX_ALIASED_NODES: usize = 200_000;

/// Nodes that are kept for aliases; what stands in several anchors counts for each.
const MAX_ANCHORED_NODES: usize = 1_000_000;

/// Levels of nesting after aliases are resolved; the parser itself stops at 255.
const MAX_DEPTH: usize = 512;

/// Reads all documents, empty ones as null.
pub(super) fn parse(bytes: &[u8], path: &str, dialect: Dialect) -> Result<Vec<Document>, Error> {
    let mut composer = Composer::new(path, dialect, false);
    composer.run(text_of(bytes, path)?)?;
    Ok(composer.documents.into_iter().map(|(doc, _)| doc).collect())
}

/// Reads all documents of manifests that a build writes again.
pub(super) fn parse_manifests(bytes: &[u8], path: &str) -> Result<Vec<Document>, Error> {
    let mut composer = Composer::new(path, Dialect::Manifest, false);
    composer.is_written_again = true;
    composer.run(text_of(bytes, path)?)?;
    Ok(composer.documents.into_iter().map(|(doc, _)| doc).collect())
}

/// Reads all documents with the line of every field.
pub(crate) fn parse_lines(
    bytes: &[u8],
    path: &str,
    dialect: Dialect,
) -> Result<Vec<(Document, Lines)>, Error> {
    let mut composer = Composer::new(path, dialect, true);
    composer.run(text_of(bytes, path)?)?;
    Ok(composer.documents)
}

/// Reads a file of settings in which no key may stand twice, and where its fields stand.
pub(crate) fn parse_unique(bytes: &[u8], path: &str) -> Result<Vec<(Document, Lines)>, Error> {
    let mut composer = Composer::new(path, Dialect::Configuration, true);
    composer.is_unique = true;
    composer.run(text_of(bytes, path)?)?;
    Ok(composer.documents)
}

fn text_of<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        Error::new(path, "the file is not UTF-8 text").line(line)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A collection that is being read.
struct Frame {
    content: Content,
    anchor: usize,
    line: usize,
    size: Size,
    /// Length of the composer's path outside it.
    path_len: usize,
}

/// How much a value is, so that aliases stay within bounds.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

impl Size {
    fn of_scalar(text: &str) -> Self {
        Self {
            nodes: budget::text_weight(text),
            depth: 0,
        }
    }
}

enum Content {
    Sequence(Vec<Value>),
    Mapping {
        fields: Map<String, Value>,
        key: Option<Key>,
        merges: Vec<Value>,
    },
}

enum Key {
    Field(String),
    Merge,
}

struct Composer<'p> {
    file: &'p str,
    dialect: Dialect,
    /// Whether a key that stands twice is an error.
    is_unique: bool,
    /// Whether folded text changes as it does when kustomize writes and reads it once.
    is_written_again: bool,
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Value, Size)>,
    aliased: usize,
    anchored: usize,
    nodes: usize,
    documents: Vec<(Document, Lines)>,
    lines: Option<Lines>,
    notations: Vec<Notation>,
    folded: Vec<Notation>,
    path: String,
}

impl<'p> Composer<'p> {
    fn new(file: &'p str, dialect: Dialect, lines: bool) -> Self {
        Self {
            file,
            dialect,
            is_unique: dialect != Dialect::Configuration,
            is_written_again: false,
            frames: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            anchored: 0,
            nodes: 0,
            documents: Vec::new(),
            lines: lines.then(Lines::default),
            notations: Vec::new(),
            folded: Vec::new(),
            path: String::new(),
        }
    }

    fn run(&mut self, text: &str) -> Result<(), Error> {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        // Kubernetes' tools cut manifests at `---` before they look for directives.
        options.disallow_directives = self.dialect != Dialect::Configuration;
        options.block_scalar_eof_without_line_feed = true;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| {
                Error::new(self.file, format!("invalid YAML: {}", error.info()))
                    .line(error.marker().line())
            })?;
            self.event(notation::as_written(event, span, text), span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let size = Size::of_scalar(&text);
                self.count(size.nodes, line)?;
                match self.scalar(&text, style, tag.as_deref(), line)? {
                    Some(value) => self.place(value, size, anchor, line),
                    None => Ok(()),
                }
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Content::Sequence(Vec::new()), anchor, line)
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping {
                    fields: Map::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.open(content, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(line),
            Event::Alias(id) => self.alias(id, line),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fail(&self, line: usize, message: impl Into<String>) -> Error {
        Error::new(self.file, message).line(line)
    }

    /// Returns the value of a scalar; `None` for the `<<` that begins a merge.
    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<Option<Value>, Error> {
        let plain = style == ScalarStyle::Plain && tag.is_none();
        if plain && text == "<<" && self.expects_key() {
            self.set_key(Key::Merge);
            return Ok(None);
        }
        let value = if plain {
            let value = scalar::resolve(text, self.dialect);
            self.note(value.as_ref().ok(), text);
            value
        } else if let Some(core) = tag.and_then(scalar::core_type) {
            scalar::resolve_tagged(core, text, self.dialect)
        } else if style == ScalarStyle::Folded && self.is_written_again {
            self.note_folded(text);
            Ok(Value::String(folded_again(text)))
        } else {
            Ok(Value::String(text.to_owned()))
        };
        value
            .map(Some)
            .map_err(|_| self.fail(line, format!("the value {text} cannot be written as JSON")))
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Error> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(self.fail(line, format!("the file has more than {MAX_NODES} values")));
        }
        Ok(())
    }

    fn set_key(&mut self, name: Key) {
        if let Some(Content::Mapping { key, .. }) = self.frames.last_mut().map(|f| &mut f.content) {
            *key = Some(name);
        }
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.frames.last().map(|frame| &frame.content),
            Some(Content::Mapping { key: None, .. })
        )
    }

    fn open(&mut self, content: Content, anchor: usize, line: usize) -> Result<(), Error> {
        if self.expects_key() {
            return Err(self.fail(line, "a key must be a string, not a list or mapping"));
        }
        self.count(1, line)?;
        let path_len = self.enter(line);
        self.frames.push(Frame {
            content,
            anchor,
            line,
            size: Size { nodes: 1, depth: 1 },
            path_len,
        });
        Ok(())
    }

    /// Goes into the item that comes next, when lines are wanted; returns the length to go back to.
    fn enter(&mut self, line: usize) -> usize {
        let length = self.path.len();
        let Some(lines) = &mut self.lines else {
            return length;
        };
        match self.frames.last().map(|frame| &frame.content) {
            Some(Content::Sequence(items)) => {
                write!(self.path, "[{}]", items.len()).expect("writing to a string");
                lines.0.insert(self.path.clone(), line);
            }
            Some(Content::Mapping {
                key: Some(Key::Field(key)),
                ..
            }) => {
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.path.push_str(key);
            }
            _ => {}
        }
        length
    }

    fn close(&mut self, line: usize) -> Result<(), Error> {
        let Some(frame) = self.frames.pop() else {
            return Err(self.fail(line, "invalid YAML: a collection ends that never began"));
        };
        self.path.truncate(frame.path_len);
        let value = match frame.content {
            Content::Sequence(items) => Value::Array(items),
            Content::Mapping { fields, merges, .. } => Value::Object(merge(fields, merges)),
        };
        self.place(value, frame.size, frame.anchor, frame.line)
    }

    fn alias(&mut self, id: usize, line: usize) -> Result<(), Error> {
        let Some((value, size)) = self.anchors.get(&id) else {
            return Err(self.fail(line, "an alias stands inside its own anchor"));
        };
        self.aliased += size.nodes;
        if self.aliased > MAX_ALIASED_NODES || self.frames.len() + size.depth > MAX_DEPTH {
            return Err(self.fail(line, "the aliases of this file expand to too much"));
        }
        let (value, size) = (value.clone(), *size);
        self.place(value, size, 0, line)
    }

    /// Puts a finished value where it belongs: a document, an item, a key or a field.
    fn place(&mut self, value: Value, size: Size, anchor: usize, line: usize) -> Result<(), Error> {
        if anchor != 0 {
            self.anchored += size.nodes;
            if self.anchored > MAX_ANCHORED_NODES {
                return Err(self.fail(line, "the anchors of this file hold too much"));
            }
            self.anchors.insert(anchor, (value.clone(), size));
        }
        if self.expects_key() {
            return self.key(value, line);
        }
        // A collection was entered when it was opened.
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            let length = self.enter(line);
            self.path.truncate(length);
        }
        let is_unique = self.is_unique;
        let Some(frame) = self.frames.last_mut() else {
            let lines = self.lines.as_mut().map(std::mem::take);
            let document = Document {
                value,
                line,
                notations: std::mem::take(&mut self.notations),
                folded: std::mem::take(&mut self.folded),
            };
            self.documents.push((document, lines.unwrap_or_default()));
            return Ok(());
        };
        frame.size.nodes += size.nodes;
        frame.size.depth = frame.size.depth.max(size.depth + 1);
        match &mut frame.content {
            Content::Sequence(items) => items.push(value),
            Content::Mapping {
                fields,
                key,
                merges,
            } => match key.take() {
                Some(Key::Field(name)) => match fields.entry(name) {
                    Entry::Occupied(known) if is_unique => {
                        let message = format!("the key {:?} stands twice", known.key());
                        return Err(self.fail(line, message));
                    }
                    Entry::Occupied(mut known) => *known.get_mut() = value,
                    Entry::Vacant(place) => {
                        place.insert(value);
                    }
                },
                Some(Key::Merge) => match value {
                    Value::Object(_) => merges.push(value),
                    Value::Array(items) if items.iter().all(Value::is_object) => {
                        merges.extend(items);
                    }
                    _ => {
                        return Err(self.fail(line, "what `<<` merges must be a mapping"));
                    }
                },
                None => {}
            },
        }
        Ok(())
    }

    fn key(&mut self, value: Value, line: usize) -> Result<(), Error> {
        let name = match (value, self.dialect) {
            (Value::String(name), _) => name,
            (
                value @ (Value::Bool(_) | Value::Number(_)),
                Dialect::Configuration | Dialect::Text,
            )
            | (value @ Value::Null, Dialect::Text) => value.to_string(),
            (value, _) => {
                return Err(self
                    .fail(line, format!("the key {value} is not a string"))
                    .hint("put it in quotes"));
            }
        };
        if let Some(lines) = &mut self.lines {
            let field = match self.path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            lines.0.insert(field, line);
        }
        self.set_key(Key::Field(name));
        Ok(())
    }
}

/// Adds the fields of merged mappings; a field that is written itself wins, then the first merged one.
fn merge(mut fields: Map<String, Value>, others: Vec<Value>) -> Map<String, Value> {
    for other in others {
        let Value::Object(other) = other else {
            continue;
        };
        for (key, value) in other {
            fields.entry(key).or_insert(value);
        }
    }
    fields
}
