//! ini: `key = value` lines in sections, the metadata in a section of its own.

use super::keys::Keyring;
use super::metadata::Metadata;
use super::session::{Session, Value};
use super::{Error, Plain};

/// What the lines before the first section belong to.
const DEFAULT: &str = "DEFAULT";

pub(super) fn decrypt(bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(None);
    };
    let own = lines(text).filter_map(|(section, line)| match line {
        Line::Pair(name, value) if section == "sops" => Some((name, value)),
        _ => None,
    });
    let Some(metadata) = Metadata::from_flat(own) else {
        return Ok(None);
    };
    let mut session = Session::new(metadata, keyring)?;
    // A comment belongs to what follows it, which may be a section that has not begun yet.
    let places: Vec<String> = lines(text)
        .map(|(section, _)| format!("{section}:"))
        .collect();
    let mut out = String::new();
    for (section, line) in lines(text).filter(|(section, _)| *section != "sops") {
        let new = match line {
            Line::Pair(name, value) => {
                let path = [section.to_owned(), name.to_owned()];
                let clear = session.text(&path, unquoted(value))?;
                let new = clear.as_ref().map(Value::to_text);
                let new = new.map_or_else(|| value.to_owned(), |new| quoted(&new));
                format!("{name} = {new}")
            }
            Line::Comment(mark, comment) => match session.comment(comment.trim(), &places) {
                Some(clear) => format!("{mark} {}", clear.as_str()),
                None => format!("{mark}{comment}"),
            },
            Line::Other(line) => line.to_owned(),
        };
        out.push_str(&new);
        out.push('\n');
    }
    // The empty line in front of the metadata is of sops.
    out.truncate(out.trim_end().len());
    out.push('\n');
    session.plain(out.into_bytes())
}

enum Line<'t> {
    Pair(&'t str, &'t str),
    Comment(char, &'t str),
    Other(&'t str),
}

/// Returns the lines with the section that each belongs to.
fn lines(text: &str) -> impl Iterator<Item = (&str, Line<'_>)> {
    let mut section = DEFAULT;
    text.lines().map(move |line| {
        let bare = line.trim();
        let name = bare
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name {
            section = name.trim();
            return (section, Line::Other(line));
        }
        let line = match bare.chars().next() {
            Some(mark @ (';' | '#')) => Line::Comment(mark, bare.trim_start_matches(mark)),
            _ => match bare.split_once('=') {
                Some((name, value)) => Line::Pair(name.trim(), value.trim()),
                None => Line::Other(line),
            },
        };
        (section, line)
    })
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: &str| value.strip_prefix(quote)?.strip_suffix(quote);
    inner("`").or_else(|| inner("\"")).unwrap_or(value)
}

/// Returns a value as it reads back.
fn quoted(value: &str) -> String {
    if value.contains('\n') {
        format!("\"\"\"{value}\"\"\"")
    } else if value.contains(['#', ';', '"', '=']) || value.trim() != value {
        format!("`{value}`")
    } else {
        value.to_owned()
    }
}
