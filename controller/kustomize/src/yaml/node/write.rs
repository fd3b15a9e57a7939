//! From the tree to a text, byte by byte as kustomize's library writes it: two blanks a level, lists at the column of
//! their key, and no line broken.

use super::{Content, Node, Text};

/// Blanks a level.
const STEP: isize = 2;

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    Document,
    Item,
    Key,
    Value,
    FlowItem,
    FlowKey,
    FlowValue,
}

#[derive(Default)]
pub(super) struct Writer {
    pub(super) out: String,
    pub(super) column: isize,
    /// The column of the block that is open; -1 outside of all.
    pub(super) indent: isize,
    indents: Vec<isize>,
    /// Whether a blank was written last.
    pub(super) is_blank: bool,
    /// Whether nothing but indentation stands on this line.
    pub(super) is_indentation: bool,
    /// The column at which an empty line must come next, below a foot.
    foot_indent: Option<isize>,
    pub(super) flow: usize,
    /// Comments that are to be written; the tail is the foot of the field before.
    pub(super) head: String,
    pub(super) line: String,
    pub(super) foot: String,
    pub(super) tail: String,
    key_line: String,
}

/// Writes a document.
pub(super) fn write(text: &Text) -> String {
    let mut writer = Writer {
        indent: -1,
        is_blank: true,
        is_indentation: true,
        ..Writer::default()
    };
    if !text.head.is_empty() {
        writer.head.clone_from(&text.head);
        writer.write_head();
        writer.put_break();
    }
    writer.note(&text.root);
    writer.write_head();
    writer.begin(&text.root, Around::Document);
    writer.write_line();
    writer.write_foot();
    writer.content(&text.root, Around::Document);
    set(&mut writer.foot, &text.foot);
    writer.foot_indent = Some(0);
    writer.write_foot();
    writer.out.trim().to_owned()
}

pub(super) fn set(place: &mut String, comment: &str) {
    if !comment.is_empty() {
        comment.clone_into(place);
    }
}

impl Node {
    fn is_empty_collection(&self) -> bool {
        match &self.content {
            Content::List { items, .. } => items.is_empty(),
            Content::Mapping { entries, .. } => entries.is_empty(),
            _ => false,
        }
    }

    fn is_collection(&self) -> bool {
        matches!(self.content, Content::List { .. } | Content::Mapping { .. })
    }

    fn is_flow(&self) -> bool {
        match self.content {
            Content::List { is_flow, .. } | Content::Mapping { is_flow, .. } => is_flow,
            _ => false,
        }
    }

    /// Tells whether it can be a key without `?`.
    pub(super) fn is_simple_key(&self) -> bool {
        const LONGEST: usize = 128;
        let anchor = self.anchor.as_ref().map_or(0, String::len);
        let tag = self.tag.as_ref().map_or(0, String::len);
        match &self.content {
            Content::Alias(name) => name.len() <= LONGEST,
            Content::Scalar { text, .. } => {
                !text.contains(['\n', '\r']) && anchor + tag + text.len() <= LONGEST
            }
            _ => self.is_empty_collection() && anchor + tag <= LONGEST,
        }
    }
}

impl Writer {
    /// Notes the comments that come with the beginning of a node.
    pub(super) fn note(&mut self, node: &Node) {
        set(&mut self.head, &node.head);
        if !node.is_collection() {
            set(&mut self.line, &node.line);
            set(&mut self.foot, &node.foot);
        }
    }

    /// Notes those that come with its end.
    pub(super) fn note_end(&mut self, node: &Node) {
        set(&mut self.line, &node.line);
        set(&mut self.foot, &node.foot);
    }

    pub(super) fn has_comments_behind(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }

    /// Writes a scalar, or what stands in front of a collection.
    pub(super) fn begin(&mut self, node: &Node, around: Around) {
        if let Content::Alias(name) = &node.content {
            self.indicator("*", true, false, false);
            self.put(name);
            (self.is_blank, self.is_indentation) = (false, false);
            return;
        }
        if let Some(anchor) = &node.anchor {
            self.indicator("&", true, false, false);
            self.put(anchor);
            (self.is_blank, self.is_indentation) = (false, false);
        }
        if let Some(tag) = &node.tag {
            self.indicator(tag, true, false, false);
        }
        if let Content::Scalar {
            text,
            style,
            is_text,
        } = &node.content
        {
            let style = self.style(text, *style, *is_text && node.tag.is_none(), around);
            self.deepen(true, around == Around::Item, false);
            self.scalar(text, style);
            self.shallow();
        }
    }

    /// Writes what is in a collection.
    pub(super) fn content(&mut self, node: &Node, around: Around) {
        let is_flow = self.flow > 0 || node.is_flow() || node.is_empty_collection();
        match &node.content {
            Content::List { items, .. } if is_flow => self.flow_list(node, items, around),
            Content::List { items, .. } => self.list(node, items, around),
            Content::Mapping { entries, .. } if is_flow => self.flow_mapping(node, entries, around),
            Content::Mapping { entries, .. } => self.mapping(node, entries, around),
            _ => {}
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], around: Around) {
        let is_value = matches!(around, Around::Key | Around::Value);
        let is_compact = is_value && (self.column == 0 || !self.is_indentation);
        self.deepen(false, around == Around::Item, is_compact);
        for item in items {
            self.note(item);
            self.write_head();
            self.write_indent();
            self.indicator("-", true, false, true);
            self.begin(item, Around::Item);
            self.write_line();
            self.write_foot();
            self.content(item, Around::Item);
        }
        self.note_end(node);
        self.shallow();
    }

    fn mapping(&mut self, node: &Node, entries: &[(Node, Node)], around: Around) {
        self.deepen(false, around == Around::Item, false);
        let mut tail = "";
        for (key, value) in entries {
            set(&mut self.tail, tail);
            set(&mut self.head, &key.head);
            set(&mut self.line, &key.line);
            tail = &key.foot;
            self.write_head();
            self.write_indent();
            if !self.line.is_empty() {
                self.key_line = std::mem::take(&mut self.line);
            }
            let is_simple = key.is_simple_key();
            if !is_simple {
                self.indicator("?", true, false, true);
            }
            self.begin(key, Around::Key);
            self.content(key, Around::Key);
            self.value(value, is_simple);
        }
        set(&mut self.tail, tail);
        self.note_end(node);
        self.write_head();
        self.shallow();
    }

    fn value(&mut self, value: &Node, is_simple: bool) {
        self.note(value);
        if !is_simple {
            self.write_indent();
        }
        self.indicator(":", !is_simple, false, !is_simple);
        if !self.key_line.is_empty() {
            if !value.is_collection() {
                if self.line.is_empty() && !matches!(value.content, Content::Alias(_)) {
                    self.line = std::mem::take(&mut self.key_line);
                }
            } else if !value.is_flow() {
                std::mem::swap(&mut self.line, &mut self.key_line);
                self.write_line();
                std::mem::swap(&mut self.line, &mut self.key_line);
            }
        }
        self.begin(value, Around::Value);
        self.write_line();
        self.write_foot();
        self.content(value, Around::Value);
    }

    pub(super) fn deepen(&mut self, is_flow: bool, is_item: bool, is_compact: bool) {
        self.indents.push(self.indent);
        self.indent = match self.indent {
            ..0 if is_flow => STEP,
            ..0 => 0,
            indent if is_item => indent + STEP,
            indent if is_compact => (indent + STEP) / STEP * STEP - STEP,
            indent => (indent + STEP) / STEP * STEP,
        };
    }

    pub(super) fn shallow(&mut self) {
        self.indent = self.indents.pop().unwrap_or(-1);
    }

    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count().cast_signed();
    }

    pub(super) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.is_indentation = true;
    }

    pub(super) fn indicator(&mut self, text: &str, is_apart: bool, is_blank: bool, indents: bool) {
        if is_apart && !self.is_blank {
            self.put(" ");
        }
        self.put(text);
        self.is_blank = is_blank;
        self.is_indentation = self.is_indentation && indents;
    }

    /// Goes to the column of the block, on a new line if something stands there.
    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        let is_there = self.column == indent && self.is_blank;
        if !self.is_indentation || (self.column >= indent && !is_there) {
            self.put_break();
        }
        if self.foot_indent == Some(indent) {
            self.put_break();
        }
        while self.column < indent {
            self.put(" ");
        }
        self.is_blank = true;
        self.foot_indent = None;
    }

    pub(super) fn write_head(&mut self) {
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            self.write_indent();
            self.comment(&tail);
            self.foot_indent = Some(self.indent.max(0));
        }
        if !self.head.is_empty() {
            let head = std::mem::take(&mut self.head);
            self.write_indent();
            self.comment(&head);
        }
    }

    pub(super) fn write_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        if !self.is_blank {
            self.put(" ");
        }
        self.comment(&line);
    }

    pub(super) fn write_foot(&mut self) {
        if self.foot.is_empty() {
            return;
        }
        let foot = std::mem::take(&mut self.foot);
        self.write_indent();
        self.comment(&foot);
        self.foot_indent = Some(self.indent.max(0));
    }

    fn comment(&mut self, comment: &str) {
        for (at, line) in comment.split('\n').enumerate() {
            if at > 0 {
                self.put_break();
            }
            if line.is_empty() {
                continue;
            }
            if at > 0 {
                self.write_indent();
            }
            self.put(line);
            self.is_indentation = false;
        }
        if !comment.ends_with('\n') {
            self.put_break();
        }
        self.is_blank = true;
    }
}
