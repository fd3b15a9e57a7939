//! The text of a message: ours, or of the user's template.

use super::{Error, Notice, Sink, template, text};

/// What every chat shows, each in its own way. Nothing in it is escaped yet.
pub(super) struct Body {
    /// One line.
    pub(super) title: String,
    /// Any number of lines.
    pub(super) text: String,
    /// The page of the commit.
    pub(super) link: Option<String>,
}

impl Body {
    /// Returns what is said about a notice, without the sink's own secrets.
    pub(super) fn of(notice: &Notice, sink: &Sink) -> Result<Self, Error> {
        let details = match &sink.template {
            Some(template) => template::render(template, notice)?,
            None => text::details(notice),
        };
        Ok(Self {
            title: sink.scrub(&text::title(notice)),
            text: sink.scrub(&details),
            link: super::commit_status::page(notice),
        })
    }
}
