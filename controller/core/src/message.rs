//! The message of a commit that updates images.
//!
//! Names of files, objects and containers come from the repository, and authors from a person. They
//! are shown without control characters and line breaks, so that none of them makes a line, and by
//! that a trailer, of its own.

mod default;
mod template;

use crate::edit::Change;

/// Longest message, in bytes.
const MAX_LENGTH: usize = 64 * 1024;
/// Longest text from outside in a message, in characters.
const MAX_TEXT: usize = 256;

/// Failure to make a message of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The template does not parse, or asks for what there is not.
    #[error("the template of the commit message, line {line}: {reason}")]
    Template {
        /// The line of the template, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Nothing comes out of the template.
    #[error(
        "the template of the commit message gives an empty first line: begin it with {{{{ subject }}}}"
    )]
    Empty,
    /// Too much comes out of the template.
    #[error("the template of the commit message gives more than {MAX_LENGTH} bytes")]
    TooLong,
}

/// What a message is about.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// Who makes the commit: `Ada <ada@example.com>`.
    pub author: &'c str,
    /// The branch that is pushed to.
    pub branch: &'c str,
    /// The subject that a person gave; without one it says what changed.
    pub subject: Option<&'c str>,
    /// What changed.
    pub changes: &'c [Change],
}

/// Returns the message of a commit, of a template or the default one.
///
/// The default has a subject that says it all, in 72 characters where that is possible, a line for each value that
/// changed, and the trailers `Image-Policy` and `Object`.
///
/// # Errors
/// The template is wrong; no other commit will make it right.
pub fn render(template: Option<&str>, context: &Context<'_>) -> Result<String, Error> {
    let default = default::Message::new(context);
    match template {
        None => Ok(default.to_string()),
        Some(text) => template::render(text, context, &default),
    }
}

/// Checks a template, by an example.
pub fn check(template: &str) -> Result<(), Error> {
    let example = template::example();
    let context = Context {
        author: "Ada <ada@example.com>",
        branch: "main",
        subject: None,
        changes: &example,
    };
    render(Some(template), &context).map(drop)
}

/// Makes one line of a text from outside.
fn line(text: &str) -> String {
    // Marks that turn the direction of writing could make a line read as another one.
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String = text
        .chars()
        .map(|c| if is_harmful(c) { ' ' } else { c })
        .take(MAX_TEXT)
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests;
