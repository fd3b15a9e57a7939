//! The message that says what changed.

use std::fmt;

use super::{Context, line};
use crate::edit::Change;
use crate::image::Image;

/// Characters of a subject, where that is possible.
const SUBJECT: usize = 72;
/// Values that the body names.
const MAX_LINES: usize = 200;
/// Trailers of one kind.
const MAX_TRAILERS: usize = 100;

/// The parts of the default message.
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) trailers: String,
}

impl Message {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let given = context
            .subject
            .map(line)
            .filter(|subject| !subject.is_empty());
        Self {
            subject: given.unwrap_or_else(|| subject(context.changes)),
            body: body(context.changes),
            trailers: trailers(context.changes),
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.subject, &self.body, &self.trailers];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        for (at, part) in parts.enumerate() {
            let gap = if at > 0 { "\n\n" } else { "" };
            write!(f, "{gap}{part}")?;
        }
        writeln!(f)
    }
}

/// An image that is updated, by its short name.
#[derive(PartialEq, Eq)]
struct Updated {
    name: String,
    tag: Option<String>,
}

impl fmt::Display for Updated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tag {
            Some(tag) => write!(f, "{} to {tag}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// `Update app to 1.4.2 (apps/production)`, or as much of that as fits.
fn subject(changes: &[Change]) -> String {
    let mut updated: Vec<Updated> = Vec::new();
    for change in changes {
        let update = updated_by(change);
        if !updated.contains(&update) {
            updated.push(update);
        }
    }
    let count = updated.len();
    let all: Vec<String> = updated.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = updated.iter().map(|update| update.name.as_str()).collect();
    let said = match all.as_slice() {
        [] => return "Update images".to_owned(),
        [one] => vec![format!("Update {one}")],
        [first @ .., last] => vec![
            format!("Update {} and {last}", first.join(", ")),
            format!("Update {count} images: {}", names.join(", ")),
            format!("Update {count} images"),
        ],
    };
    let places = places(changes);
    let fits = |subject: &String| subject.chars().count() <= SUBJECT;
    let with_place = |said: &String| {
        let subjects = places.iter().map(|place| format!("{said} ({place})"));
        subjects.chain([said.clone()]).find(fits)
    };
    let fallback = said.last().cloned().unwrap_or_default();
    said.iter().find_map(with_place).unwrap_or(fallback)
}

fn updated_by(change: &Change) -> Updated {
    let path = change.image.path();
    Updated {
        name: line(path.rsplit('/').next().unwrap_or(path)),
        tag: change.tag.as_deref().map(line),
    }
}

/// Where all files lie: the directory in full, and its last part.
fn places(changes: &[Change]) -> Vec<String> {
    let mut directories = changes.iter().map(|change| {
        let directory = change.path.rsplit_once('/');
        let directory = directory.map_or("", |(directory, _)| directory);
        directory.split('/').collect::<Vec<_>>()
    });
    let first = directories.next().unwrap_or_default();
    let common = directories.fold(first, |common, other| {
        let same = common.iter().zip(&other).take_while(|(a, b)| a == b);
        common[..same.count()].to_vec()
    });
    let full = line(&common.join("/"));
    let last = line(common.last().copied().unwrap_or_default());
    [full, last]
        .into_iter()
        .filter(|place| !place.is_empty())
        .collect()
}

fn body(changes: &[Change]) -> String {
    let mut lines: Vec<String> = changes.iter().take(MAX_LINES).map(described).collect();
    if let Some(more) = changes
        .len()
        .checked_sub(MAX_LINES)
        .filter(|more| *more > 0)
    {
        lines.push(format!("- and {more} more"));
    }
    lines.join("\n")
}

/// `- ghcr.io/org/app:1.4.1 → ghcr.io/org/app:1.4.2 (apps/app.yaml:12)`
fn described(change: &Change) -> String {
    let (old, new) = (line(&change.old), line(&change.new));
    let is_whole = change
        .new
        .parse::<Image>()
        .is_ok_and(|image| image.tag.is_some());
    let image = if is_whole {
        String::new()
    } else {
        format!("{}: ", change.image)
    };
    format!(
        "- {image}{old} → {new} ({}:{})",
        line(&change.path),
        change.line
    )
}

fn trailers(changes: &[Change]) -> String {
    let policies = changes.iter().filter_map(|change| {
        let policy = change.policy.as_ref()?;
        Some(format!("Image-Policy: {}", line(&policy.to_string())))
    });
    let objects = changes
        .iter()
        .filter_map(|change| change.object.as_deref())
        .map(|object| format!("Object: {}", line(object)));
    let mut trailers = distinct(policies);
    trailers.extend(distinct(objects));
    trailers.join("\n")
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.contains(&text) && distinct.len() < MAX_TRAILERS {
            distinct.push(text);
        }
    }
    distinct
}
