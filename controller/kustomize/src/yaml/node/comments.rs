//! What each comment belongs to: the lines below it, those above it, or what stands beside it.

use super::scan::{Kind, Scanner};

/// A comment, and the token that takes it.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) place: Place,
    pub(super) text: String,
    /// The first token from this byte on takes it.
    pub(super) owner: isize,
    /// Where the search began that found it.
    pub(super) scan: isize,
    pub(super) start: isize,
    pub(super) end: isize,
    /// Its column, from 1.
    pub(super) column: usize,
}

/// Where a comment stands, seen from what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Head,
    Line,
    Foot,
}

/// Comments in a row that are being read, as long as nothing comes between.
struct Row {
    text: String,
    start: usize,
    line: usize,
    column: usize,
    owner: isize,
    scan: isize,
}

impl Row {
    /// The row as the foot of what stands above it, up to this byte; what follows is another row.
    fn foot(&mut self, end: usize) -> Comment {
        let foot = Comment {
            place: Place::Foot,
            text: std::mem::take(&mut self.text),
            owner: self.owner,
            scan: self.scan,
            start: self.start.cast_signed(),
            end: end.cast_signed(),
            column: self.column,
        };
        self.scan = end.cast_signed();
        self.owner = self.scan;
        foot
    }
}

/// What is known on the way to the next token.
struct Search {
    row: Row,
    /// Whether the last token was the `:` of a field, which has no foot.
    is_value: bool,
    /// The line in which a foot begins.
    foot_line: Option<usize>,
    /// Whether no empty line came yet.
    is_close: bool,
    is_below_empty: bool,
    line: usize,
    column: usize,
    /// Bytes ahead of the cursor.
    ahead: usize,
}

impl Scanner<'_> {
    /// Reads a comment behind something on its line.
    pub(super) fn beside(&mut self, owner: isize) {
        if self.cursor.breaks > 0 {
            return;
        }
        let rest = &self.cursor.text[self.cursor.at..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if self.cursor.peek(blanks) != Some(b'#') {
            return;
        }
        let text = self.cursor.comment(blanks).to_owned();
        self.comments.push(Comment {
            place: Place::Line,
            text,
            owner,
            scan: 0,
            start: 0,
            end: 0,
            column: 0,
        });
    }

    /// Reads the comments from here to the next token; those directly below something are its foot if an empty line
    /// follows, and so are those further out than the block that they stand in.
    pub(super) fn between(&mut self, (scan, scan_line): (usize, usize)) {
        let (row, is_value) = self.row(scan);
        let mut search = Search {
            row,
            is_value,
            foot_line: self.foot_line(scan_line),
            is_close: self.cursor.breaks <= 1,
            is_below_empty: false,
            line: self.cursor.line,
            column: self.cursor.column,
            ahead: 0,
        };
        while self.further(&mut search) {}
        self.head(search);
    }

    /// Looks at the next character; tells whether the search goes on.
    fn further(&mut self, search: &mut Search) -> bool {
        search.column += 1;
        let byte = self.cursor.peek(search.ahead);
        let here = self.cursor.at + search.ahead;
        match byte {
            Some(b' ' | b'\t') => search.ahead += 1,
            None | Some(b'\n' | b'\r') => return self.line_end(search, byte.is_some()),
            Some(b']' | b'}') if self.flow > 0 => return self.line_end(search, false),
            _ => {
                let row = &mut search.row;
                let is_outer = search.column <= self.least_column();
                if !row.text.is_empty() && is_outer && search.column != row.column {
                    self.comments.push(row.foot(here));
                }
                if byte != Some(b'#') {
                    return false;
                }
                if row.text.is_empty() {
                    (row.start, row.line, row.column) = (here, search.line, search.column);
                } else {
                    row.text.push('\n');
                }
                row.text.push_str(self.cursor.comment(search.ahead));
                search.is_below_empty = false;
                // The line end behind the comment is no empty line.
                (search.line, search.column, search.ahead) = (self.cursor.line, 0, 1);
            }
        }
        true
    }

    /// Ends a row where it is a foot: in front of the first empty line, or of a bracket; tells whether there are more lines.
    fn line_end(&mut self, search: &mut Search, has_more: bool) -> bool {
        let here = self.cursor.at + search.ahead;
        let ends_flow = !has_more && self.cursor.peek(search.ahead).is_some();
        let row = &mut search.row;
        let is_outer = row.column <= self.least_column();
        let is_below = Some(row.line) == search.foot_line && !search.is_value;
        if (ends_flow || !search.is_below_empty) && !row.text.is_empty() {
            if ends_flow || (search.is_close && (is_below || is_outer)) {
                if is_outer {
                    row.owner = row.start.cast_signed();
                }
                self.comments.push(row.foot(here));
            } else if has_more {
                row.text.push('\n');
            }
        }
        (search.is_close, search.is_below_empty) = (false, true);
        (search.line, search.column) = (search.line + 1, 0);
        search.ahead += usize::from(has_more);
        has_more
    }

    /// The column, from 1, up to which a comment stands outside of the block.
    fn least_column(&self) -> usize {
        usize::try_from(self.indent).unwrap_or(0)
    }

    /// An empty row below the last token, and whether that is the `:` of a field.
    fn row(&self, scan: usize) -> (Row, bool) {
        let mut last = self.tokens.iter().rev();
        let token = match last.next() {
            Some(comma) if comma.kind == Kind::Comma => last.next(),
            token => token,
        };
        let row = Row {
            text: String::new(),
            start: 0,
            line: 0,
            column: 0,
            owner: token.map_or(0, |token| token.start),
            scan: scan.cast_signed(),
        };
        (row, token.is_some_and(|token| token.kind == Kind::Value))
    }

    /// The line in which a comment must begin to be close below what was read last.
    fn foot_line(&self, scan_line: usize) -> Option<usize> {
        let cursor = &self.cursor;
        let beside = usize::from(cursor.breaks == 0 && cursor.column > 1);
        (scan_line > 0).then(|| (cursor.line + 1 + beside).saturating_sub(cursor.breaks))
    }

    /// Notes a row of comments above what comes next.
    fn head(&mut self, Search { row, ahead, .. }: Search) {
        if row.text.is_empty() {
            return;
        }
        let start = row.start.cast_signed();
        self.comments.push(Comment {
            place: Place::Head,
            text: row.text,
            owner: start,
            scan: row.scan,
            start,
            end: (self.cursor.at + ahead).cast_signed() - 1,
            column: row.column,
        });
    }
}
