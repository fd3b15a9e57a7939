//! How scalars are written: in their own style, as far as it can hold the text.

use std::fmt::Write as _;

use super::Style;
use super::write::{Around, Writer};
use crate::yaml::scalar;

/// Which styles can hold a text.
#[expect(clippy::struct_excessive_bools, reason = "one for each style")]
struct Fits {
    plain: bool,
    flow_plain: bool,
    single: bool,
    block: bool,
}

impl Fits {
    fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain: true,
                flow_plain: false,
                single: true,
                block: false,
            };
        }
        let is_marker = text.starts_with("---") || text.starts_with("...");
        let is_special = text
            .chars()
            .any(|c| c != '\t' && c != '\n' && c != '\r' && !is_printable(c));
        let is_wide = |c: char| c == ' ' || is_break(c);
        let is_padded = text.starts_with(is_wide) || text.ends_with(is_wide);
        let follows = |first: fn(char) -> bool, second: fn(char) -> bool| {
            text.chars()
                .zip(text.chars().skip(1))
                .any(|(a, b)| first(a) && second(b))
        };
        let break_space = follows(is_break, |c| c == ' ');
        let space_break = follows(|c| c == ' ', is_break);
        let is_odd = space_break || text.contains('\t') || is_special;
        let is_plain = !is_padded && !break_space && !is_odd && !text.contains(is_break);
        Self {
            plain: is_plain && !is_marker && !has_indicator(text, false),
            flow_plain: is_plain && !is_marker && !has_indicator(text, true),
            single: !break_space && !is_odd,
            block: !text.ends_with(' ') && !space_break && !is_special,
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character is written as it is; those beyond the first plane are not.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a text has what means something without quotes.
fn has_indicator(text: &str, is_flow: bool) -> bool {
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = chars
            .peek()
            .is_none_or(|(_, next)| matches!(next, ' ' | '\t'));
        let found = match c {
            ',' | '[' | ']' | '{' | '}' => is_flow || at == 0,
            '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at == 0,
            '?' => is_flow || (at == 0 && ends),
            ':' => is_flow || ends,
            '-' => at == 0 && ends,
            '#' => at == 0 || matches!(before, ' ' | '\t') || is_break(before),
            _ => false,
        };
        if found {
            return true;
        }
        before = c;
    }
    false
}

impl Writer {
    /// Decides how a text is written.
    pub(super) fn style(&self, text: &str, style: Style, is_text: bool, around: Around) -> Style {
        let is_key = matches!(around, Around::Key | Around::FlowKey);
        let is_flow = self.flow > 0;
        let fits = Fits::new(text);
        let mut style = match style {
            Style::Plain if text.contains('\n') => Style::Literal,
            Style::Plain if is_text && scalar::plain_tag(text) != "!!str" => Style::DoubleQuoted,
            style => style,
        };
        if is_key && text.contains(is_break) {
            style = Style::DoubleQuoted;
        }
        if style == Style::Plain {
            let is_plain = if is_flow { fits.flow_plain } else { fits.plain };
            if !is_plain || (text.is_empty() && (is_flow || is_key)) {
                style = Style::SingleQuoted;
            }
        }
        match style {
            Style::SingleQuoted if !fits.single => Style::DoubleQuoted,
            Style::Literal | Style::Folded if !fits.block || is_flow || is_key => {
                Style::DoubleQuoted
            }
            style => style,
        }
    }

    /// Writes a text in a style that can hold it.
    pub(super) fn scalar(&mut self, text: &str, style: Style) {
        match style {
            Style::Plain => {
                if !text.is_empty() {
                    self.indicator(text, true, false, false);
                }
            }
            Style::SingleQuoted => self.single_quoted(text),
            Style::DoubleQuoted => self.indicator(&double_quoted(text), true, false, false),
            Style::Literal => self.literal(text),
            Style::Folded => self.folded(text),
        }
        self.is_indentation = self.is_indentation && !text.is_empty() && text.ends_with('\n');
    }

    fn single_quoted(&mut self, text: &str) {
        self.indicator("'", true, false, false);
        let mut is_after_break = false;
        for c in text.chars() {
            if c == '\n' {
                if !is_after_break {
                    self.put_break();
                }
                self.put_break();
                is_after_break = true;
                continue;
            }
            if is_after_break {
                self.write_indent();
            }
            let mut buffer = [0; 4];
            self.put(if c == '\'' {
                "''"
            } else {
                c.encode_utf8(&mut buffer)
            });
            self.is_indentation = false;
            is_after_break = false;
        }
        self.indicator("'", false, false, false);
    }

    /// Writes what stands behind `|` or `>`.
    fn block_head(&mut self, sign: &str, text: &str) {
        self.indicator(sign, true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut last = text.chars().rev();
        let chomp = match (last.next(), last.next()) {
            (Some(last), before) if is_break(last) => {
                if before.is_none_or(is_break) {
                    "+"
                } else {
                    ""
                }
            }
            _ => "-",
        };
        if !chomp.is_empty() {
            self.indicator(chomp, false, false, false);
        }
        if self.line.is_empty() {
            self.put_break();
        } else {
            self.write_line();
        }
        self.is_blank = true;
    }

    fn literal(&mut self, text: &str) {
        self.block_head("|", text);
        for line in text.split_inclusive('\n') {
            let content = line.strip_suffix('\n');
            let written = content.unwrap_or(line);
            if !written.is_empty() {
                self.write_indent();
                self.put(written);
                self.is_indentation = false;
            }
            if content.is_some() {
                self.put_break();
            }
        }
    }

    fn folded(&mut self, text: &str) {
        self.block_head(">", text);
        let begins_with_blank = |rest: &str| rest.starts_with([' ', '\t']);
        let after_leading = text.trim_start_matches('\n');
        // The library looks at the beginning of the whole text to know whether a line is empty.
        let leads = after_leading.is_empty() || begins_with_blank(after_leading);
        let mut is_after_break = true;
        let mut is_indented = true;
        for (at, c) in text.char_indices() {
            if c == '\n' {
                if !is_after_break && !is_indented && !leads {
                    self.put_break();
                }
                self.put_break();
                is_after_break = true;
                continue;
            }
            if is_after_break {
                self.write_indent();
                is_indented = begins_with_blank(&text[at..]);
            }
            self.put(c.encode_utf8(&mut [0; 4]));
            self.is_indentation = false;
            is_after_break = false;
        }
    }
}

/// What is read of a folded text that the library has written.
///
/// Where an indented line follows one that is not, it writes an empty line too many, and so it does at the end of text
/// that keeps its empty lines. kustomize writes every object once before it prints it.
pub(in crate::yaml) fn folded_again(text: &str) -> String {
    let is_indented = |line: &str| line.starts_with([' ', '\t']);
    let body = text.trim_start_matches('\n');
    if body.is_empty() || !Fits::new(text).block {
        return text.to_owned();
    }
    let leads = is_indented(body);
    let mut out = text[..text.len() - body.len()].to_owned();
    let mut rest = body;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
        rest = behind.trim_start_matches('\n');
        let breaks = behind.len() - rest.len();
        let written = breaks + usize::from(!is_indented(line) && !leads);
        let read = match (breaks, rest.is_empty()) {
            (0 | 1, true) => breaks,
            (_, true) => written,
            (_, false) if is_indented(line) || is_indented(rest) => written,
            (_, false) => written - 1,
        };
        out.push_str(line);
        out.push_str(&"\n".repeat(read));
        if read == 0 && !rest.is_empty() {
            out.push(' ');
        }
    }
    out
}

/// Writes a text in double quotes, with the escapes of the library.
fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let short = match c {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            c if is_printable(c) => {
                out.push(c);
                continue;
            }
            c => {
                let code = u32::from(c);
                let written = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
                written.expect("writing to a string");
                continue;
            }
        };
        out.push_str(short);
    }
    out.push('"');
    out
}
