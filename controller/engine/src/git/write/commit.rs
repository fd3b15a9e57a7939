//! The bytes of a commit, as git itself would write them.

use std::fmt::Write as _;

use flux_core::git::ObjectId;
use jiff::Zoned;

use super::{Draft, Error, Person};

const MAX_MESSAGE: usize = 64 << 10;

/// Returns the bytes of a commit, signed if the draft says so.
pub(super) fn bytes<E: std::error::Error>(
    draft: &Draft<'_>,
    tree_id: ObjectId,
    parent_id: ObjectId,
) -> Result<Vec<u8>, Error<E>> {
    let when = when(&draft.time);
    let author = identity(&draft.author).ok_or(Error::Draft("the author has no name"))?;
    let committer = identity(&draft.committer).ok_or(Error::Draft("the committer has no name"))?;
    let message = message(&draft.message)?;
    let head = format!(
        "tree {tree_id}\nparent {parent_id}\nauthor {author} {when}\ncommitter {committer} {when}\n"
    );
    let Some(signer) = draft.signer else {
        return Ok(format!("{head}\n{message}").into_bytes());
    };
    let signature = signer
        .sign(format!("{head}\n{message}").as_bytes())
        .ok_or(Error::Draft("the signing key does not sign"))?;
    let mut bytes = head + "gpgsig";
    for line in signature.trim_end().lines() {
        bytes.push(' ');
        bytes.push_str(line.trim_end_matches('\r'));
        bytes.push('\n');
    }
    Ok(format!("{bytes}\n{message}").into_bytes())
}

/// `Jane Doe <jane@example.com>`, without what git cannot store; `None` if nothing is left of the name.
fn identity(person: &Person) -> Option<String> {
    let name = tidy(&person.name);
    (!name.is_empty()).then(|| format!("{name} <{}>", tidy(&person.email)))
}

/// Does what git does to names: `<`, `>` and line ends go, and punctuation at both ends.
fn tidy(text: &str) -> String {
    let is_crud = |c: char| c <= ' ' || ".,:;<>\"\\'".contains(c) || c == '\u{7f}';
    let kept = |c: &char| !matches!(c, '<' | '>' | '\n' | '\r' | '\0');
    text.trim_matches(is_crud).chars().filter(kept).collect()
}

/// Seconds and the offset of the time zone, `1767225600 +0200`.
fn when(time: &Zoned) -> String {
    let seconds = time.timestamp().as_second().max(0);
    let minutes = time.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{seconds} {sign}{:02}{:02}", minutes / 60, minutes % 60)
}

/// Tidies a message as `git commit` does: no blanks at line ends, no empty lines around or doubled.
fn message<E: std::error::Error>(text: &str) -> Result<String, Error<E>> {
    if text.len() > MAX_MESSAGE {
        return Err(Error::Draft("the message is longer than 64 KiB"));
    }
    let text = text.replace('\0', "");
    let mut tidy = String::new();
    let mut is_after_gap = false;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            is_after_gap = true;
            continue;
        }
        let gap = if is_after_gap && !tidy.is_empty() {
            "\n"
        } else {
            ""
        };
        // Writing to a String does not fail.
        writeln!(tidy, "{gap}{line}").ok();
        is_after_gap = false;
    }
    if tidy.is_empty() {
        return Err(Error::Draft("the message is empty"));
    }
    Ok(tidy)
}

#[cfg(test)]
mod tests;
