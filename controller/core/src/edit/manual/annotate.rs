//! Setting and removing an annotation in the text of an object.

use std::ops::Range;

use flux_kustomize::{Content, Style, write_scalar};
use serde_json::{Map, Value};

use super::{
    Document, Edited, Error, FieldPath, NodeId, Object, Reason, Source, compare, left_alone,
    line_of,
};

/// A piece of text that takes the place of another one.
struct Patch {
    range: Range<usize>,
    text: String,
}

/// Sets or removes an annotation.
pub(super) fn set(
    source: &Source<'_>,
    object: &Object<'_>,
    key: &str,
    value: Option<&str>,
) -> Result<Edited, Error> {
    let editor = Editor { source, object };
    let annotations = FieldPath::default().key("metadata").key("annotations");
    let old = annotations.key(key).get(object.value).cloned();
    if old.as_ref().map(Value::as_str) == value.map(Some) {
        return Ok(Edited::default());
    }
    let line = line_of(source, &object.place(&FieldPath::default().key("metadata")));
    let patch = match (old, value) {
        (_, None) => editor.remove(&annotations, key),
        (Some(_), Some(value)) => editor.replace(&annotations.key(key), value),
        (None, Some(value)) => editor.insert(&annotations, key, value),
    };
    let patch = patch.map_err(|reason| left_alone(source.path, line, reason))?;
    let mut text = source.text.to_owned();
    text.replace_range(patch.range, &patch.text);
    compare(source, &editor.expected(key, value), text.as_bytes())?;
    Ok(Edited {
        bytes: Some(text.into_bytes()),
        ..Edited::default()
    })
}

struct Editor<'e> {
    source: &'e Source<'e>,
    object: &'e Object<'e>,
}

impl Editor<'_> {
    fn node(&self, path: &FieldPath) -> Option<NodeId> {
        self.source.locate(&self.object.place(path))
    }

    /// What the documents mean afterwards. Annotations that are empty by that are as good as none.
    fn expected(&self, key: &str, value: Option<&str>) -> Vec<Document> {
        let mut documents = self.source.documents.clone();
        let metadata = documents
            .get_mut(self.object.document)
            .and_then(|document| self.object.path.get_mut(&mut document.value))
            .and_then(|object| object.get_mut("metadata"))
            .and_then(Value::as_object_mut);
        let Some(metadata) = metadata else {
            return documents;
        };
        let mut annotations = match metadata.get("annotations") {
            Some(Value::Object(annotations)) => annotations.clone(),
            _ => Map::new(),
        };
        match value {
            Some(value) => annotations.insert(key.to_owned(), value.into()),
            None => annotations.shift_remove(key),
        };
        if annotations.is_empty()
            && !self.is_flow(&FieldPath::default().key("metadata").key("annotations"))
        {
            metadata.shift_remove("annotations");
        } else {
            metadata.insert("annotations".to_owned(), annotations.into());
        }
        documents
    }

    fn is_flow(&self, path: &FieldPath) -> bool {
        let node = self
            .node(path)
            .map(|node| &self.source.outline.node(node).content);
        matches!(node, Some(Content::Mapping { is_flow: true, .. }))
    }

    fn replace(&self, path: &FieldPath, value: &str) -> Result<Patch, Reason> {
        let node = self.node(path).ok_or(Reason::NotText)?;
        let node = self.source.outline.node(node);
        let Content::Scalar { style, .. } = &node.content else {
            return Err(Reason::NotText);
        };
        let written = self.source.text.get(node.range.clone()).unwrap_or_default();
        if *style == Style::Block || written.contains(['\n', '\r']) {
            return Err(Reason::SeveralLines);
        }
        if written.is_empty() {
            return Err(Reason::Empty);
        }
        let text = scalar(value, *style, true)?;
        let range = node.range.clone();
        Ok(Patch { range, text })
    }

    /// Adds an annotation behind the last one, or below the object's name if it is the first.
    fn insert(&self, path: &FieldPath, key: &str, value: &str) -> Result<Patch, Reason> {
        let metadata = FieldPath::default().key("metadata");
        let node = self.node(path).map(|node| self.source.outline.node(node));
        match node.map(|node| &node.content) {
            Some(Content::Mapping {
                entries,
                is_flow: false,
            }) if !entries.is_empty() => {
                let pair = format!(
                    "{}: {}",
                    scalar(key, Style::Plain, false)?,
                    scalar(value, Style::Plain, false)?
                );
                self.below(entries.last().copied(), &[pair])
            }
            Some(Content::Mapping { entries, .. }) => {
                let pair = flow_pair(key, value)?;
                self.within(
                    node.map(|node| node.range.clone()),
                    entries.last().copied(),
                    &pair,
                )
            }
            Some(_) => Err(Reason::NotText),
            None if self.is_flow(&metadata) => {
                let pair = format!("annotations: {{{}}}", flow_pair(key, value)?);
                let entries = self.entries(&metadata);
                let range = self
                    .node(&metadata)
                    .map(|node| self.source.outline.node(node).range.clone());
                self.within(range, entries.last().copied(), &pair)
            }
            None => {
                let pair = format!(
                    "{}: {}",
                    scalar(key, Style::Plain, false)?,
                    scalar(value, Style::Plain, false)?
                );
                let name = self.entry(&metadata, "name");
                let step = self.step();
                self.below(name, &["annotations:".to_owned(), format!("{step}{pair}")])
            }
        }
    }

    /// How much deeper the fields of `metadata` stand than the key itself.
    fn step(&self) -> String {
        let root = FieldPath::default();
        let key = self
            .entry(&root, "metadata")
            .map(|(key, _)| self.column(key));
        let field = self
            .entry(&root.key("metadata"), "name")
            .map(|(key, _)| self.column(key));
        let step = field
            .zip(key)
            .and_then(|(field, key)| field.checked_sub(key));
        " ".repeat(step.filter(|step| *step > 0).unwrap_or(2))
    }

    fn entries(&self, mapping: &FieldPath) -> Vec<(NodeId, NodeId)> {
        let node = self
            .node(mapping)
            .map(|node| self.source.outline.node(node));
        match node.map(|node| &node.content) {
            Some(Content::Mapping { entries, .. }) => entries.clone(),
            _ => Vec::new(),
        }
    }

    fn entry(&self, mapping: &FieldPath, key: &str) -> Option<(NodeId, NodeId)> {
        let entries = self.entries(mapping);
        entries
            .into_iter()
            .find(|(name, _)| self.source.key_text(*name) == Some(key))
    }

    fn column(&self, node: NodeId) -> usize {
        let start = self.source.outline.node(node).range.start;
        start - self.line_start(start)
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.source.text.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Returns where the line of the last byte before `at` ends, without its line break.
    fn line_end(&self, at: usize) -> usize {
        let before = self.source.text.get(..at).unwrap_or_default();
        let at = before.trim_end_matches(['\n', '\r']).len();
        let rest = self.source.text.get(at..).unwrap_or_default();
        let end = rest
            .find('\n')
            .map_or(self.source.text.len(), |newline| at + newline);
        let line = self.source.text.get(..end).unwrap_or_default();
        line.strip_suffix('\r').map_or(end, str::len)
    }

    /// Adds lines below a field of a block, as deep as its key.
    fn below(&self, entry: Option<(NodeId, NodeId)>, lines: &[String]) -> Result<Patch, Reason> {
        let (key, value) = entry.ok_or(Reason::NotText)?;
        let at = self.line_end(self.source.outline.node(value).range.end);
        let line_break = if self.source.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let indent = " ".repeat(self.column(key));
        let lines = lines
            .iter()
            .map(|line| format!("{line_break}{indent}{line}"));
        Ok(Patch {
            range: at..at,
            text: lines.collect(),
        })
    }

    /// Adds a pair to a mapping in braces.
    fn within(
        &self,
        braces: Option<Range<usize>>,
        last: Option<(NodeId, NodeId)>,
        pair: &str,
    ) -> Result<Patch, Reason> {
        match (braces, last) {
            (_, Some((_, value))) => {
                let at = self.source.outline.node(value).range.end;
                let text = format!(", {pair}");
                Ok(Patch {
                    range: at..at,
                    text,
                })
            }
            (Some(range), None) => Ok(Patch {
                range,
                text: format!("{{{pair}}}"),
            }),
            (None, None) => Err(Reason::NotText),
        }
    }

    fn remove(&self, path: &FieldPath, key: &str) -> Result<Patch, Reason> {
        let entries = self.entries(path);
        let at = entries
            .iter()
            .position(|(name, _)| self.source.key_text(*name) == Some(key));
        let at = at.ok_or(Reason::NotText)?;
        if self.is_flow(path) {
            return self.cut(&entries, at);
        }
        let only = entries.len() == 1;
        let entry = if only {
            self.entry(&FieldPath::default().key("metadata"), "annotations")
        } else {
            entries.get(at).copied()
        };
        let (key, value) = entry.ok_or(Reason::NotText)?;
        let start = self.source.outline.node(key).range.start;
        let from = self.line_start(start);
        let is_alone = self
            .source
            .text
            .get(from..start)
            .is_some_and(|before| before.trim().is_empty());
        if !is_alone {
            return Err(Reason::SeveralMarked);
        }
        let end = self.line_end(self.source.outline.node(value).range.end);
        let rest = self.source.text.get(end..).unwrap_or_default();
        let line_break = rest.len()
            - rest
                .strip_prefix("\r\n")
                .or(rest.strip_prefix('\n'))
                .unwrap_or(rest)
                .len();
        Ok(Patch {
            range: from..end + line_break,
            text: String::new(),
        })
    }

    /// Removes a pair from a mapping in braces, with the comma.
    fn cut(&self, entries: &[(NodeId, NodeId)], at: usize) -> Result<Patch, Reason> {
        let range = |node: NodeId| self.source.outline.node(node).range.clone();
        let (key, value) = entries.get(at).copied().ok_or(Reason::NotText)?;
        let before = at.checked_sub(1).and_then(|at| entries.get(at));
        let range = match (before, entries.get(at + 1)) {
            (_, Some((next, _))) => range(key).start..range(*next).start,
            (Some((_, before)), None) => range(*before).end..range(value).end,
            (None, None) => range(key).start..range(value).end,
        };
        let text = String::new();
        Ok(Patch { range, text })
    }
}

fn flow_pair(key: &str, value: &str) -> Result<String, Reason> {
    let key = scalar(key, Style::Plain, true)?;
    Ok(format!("{key}: {}", scalar(value, Style::Plain, true)?))
}

/// Writes a text; within braces their characters and commas need quotes.
fn scalar(text: &str, style: Style, is_flow: bool) -> Result<String, Reason> {
    let style = match style {
        Style::Plain if is_flow && text.contains([',', '[', ']', '{', '}']) => Style::DoubleQuoted,
        style => style,
    };
    write_scalar(text, style).ok_or(Reason::SeveralLines)
}
