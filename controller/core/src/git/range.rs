//! Ranges of versions, in the syntax and with the meaning of Masterminds/semver, which Flux v2 uses.
//!
//! Facts that differ from Rust's `semver::VersionReq`: constraints are separated by commas or
//! blanks, `||` means or, `1.2 - 1.4` is a range, `=1.2` and `1.2` mean `1.2.x`, `>1` leaves out
//! all of `1.x`, and a pre-release matches only if the group of constraints names one.
//! Both readers of versions are here too: [`version`] and the lenient [`short_version`].

mod parse;

use std::fmt;

use semver::Version;

/// A set of versions, for example `>=1.2.3 <2.0.0-0 || 3.x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    text: String,
    alternatives: Vec<Vec<Comparator>>,
}

/// A text that is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a range of versions: write for example \">=1.2.0 <2.0.0\", \"~1.4\", \"^1.0\" or \"1.x\""
)]
pub struct Error(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of a version a constraint wrote out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    Nothing,
    Major,
    Minor,
    Patch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    version: Version,
    written: Written,
}

/// Reads a tag as a version: three numbers, with or without a leading `v`.
pub fn version(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

/// Reads a tag as a version that leaves numbers out or fills them with zeros, as in `1`, `v1.2`, `2024.05.01`.
///
/// What is left out is zero. What [`version`] reads, this reads alike.
pub fn short_version(tag: &str) -> Option<Version> {
    parse::short_version(tag.strip_prefix('v').unwrap_or(tag))
}

impl Range {
    /// Whether the version lies within the range.
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|group| {
            let allows_pre = group.iter().any(|one| !one.version.pre.is_empty());
            (version.pre.is_empty() || allows_pre) && group.iter().all(|one| one.matches(version))
        })
    }
}

impl Comparator {
    fn matches(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.operator {
            Operator::Equal if self.written == Written::Patch => order.is_eq(),
            Operator::Equal | Operator::Tilde => order.is_ge() && self.matches_tilde(version),
            Operator::NotEqual if self.written == Written::Patch => order.is_ne(),
            Operator::NotEqual => !self.starts_like(version),
            Operator::Greater => {
                // ">*" is ">0.0.0", though ">1" is ">=2.0.0".
                let is_exact = matches!(self.written, Written::Nothing | Written::Patch);
                order.is_gt() && (is_exact || !self.starts_like(version))
            }
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => {
                order.is_le() || (self.written < Written::Patch && self.starts_like(version))
            }
            Operator::Caret => order.is_ge() && self.matches_caret(version),
        }
    }

    /// Whether the written parts, major and minor, are the same.
    fn starts_like(&self, version: &Version) -> bool {
        let (major, minor) = (
            self.version.major == version.major,
            self.version.minor == version.minor,
        );
        match self.written {
            Written::Nothing => true,
            Written::Major => major,
            Written::Minor | Written::Patch => major && minor,
        }
    }

    fn matches_tilde(&self, version: &Version) -> bool {
        // Masterminds: "~0.0.0 is a special case where all constraints are accepted".
        let zero = (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0);
        let is_any = zero && self.written == Written::Patch;
        is_any || self.starts_like(version)
    }

    fn matches_caret(&self, version: &Version) -> bool {
        let (
            Version {
                major,
                minor,
                patch,
                ..
            },
            wanted,
        ) = (version, &self.version);
        match (wanted.major, wanted.minor, self.written) {
            (_, _, Written::Nothing) => true,
            (1.., _, _) | (_, _, Written::Major) => *major == wanted.major,
            (0, 1.., _) | (_, _, Written::Minor) => *major == 0 && *minor == wanted.minor,
            (0, 0, Written::Patch) => (*major, *minor) == (0, 0) && *patch == wanted.patch,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
