//! How well a registry answers.

use std::time::Duration;

/// How the registry treats requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Conduct {
    /// As a registry should.
    #[default]
    Good,
    /// Waits this long before each answer.
    Slow(Duration),
    /// Answers with this status.
    Failing(u16),
    /// Answers 429 with this `Retry-After`.
    Busy(String),
    /// Answers 401 with this `WWW-Authenticate`.
    Challenging(String),
    /// Does not answer.
    Hanging,
    /// Breaks the connection in the middle of the body.
    Cutting,
    /// Sends half of the body as if it were all.
    Halving,
    /// Sends a page of HTML as if it were what was asked for.
    Garbage,
    /// Sends this body as if it were what was asked for.
    Saying(String),
    /// Adds a link to this next page to each answer.
    Linking(String),
    /// Makes the links to next pages absolute, as registries do that do not know their own scheme.
    AbsoluteLinks,
    /// Redirects to this address.
    Redirecting(String),
    /// Answers without the digest's header.
    WithoutDigest,
}
