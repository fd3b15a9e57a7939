//! From tokens to the tree.

use std::collections::VecDeque;

use super::comments::{Comment, Place};
use super::scan::{Kind, Token};
use super::{Content, Node, Style, Text};
use crate::yaml::scalar;

/// Comments that were met and wait for the node that takes them.
#[derive(Default)]
struct Waiting {
    head: String,
    line: String,
    foot: String,
    /// What stands above a list in a list, apart from what stands above its first item.
    stem: Option<String>,
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    comments: VecDeque<Comment>,
    waiting: Waiting,
}

/// Reads the tree of the first document; `None` for what nobody writes.
pub(super) fn read(tokens: Vec<Token>, comments: Vec<Comment>) -> Option<Text> {
    let mut reader = Reader {
        tokens,
        at: 0,
        comments: comments.into(),
        waiting: Waiting::default(),
    };
    reader.document()
}

impl Reader {
    /// Returns the next token, after the comments up to it have been met.
    fn peek(&mut self) -> Option<Kind> {
        let token = self.tokens.get(self.at)?;
        while let Some(comment) = self.comments.front()
            && token.start >= comment.owner
        {
            let place = match comment.place {
                // What stands above the end of a block belongs to what comes behind it.
                Place::Head if token.kind == Kind::BlockEnd => break,
                Place::Head => &mut self.waiting.head,
                Place::Line => &mut self.waiting.line,
                Place::Foot => &mut self.waiting.foot,
            };
            if !place.is_empty() {
                place.push('\n');
            }
            place.push_str(&comment.text);
            self.comments.pop_front();
        }
        Some(token.kind.clone())
    }

    fn skip(&mut self) -> Option<Kind> {
        self.at += 1;
        self.peek()
    }

    fn document(&mut self) -> Option<Text> {
        self.peek()?;
        let first = self.skip()?;
        let mut head = String::new();
        let root = if first == Kind::DocumentStart {
            self.skip()?;
            self.block_node()?
        } else {
            head = self.document_head();
            self.block_node()?
        };
        let last = self.peek()?;
        if !matches!(last, Kind::End | Kind::DocumentStart | Kind::DocumentEnd) {
            return None;
        }
        let Waiting {
            head: late, foot, ..
        } = std::mem::take(&mut self.waiting);
        let foot = if foot.is_empty() { late } else { foot };
        Some(Text { head, root, foot })
    }

    /// Takes the part of the first comment that an empty line parts from the rest.
    fn document_head(&mut self) -> String {
        let waiting = &mut self.waiting.head;
        let (head, rest) = match waiting.strip_suffix('\n') {
            Some(head) => (head.to_owned(), String::new()),
            None => match waiting.rsplit_once("\n\n") {
                Some((head, rest)) => (head.to_owned(), rest.to_owned()),
                None => return String::new(),
            },
        };
        *waiting = rest;
        head
    }

    /// Gives a node the comments that wait.
    fn take_comments(&mut self, node: &mut Node) {
        let Waiting {
            head, line, foot, ..
        } = std::mem::take(&mut self.waiting);
        (node.head, node.line, node.foot) = (head, line, foot);
    }

    /// Reads a node of a block that is no value or key of a mapping.
    fn block_node(&mut self) -> Option<Node> {
        self.node(true, false)
    }

    fn node(&mut self, is_block: bool, may_be_list: bool) -> Option<Node> {
        let mut node = Node::default();
        let mut kind = self.peek()?;
        loop {
            match kind {
                Kind::Anchor(name) => node.anchor = Some(name),
                Kind::Tag(tag) => node.tag = Some(tag).filter(|tag| tag != "!"),
                other => {
                    kind = other;
                    break;
                }
            }
            kind = self.skip()?;
        }
        match kind {
            Kind::Item if may_be_list => self.list(&mut node, false)?,
            Kind::ListStart if is_block => {
                node.head = self.waiting.stem.take().unwrap_or_default();
                self.skip()?;
                self.list(&mut node, true)?;
            }
            Kind::MappingStart if is_block => {
                node.head = self.waiting.stem.take().unwrap_or_default();
                self.skip()?;
                self.mapping(&mut node)?;
            }
            Kind::FlowListStart => {
                self.take_comments(&mut node);
                self.skip()?;
                self.flow_list(&mut node)?;
            }
            Kind::FlowMappingStart => {
                self.take_comments(&mut node);
                self.skip()?;
                self.flow_mapping(&mut node)?;
            }
            Kind::Scalar(text, style) => {
                // The library writes the tag of a merge, whether it was there or not.
                if style == Style::Plain && text == "<<" {
                    node.tag.get_or_insert_with(|| "!!merge".to_owned());
                }
                let is_text = style != Style::Plain || scalar::plain_tag(&text) == "!!str";
                node.content = Content::Scalar {
                    text,
                    style,
                    is_text,
                };
                self.take_comments(&mut node);
                self.skip()?;
            }
            Kind::Alias(name) => {
                node.content = Content::Alias(name);
                self.take_comments(&mut node);
                self.skip()?;
            }
            // Only an anchor or a tag.
            _ if node.anchor.is_some() || node.tag.is_some() => {}
            _ => return None,
        }
        Some(node)
    }

    /// Reads the items of a block; a list that is a value may stand at the column of its key, without an end.
    fn list(&mut self, node: &mut Node, has_end: bool) -> Option<()> {
        let mut items = Vec::new();
        while self.peek()? == Kind::Item {
            let above = self.waiting.head.len();
            let next = self.skip()?;
            self.split_stem(above, &next);
            let is_empty = match next {
                Kind::Item | Kind::BlockEnd => true,
                Kind::Key | Kind::Value => !has_end,
                _ => false,
            };
            items.push(if is_empty {
                Node::default()
            } else {
                self.block_node()?
            });
        }
        if has_end {
            if self.peek()? != Kind::BlockEnd {
                return None;
            }
            self.skip()?;
        }
        node.content = Content::List {
            items,
            is_flow: false,
        };
        Some(())
    }

    /// Keeps what stands above an item for the block that the item is.
    fn split_stem(&mut self, above: usize, next: &Kind) {
        if above == 0 || !matches!(next, Kind::ListStart | Kind::MappingStart) {
            return;
        }
        let rest = self.waiting.head.split_off(above);
        let stem = std::mem::replace(
            &mut self.waiting.head,
            rest.trim_start_matches('\n').to_owned(),
        );
        self.waiting.stem = Some(stem);
    }

    fn mapping(&mut self, node: &mut Node) -> Option<()> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        while self.peek()? == Kind::Key {
            let mut key = match self.skip()? {
                Kind::Key | Kind::Value | Kind::BlockEnd => Node::default(),
                _ => self.node(true, true)?,
            };
            if let Some((before, _)) = entries.last_mut()
                && !key.foot.is_empty()
            {
                before.foot = std::mem::take(&mut key.foot);
            }
            let mut value = Node::default();
            if self.peek()? == Kind::Value
                && !matches!(self.skip()?, Kind::Key | Kind::Value | Kind::BlockEnd)
            {
                value = self.node(true, true)?;
            }
            if key.foot.is_empty() {
                key.foot = std::mem::take(&mut value.foot);
            }
            entries.push((key, value));
        }
        if self.peek()? != Kind::BlockEnd {
            return None;
        }
        let Waiting { line, foot, .. } = std::mem::take(&mut self.waiting);
        node.line = line;
        match entries.last_mut() {
            Some((last, _)) if !foot.is_empty() => last.foot = foot,
            _ => node.foot = foot,
        }
        self.skip()?;
        node.content = Content::Mapping {
            entries,
            is_flow: false,
        };
        Some(())
    }

    fn flow_list(&mut self, node: &mut Node) -> Option<()> {
        let mut items = Vec::new();
        while !self.ends_flow(&Kind::FlowListEnd, items.is_empty())? {
            if self.peek()? == Kind::Key {
                let entry = self.flow_entry(&Kind::FlowListEnd)?;
                let entries = vec![entry];
                items.push(
                    Content::Mapping {
                        entries,
                        is_flow: true,
                    }
                    .into(),
                );
            } else {
                items.push(self.node(false, false)?);
            }
        }
        self.end_flow(node)?;
        node.content = Content::List {
            items,
            is_flow: true,
        };
        Some(())
    }

    fn flow_mapping(&mut self, node: &mut Node) -> Option<()> {
        let mut entries = Vec::new();
        while !self.ends_flow(&Kind::FlowMappingEnd, entries.is_empty())? {
            let mut entry = if self.peek()? == Kind::Key {
                self.flow_entry(&Kind::FlowMappingEnd)?
            } else {
                (self.node(false, false)?, Node::default())
            };
            if entry.0.foot.is_empty() {
                entry.0.foot = std::mem::take(&mut entry.1.foot);
            }
            entries.push(entry);
        }
        self.end_flow(node)?;
        node.content = Content::Mapping {
            entries,
            is_flow: true,
        };
        Some(())
    }

    /// Tells whether brackets end here; steps over the comma in front of a further item.
    fn ends_flow(&mut self, end: &Kind, is_first: bool) -> Option<bool> {
        let mut next = self.peek()?;
        if next != *end && !is_first {
            if next != Kind::Comma {
                return None;
            }
            next = self.skip()?;
        }
        Some(next == *end)
    }

    fn end_flow(&mut self, node: &mut Node) -> Option<()> {
        let Waiting { line, foot, .. } = std::mem::take(&mut self.waiting);
        (node.line, node.foot) = (line, foot);
        self.skip().map(|_| ())
    }

    fn flow_entry(&mut self, end: &Kind) -> Option<(Node, Node)> {
        let is_end = |kind: &Kind| kind == &Kind::Comma || kind == end;
        let next = self.skip()?;
        let key = if next == Kind::Value || is_end(&next) {
            Node::default()
        } else {
            self.node(false, false)?
        };
        let mut value = Node::default();
        if self.peek()? == Kind::Value {
            let next = self.skip()?;
            if !is_end(&next) {
                value = self.node(false, false)?;
            }
        }
        Some((key, value))
    }
}
