//! Calls of git servers and registries that say that something was pushed.
//!
//! ```text
//! headers, body ─► verify (signature or token) ─► read ─► News: refs, images, or nothing to do
//! ```
//!
//! A call can do no more than wake an object, so that reading is lenient where verifying is strict: what is signed and not
//! understood counts as news about everything.

mod git;
mod image;
mod verify;

#[cfg(test)]
mod tests;

use flux_crds::git_repository::{GitReference, WebhookKind};
use flux_crds::image_policy::ImageWebhookKind;

pub use verify::{path, verify};

/// Who calls; it decides how a call is signed and what its body looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// A git server.
    Git(WebhookKind),
    /// A registry.
    Registry(ImageWebhookKind),
}

/// One call. Names of headers are matched as HTTP does, in any case.
pub struct Call<'a> {
    /// Returns the value of a header.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The body as it was received.
    pub body: &'a [u8],
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        (self.header)(name)
    }
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The header with the signature or the token is missing.
    #[error("the call is not signed: no header {0}")]
    Unsigned(&'static str),
    /// The signature or token is another.
    #[error("the signature or token in the header {0} is wrong")]
    Forged(&'static str),
    /// The body does not say what such a call says.
    #[error("the body is not what this kind of webhook sends as application/json")]
    Body,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// References of the repository moved; none named means that any may have.
    Refs(Vec<String>),
    /// Images were pushed.
    Images(Vec<Pushed>),
    /// The server tries whether we are there, or tells of something else.
    Nothing,
}

/// An image that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The path in the registry, such as `org/app`. The host is left out: the registry may know itself by another name.
    pub path: String,
    /// The tag, if the call names one.
    pub tag: Option<String>,
}

/// Returns what a verified call is about.
pub fn read(sender: Sender, call: &Call<'_>) -> Result<News, Error> {
    match sender {
        Sender::Git(kind) => git::read(kind, call),
        Sender::Registry(kind) => image::read(kind, call),
    }
}

/// Returns whether a push to these references can move what is followed.
pub fn concerns(reference: Option<&GitReference>, refs: &[String]) -> bool {
    let Some(reference) = reference else {
        return true;
    };
    let is_among = |name: &str| refs.is_empty() || refs.iter().any(|pushed| pushed == name);
    if let Some(branch) = &reference.branch {
        is_among(&format!("refs/heads/{branch}"))
    } else if let Some(tag) = &reference.tag {
        is_among(&format!("refs/tags/{tag}"))
    } else if reference.semver.is_some() {
        refs.is_empty() || refs.iter().any(|pushed| pushed.starts_with("refs/tags/"))
    } else if let Some(name) = &reference.name {
        is_among(name)
    } else {
        true
    }
}
