//! Text of others on its way to a terminal: nothing in it may drive the terminal.

use std::borrow::Cow;

/// Shows control characters but tabs as escapes.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && c != '\t';
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().flat_map(|c| {
        let escape = is_harmful(c).then(|| c.escape_default());
        let plain = (!is_harmful(c)).then_some(c);
        escape.into_iter().flatten().chain(plain)
    });
    Cow::Owned(escaped.collect())
}

/// Shows control characters but tabs and line ends as escapes.
pub fn printable_lines(text: &str) -> String {
    let lines = text.split('\n').map(printable);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_drives_the_terminal() {
        let title = "\u{1b}]0;mine\u{7}";
        assert_eq!(printable("a\tb\nc"), "a\tb\\nc");
        assert_eq!(printable(title), "\\u{1b}]0;mine\\u{7}");
        assert_eq!(printable_lines("a\n\u{9b}2J"), "a\n\\u{9b}2J");
    }
}
