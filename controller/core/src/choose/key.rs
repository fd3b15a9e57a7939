//! What tags are compared by.

use std::cmp::Ordering;

use semver::Version;

use super::number::Number;
use crate::git::range;

/// What a tag is compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A version.
    Version {
        /// The version.
        version: Version,
        /// Whether all three numbers are written, without leading zeros.
        is_full: bool,
    },
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// The creation time, which the registry knows.
    Created,
}

impl Key {
    pub(super) fn version(text: &str) -> Option<Self> {
        let full = range::version(text);
        let is_full = full.is_some();
        let version = full.or_else(|| range::short_version(text))?;
        Some(Self::Version { version, is_full })
    }

    pub(super) fn number(text: &str) -> Option<Self> {
        Number::parse(text).map(Self::Number)
    }

    pub(super) fn is_full(&self) -> bool {
        !matches!(self, Self::Version { is_full: false, .. })
    }

    /// Keys of one set of rules are of one sort; others are equal.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Version { version: a, .. }, Self::Version { version: b, .. }) => {
                a.cmp_precedence(b)
            }
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Version { .. } | Self::Number(_) | Self::Text(_) | Self::Created, _) => {
                Ordering::Equal
            }
        }
    }
}
