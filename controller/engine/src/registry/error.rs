//! What can go wrong with a registry, and whether trying again may help.

use std::time::Duration;

use crate::tls;

/// Failure of work with a registry.
///
/// No variant holds a password or a token. It can be cloned, since all who share a scan get the same.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The name or tag of the image cannot be a part of an address.
    #[error("{image} cannot be asked for: {message}")]
    Address {
        /// The image.
        image: String,
        /// What is wrong with it.
        message: String,
    },
    /// The certificates of the Secret cannot be used.
    #[error(transparent)]
    Certificates(#[from] tls::Error),
    /// The password or token of the Secret cannot be sent.
    #[error(
        "the credentials for {host} cannot be sent: they hold characters that HTTP does not allow"
    )]
    Credentials {
        /// Host and port.
        host: String,
    },
    /// No connection, or one that broke off.
    #[error("no answer from {host}: {message}")]
    Connect {
        /// Host and port.
        host: String,
        /// What happened.
        message: String,
    },
    /// No trust.
    #[error(
        "no TLS with {host}: {message} (an authority of one's own belongs under ca.crt in the Secret of spec.certSecretRef)"
    )]
    Tls {
        /// Host and port.
        host: String,
        /// What happened.
        message: String,
    },
    /// The registry wants other credentials, or any.
    #[error("{host} does not let us read {image}: {hint}")]
    Unauthorized {
        /// Host and port of the one who refused, the registry or its token server.
        host: String,
        /// The image.
        image: String,
        /// What to do.
        hint: &'static str,
    },
    /// The registry knows who we are and says no.
    #[error("{host} forbids to read {image}{message}")]
    Forbidden {
        /// Host and port.
        host: String,
        /// The image.
        image: String,
        /// What the registry says, behind a colon, or nothing.
        message: String,
    },
    /// There is no such image, tag or digest, or the registry hides it.
    #[error("{what} was not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The registry asks for patience; until then it is not asked.
    #[error("{host} asks to wait {} s before the next request", whole_seconds(*retry_after))]
    TooManyRequests {
        /// Host and port.
        host: String,
        /// How long from now.
        retry_after: Duration,
    },
    /// Any other answer.
    #[error("{host} answered {status}{message}")]
    Status {
        /// Host and port.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What the registry says, behind a colon, or nothing.
        message: String,
    },
    /// A redirect or a next page that must not be followed.
    #[error("{host} sends us where we do not go: {why}")]
    Redirect {
        /// Host and port.
        host: String,
        /// Why not.
        why: &'static str,
    },
    /// The registry does not speak as expected.
    #[error("{host} is not understood: {message}")]
    Protocol {
        /// Host and port.
        host: String,
        /// What is wrong.
        message: String,
    },
    /// The answer is larger than allowed.
    #[error("{host} sends more than the {limit} {unit} allowed")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// The time is over.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// Host and port.
        host: String,
    },
    /// The image exists, but not for the platform.
    #[error("{image} does not exist for {platform}")]
    NoPlatform {
        /// The image with its tag or digest.
        image: String,
        /// The platform.
        platform: String,
    },
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Later it may work without anyone doing anything.
    Transient,
    /// Someone has to change the policy, a Secret, or something in the registry first.
    Failed,
}

impl Error {
    /// Returns whether trying again may help.
    pub fn class(&self) -> Class {
        match self {
            Self::Connect { .. }
            | Self::TooManyRequests { .. }
            | Self::Status { .. }
            | Self::Protocol { .. }
            | Self::TimedOut { .. } => Class::Transient,
            Self::Address { .. }
            | Self::Certificates(_)
            | Self::Credentials { .. }
            | Self::Tls { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::NoPlatform { .. } => Class::Failed,
        }
    }

    /// Returns how long not to ask again, if the registry says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Rounds up: zero seconds would read as if there were nothing to wait for.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
