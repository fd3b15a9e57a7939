//! The tokens of a YAML text with the comments between them.
//!
//! Scalars are found by the parser; here is what stands around them.

use std::collections::VecDeque;

use granit_parser::{Event, Parser, ScalarStyle};

use super::Style;
use super::comments::Comment;
use super::cursor::Cursor;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    End,
    DocumentStart,
    DocumentEnd,
    /// Where a block begins, and where the last one begun ends.
    ListStart,
    MappingStart,
    BlockEnd,
    /// `-`, `?` (also where it is left out) and `:`.
    Item,
    Key,
    Value,
    FlowListStart,
    FlowListEnd,
    FlowMappingStart,
    FlowMappingEnd,
    Comma,
    Anchor(String),
    Tag(String),
    Alias(String),
    Scalar(String, Style),
}

/// A token, and the byte that it begins at; what is made up may stand before the first.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: isize,
}

/// A scalar as the parser found it.
struct Found {
    start: usize,
    end: usize,
    text: String,
    style: Style,
}

/// What may turn out to be a key.
struct Candidate {
    token: usize,
    start: usize,
    line: usize,
    column: usize,
}

pub(super) struct Scanner<'t> {
    pub(super) cursor: Cursor<'t>,
    /// The column of the block that is open; -1 outside of all.
    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) flow: usize,
    /// Whether a key may begin here.
    is_key_allowed: bool,
    /// The last candidate of each level of brackets.
    candidates: Vec<Option<Candidate>>,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    scalars: VecDeque<Found>,
}

/// Reads the tokens of the first document, and the comments; `None` for what is no YAML.
pub(super) fn scan(text: &str) -> Option<(Vec<Token>, Vec<Comment>)> {
    let mut scanner = Scanner {
        cursor: Cursor::new(text),
        indent: -1,
        indents: Vec::new(),
        flow: 0,
        is_key_allowed: true,
        candidates: vec![None],
        tokens: Vec::new(),
        comments: Vec::new(),
        scalars: scalars(text)?,
    };
    scanner.push(Kind::Start, 0);
    while scanner.next()? {}
    Some((scanner.tokens, scanner.comments))
}

/// Finds all scalars of a text that are written out.
fn scalars(text: &str) -> Option<VecDeque<Found>> {
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.block_scalar_eof_without_line_feed = true;
    let mut found = VecDeque::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        let Event::Scalar(text, style, ..) = event else {
            continue;
        };
        let range = span.byte_range()?;
        let style = match style {
            // What is left out.
            ScalarStyle::Plain if range.is_empty() => continue,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        found.push_back(Found {
            start: range.start,
            end: range.end,
            text: text.into_owned(),
            style,
        });
    }
    Some(found)
}

impl Scanner<'_> {
    fn push(&mut self, kind: Kind, start: usize) {
        let start = start.cast_signed();
        self.tokens.push(Token { kind, start });
    }

    /// Reads the next token; tells whether there are more. `None` for what cannot be understood.
    fn next(&mut self) -> Option<bool> {
        let before = self.cursor.at;
        self.skip_to_token();
        self.end_blocks(self.cursor.column.cast_signed(), before);
        let at = self.cursor.at;
        let Some(byte) = self.cursor.byte() else {
            self.cursor.end();
            self.end_blocks(-1, at);
            self.push(Kind::End, at);
            return Some(false);
        };
        if self.cursor.column == 0 && byte == b'%' {
            return None;
        }
        if let Some(kind) = self.cursor.document_mark() {
            return Some(self.document(kind));
        }
        let is_behind = if self.flow == 0 { b':' } else { b',' } == byte;
        let owner = match self.tokens.last() {
            Some(token) if is_behind => token.start,
            _ => at.cast_signed(),
        };
        self.token(byte)?;
        // Beside a `-` stands what is above the item.
        if self
            .tokens
            .last()
            .is_some_and(|last| last.kind != Kind::Item)
        {
            self.beside(owner);
        }
        Some(true)
    }

    fn document(&mut self, kind: Kind) -> bool {
        let is_first = kind == Kind::DocumentStart && self.tokens.len() == 1;
        self.end_blocks(-1, self.cursor.at);
        self.candidates = vec![None];
        self.is_key_allowed = false;
        self.push(kind, self.cursor.at);
        self.cursor.skip_to(self.cursor.at + 3);
        is_first
    }

    fn token(&mut self, byte: u8) -> Option<()> {
        let is_plain = self
            .scalars
            .front()
            .is_some_and(|scalar| scalar.style == Style::Plain && scalar.start == self.cursor.at);
        match byte {
            b'"' | b'\'' => return self.scalar(),
            _ if is_plain => return self.scalar(),
            b'|' | b'>' if self.flow == 0 => return self.block(),
            b']' | b'}' => return self.close(byte),
            b'[' | b'{' => self.open(byte),
            b',' => self.separator(Kind::Comma, None, true),
            b'-' => self.separator(Kind::Item, Some(Kind::ListStart), true),
            b'?' => self.separator(Kind::Key, Some(Kind::MappingStart), self.flow == 0),
            b':' => self.value(),
            b'*' => self.word(|name| Kind::Alias(name[1..].to_owned())),
            b'&' => self.word(|name| Kind::Anchor(name[1..].to_owned())),
            b'!' => self.word(|tag| Kind::Tag(tag.to_owned())),
            _ => return None,
        }
        Some(())
    }

    /// Reads a sign that a key may stand behind, and that may begin a block.
    fn separator(&mut self, kind: Kind, block: Option<Kind>, is_key_allowed: bool) {
        if let Some(block) = block {
            self.begin_block(self.cursor.column, block, None);
        }
        self.candidate_mut().take();
        self.is_key_allowed = is_key_allowed;
        self.indicator(kind);
    }

    fn indicator(&mut self, kind: Kind) {
        self.push(kind, self.cursor.at);
        self.cursor.step();
    }

    fn candidate_mut(&mut self) -> &mut Option<Candidate> {
        if self.candidates.is_empty() {
            self.candidates.push(None);
        }
        let last = self.candidates.len() - 1;
        &mut self.candidates[last]
    }

    /// Notes that a key may begin here.
    fn save_candidate(&mut self) {
        if self.is_key_allowed {
            let candidate = Candidate {
                token: self.tokens.len(),
                start: self.cursor.at,
                line: self.cursor.line,
                column: self.cursor.column,
            };
            *self.candidate_mut() = Some(candidate);
        }
    }

    fn scalar(&mut self) -> Option<()> {
        let found = self.scalars.pop_front()?;
        if found.start != self.cursor.at {
            return None;
        }
        self.save_candidate();
        self.is_key_allowed = false;
        self.cursor.skip_to(found.end);
        if found.style == Style::Plain {
            let line = self.cursor.line;
            self.cursor.skip_blanks_and_breaks();
            // The next line may begin with a key.
            self.is_key_allowed = self.cursor.line > line;
        }
        self.push(Kind::Scalar(found.text, found.style), found.start);
        Some(())
    }

    fn block(&mut self) -> Option<()> {
        let found = self.scalars.pop_front()?;
        let start = self.cursor.at;
        self.candidate_mut().take();
        self.is_key_allowed = true;
        self.cursor.step();
        let mut own = 0;
        while let Some(byte) = self.cursor.byte().filter(|b| !b" \t\r\n".contains(b)) {
            own = if byte.is_ascii_digit() {
                usize::from(byte - b'0')
            } else {
                own
            };
            self.cursor.step();
        }
        self.cursor.skip_blanks();
        if self.cursor.byte() == Some(b'#') {
            self.beside(start.cast_signed());
        }
        self.cursor.skip_line();
        self.cursor.skip_block(own, self.indent);
        self.push(Kind::Scalar(found.text, found.style), start);
        Some(())
    }

    fn open(&mut self, byte: u8) {
        self.save_candidate();
        self.flow += 1;
        self.candidates.push(None);
        self.is_key_allowed = true;
        let is_list = byte == b'[';
        self.indicator(if is_list {
            Kind::FlowListStart
        } else {
            Kind::FlowMappingStart
        });
    }

    fn close(&mut self, byte: u8) -> Option<()> {
        self.flow = self.flow.checked_sub(1)?;
        self.candidates.pop();
        self.is_key_allowed = false;
        let is_list = byte == b']';
        self.indicator(if is_list {
            Kind::FlowListEnd
        } else {
            Kind::FlowMappingEnd
        });
        Some(())
    }

    fn value(&mut self) {
        let line = self.cursor.line;
        let candidate = self.candidate_mut().take();
        if let Some(key) = candidate.filter(|key| key.line == line) {
            let start = key.start.cast_signed();
            let kind = Kind::Key;
            self.tokens.insert(key.token, Token { kind, start });
            self.begin_block(key.column, Kind::MappingStart, Some(&key));
            self.is_key_allowed = false;
        } else {
            self.begin_block(self.cursor.column, Kind::MappingStart, None);
            self.is_key_allowed = self.flow == 0;
        }
        self.indicator(Kind::Value);
    }

    fn word(&mut self, kind: impl FnOnce(&str) -> Kind) {
        self.save_candidate();
        self.is_key_allowed = false;
        let start = self.cursor.at;
        let rest = &self.cursor.text[start..];
        let end = rest.find([' ', '\t', '\r', '\n', ',', '[', ']', '{', '}']);
        let word = &rest[..end.unwrap_or(rest.len())];
        self.cursor.skip_to(start + word.len());
        self.push(kind(word), start);
    }

    /// Begins a block if this column is further in than the one that is open.
    fn begin_block(&mut self, column: usize, kind: Kind, key: Option<&Candidate>) {
        let column = column.cast_signed();
        if self.flow > 0 || self.indent >= column {
            return;
        }
        self.indents
            .push(std::mem::replace(&mut self.indent, column));
        let (place, start) = key.map_or((self.tokens.len(), self.cursor.at), |key| {
            (key.token, key.start)
        });
        let start = start.cast_signed();
        self.tokens.insert(place, Token { kind, start });
    }

    /// Ends the blocks that are further in than this column, in front of the comments that belong to the outer ones.
    fn end_blocks(&mut self, column: isize, before: usize) {
        if self.flow > 0 {
            return;
        }
        let mut start = before.cast_signed() - 1;
        while self.indent > column {
            let mut stop = start;
            for comment in self.comments.iter().rev() {
                if comment.end < stop {
                    break;
                }
                if comment.column.cast_signed() == self.indent + 1 {
                    start = comment.start;
                }
                stop = comment.scan;
            }
            self.tokens.push(Token {
                kind: Kind::BlockEnd,
                start,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Skips blanks, line ends and comments.
    fn skip_to_token(&mut self) {
        let scan = (self.cursor.at, self.cursor.line);
        loop {
            let tabs = self.flow > 0 || !self.is_key_allowed;
            while matches!(self.cursor.byte(), Some(b' '))
                || (tabs && self.cursor.byte() == Some(b'\t'))
            {
                self.cursor.step();
            }
            if self.cursor.byte() == Some(b'#') {
                self.between(scan);
            }
            if !self.cursor.is_break() {
                return;
            }
            self.cursor.step();
            if self.flow == 0 {
                self.is_key_allowed = true;
            }
        }
    }
}
