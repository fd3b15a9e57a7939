//! Reading a text character by character.

use super::scan::Kind;

/// A place in a text.
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) line: usize,
    pub(super) column: usize,
    /// Line ends since something was written.
    pub(super) breaks: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 0,
            column: 0,
            breaks: 0,
        }
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.peek(0)
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    pub(super) fn is_break(&self) -> bool {
        matches!(self.byte(), Some(b'\n' | b'\r'))
    }

    /// Goes one character or line end further.
    pub(super) fn step(&mut self) {
        let mut chars = self.text[self.at..].chars();
        let Some(next) = chars.next() else { return };
        self.at += next.len_utf8();
        if matches!(next, '\n' | '\r') {
            if next == '\r' && chars.next() == Some('\n') {
                self.at += 1;
            }
            self.line += 1;
            self.column = 0;
            self.breaks += 1;
            return;
        }
        self.column += 1;
        if !matches!(next, ' ' | '\t') {
            self.breaks = 0;
        }
    }

    pub(super) fn skip_to(&mut self, at: usize) {
        while self.at < at && self.byte().is_some() {
            self.step();
        }
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t')) {
            self.step();
        }
    }

    pub(super) fn skip_blanks_and_breaks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.step();
        }
    }

    /// Goes to the next line.
    pub(super) fn skip_line(&mut self) {
        while self.byte().is_some() && !self.is_break() {
            self.step();
        }
        self.step();
    }

    /// Goes behind the lines of a block scalar, indented by so much more than what is around it if that is given.
    pub(super) fn skip_block(&mut self, own: usize, outer: isize) {
        let least = usize::try_from(outer + 1).unwrap_or(0).max(1);
        let mut indent = match own {
            0 => None,
            own => Some(usize::try_from(outer).unwrap_or(0) + own),
        };
        loop {
            let deepest = self.skip_empty_lines(indent);
            let indent = *indent.get_or_insert(deepest.max(least));
            if self.column != indent || self.byte().is_none() {
                return;
            }
            self.skip_line();
        }
    }

    /// Skips empty lines and the indentation behind them; returns the deepest that it met.
    fn skip_empty_lines(&mut self, indent: Option<usize>) -> usize {
        let mut deepest = 0;
        loop {
            while self.byte() == Some(b' ') && indent.is_none_or(|indent| self.column < indent) {
                self.step();
            }
            deepest = deepest.max(self.column);
            if !self.is_break() {
                return deepest;
            }
            self.step();
        }
    }

    /// Notes the end of the text.
    pub(super) fn end(&mut self) {
        if self.column != 0 {
            self.column = 0;
            self.line += 1;
        }
    }

    /// What `---` and `...` at the margin are.
    pub(super) fn document_mark(&self) -> Option<Kind> {
        let rest = &self.text[self.at..];
        let kind = match rest.get(..3)? {
            "---" => Kind::DocumentStart,
            "..." => Kind::DocumentEnd,
            _ => return None,
        };
        let ends = rest[3..].is_empty() || rest[3..].starts_with([' ', '\t', '\r', '\n']);
        (self.column == 0 && ends).then_some(kind)
    }

    /// Reads the comment that begins so many bytes ahead, up to the end of its line.
    pub(super) fn comment(&mut self, ahead: usize) -> &'t str {
        self.skip_to(self.at + ahead);
        let rest = &self.text[self.at..];
        let comment = &rest[..rest.find(['\r', '\n']).unwrap_or(rest.len())];
        self.skip_to(self.at + comment.len());
        comment
    }
}
