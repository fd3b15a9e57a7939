//! Words for people, and how each place wants them written so that nothing in them does more than be read.

use super::{Kind, Notice};
use crate::change;
use crate::conclude::truncate;

/// Digits of a commit that people read.
const SHORT: usize = 12;
/// Bytes of the list of changes.
const CHANGES: usize = 1500;
/// Changed images that are named.
const IMAGES: usize = 10;

/// Returns the revision with a short commit: `main@sha1:5f701c1a2b3c`.
pub(super) fn revision(notice: &Notice) -> Option<String> {
    let revision = notice.revision.as_deref()?;
    let Some(id) = notice.commit_id() else {
        return Some(revision.to_owned());
    };
    let short = id.get(..SHORT).unwrap_or(&id);
    Some(revision.replace(&id, short))
}

/// Returns one line that says it all: `Sync shop/web: applied main@sha1:5f701c1a2b3c`.
pub(super) fn title(notice: &Notice) -> String {
    let object = &notice.object;
    let what = match notice.kind {
        Kind::Progressing => "is being applied".to_owned(),
        Kind::Applied => "applied".to_owned(),
        Kind::Failed => format!("failed ({})", notice.reason),
        Kind::RolledBack => "rolled back".to_owned(),
        Kind::Recovered => "is well again".to_owned(),
        Kind::Drift => "the cluster was changed by others".to_owned(),
        Kind::ImageUpdate => "committed newer images".to_owned(),
    };
    let revision = match (revision(notice), notice.kind) {
        (None, _) => String::new(),
        (Some(revision), Kind::Applied) => format!(" {revision}"),
        (Some(revision), Kind::ImageUpdate) => format!(" as {revision}"),
        (Some(revision), _) => format!(" at {revision}"),
    };
    let cluster = match notice.cluster.as_str() {
        "" => String::new(),
        cluster => format!(" [{cluster}]"),
    };
    format!(
        "{} {}/{}: {what}{revision}{cluster}",
        object.kind, object.namespace, object.name
    )
}

/// Returns what the title leaves out, as plain lines.
pub(super) fn details(notice: &Notice) -> String {
    let mut lines = Vec::new();
    if let Some(commit) = &notice.commit {
        lines.push(format!(
            "{} ({})",
            truncate(&line(&commit.subject), 256),
            truncate(&line(&author(&commit.author)), 128)
        ));
    }
    if !matches!(notice.kind, Kind::Applied) && !notice.message.is_empty() {
        lines.push(notice.message.clone());
    }
    lines.extend(images(notice));
    if !notice.changes.is_empty() {
        lines.push(change::summary(&notice.changes, CHANGES));
        let named = notice.changes.len();
        if notice.changed > named {
            lines.push(format!("… {} objects in all", notice.changed));
        }
    }
    lines.join("\n")
}

fn images(notice: &Notice) -> Vec<String> {
    let mut lines: Vec<String> = notice
        .images
        .iter()
        .take(IMAGES)
        .map(|change| format!("{}: {} → {}", change.path, change.old, change.new))
        .collect();
    if notice.images.len() > IMAGES {
        lines.push(format!("… and {} more", notice.images.len() - IMAGES));
    }
    lines
}

/// Returns a name without the address behind it: a channel is read by more people than a repository.
pub(super) fn author(author: &str) -> String {
    author
        .split_once(" <")
        .map_or(author, |(name, _)| name)
        .to_owned()
}

/// Returns a text without line breaks and control characters.
pub(super) fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Cuts a text to so many UTF-16 units, which is what most chats count, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.encode_utf16().count() <= limit {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

/// Writes a text for Slack: its three control characters, by which links, mentions and dates begin.
pub(super) fn slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Writes a text for HTML.
pub(super) fn html(text: &str) -> String {
    slack(text).replace('"', "&quot;").replace('\'', "&#39;")
}

/// Writes a text for Discord's Markdown.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '*'
                | '_'
                | '~'
                | '`'
                | '|'
                | '>'
                | '<'
                | '#'
                | '['
                | ']'
                | '('
                | ')'
                | '-'
                | '@'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Writes a text as one part of a path in a URL.
pub(super) fn path_part(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
