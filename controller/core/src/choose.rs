//! Which tag of an image is the one to run.
//!
//! ```text
//! tags ─► Filter ─► Key ─► Rules::choose ─► decide ─► status.latest
//!         counts?   compared  the best one    believed?
//! ```
//!
//! | policy | what is compared | what does not count |
//! |---|---|---|
//! | `semver` | the version, as semver orders them | no version, or outside of the range |
//! | `numerical` | the number: any length, decimals, exactly | no number |
//! | `alphabetical` | the bytes of the text | |
//! | `newest` | when the image was made | a time of 1980 or before, which build tools write in place of one; `latest` |
//!
//! What is compared is the tag, or what `filter.extract` makes of it. Ties are broken by rule: of
//! equal ones the tag that sorts last by its bytes is chosen, whatever the order of the policy.
//! Versions with fewer than three numbers or with leading zeros (`1.2`, `20240501`) count only
//! where no tag of the range is written in full: next to `1.2.3`, the tags `1` and `1.2` are moving.

mod decide;
mod filter;
mod key;
mod number;

use std::cmp::Ordering;
use std::collections::HashMap;

use flux_crds::image_policy::{self, Order, Policy};
use jiff::Timestamp;

use crate::git::{Range, range};

pub use decide::{Decision, Look, Reason, decide};
pub use key::Key;

/// When the images of tags were made, as far as it is known.
pub type Created = HashMap<String, Timestamp>;

/// A filter or a policy that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A regular expression does not parse, or is too large.
    #[error("{field} {pattern:?} is not a regular expression: {reason}")]
    Pattern {
        /// The field of the spec.
        field: &'static str,
        /// What it holds.
        pattern: String,
        /// What is wrong with it, in one line.
        reason: String,
    },
    /// `extract` names a group that `include` does not have.
    #[error(
        "filter.extract {extract:?} names the group {group:?}, which filter.include does not have: write for example \"(?P<{group}>[0-9]+)\" there"
    )]
    Group {
        /// The field.
        extract: String,
        /// The name or number of the group.
        group: String,
    },
    /// The range does not parse.
    #[error("policy.semver.range {0}")]
    Range(range::Error),
    /// There is no policy.
    #[error("policy has none of semver, numerical, alphabetical and newest: set one")]
    NoPolicy,
}

/// A filter and a policy, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rules {
    filter: filter::Filter,
    order: By,
}

#[derive(Clone, Debug)]
enum By {
    Version(Range),
    Number(Order),
    Text(Order),
    Created,
}

/// The tags that count, and what each is compared by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// The tags that count, in the order of the registry's list.
    pub candidates: Vec<Candidate>,
    /// How many tags pass the filter but are no version or no number.
    pub skipped: usize,
}

/// A tag that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The tag, as the registry has it.
    pub tag: String,
    /// What it is compared by.
    pub key: Key,
}

impl Matching {
    /// Leaves a tag out, for example one without an image for the platform.
    pub fn remove(&mut self, tag: &str) {
        self.candidates.retain(|candidate| candidate.tag != tag);
    }
}

impl Rules {
    /// Reads the filter and the policy of a spec.
    pub fn compile(filter: Option<&image_policy::Filter>, policy: &Policy) -> Result<Self, Error> {
        let order = match policy {
            Policy {
                semver: Some(semver),
                ..
            } => By::Version(semver.range.parse().map_err(Error::Range)?),
            Policy {
                numerical: Some(numerical),
                ..
            } => By::Number(numerical.order.unwrap_or_default()),
            Policy {
                alphabetical: Some(alphabetical),
                ..
            } => By::Text(alphabetical.order.unwrap_or_default()),
            Policy {
                newest: Some(_), ..
            } => By::Created,
            Policy { .. } => return Err(Error::NoPolicy),
        };
        let filter = filter::Filter::compile(filter)?;
        Ok(Self { filter, order })
    }

    /// Reads the filter of a Flux v1 annotation: `glob:…`, `semver:…`, `regexp:…`, and a glob without any of them.
    ///
    /// Globs and regular expressions choose by creation time there, and expressions may match a part of the tag.
    pub fn from_flux_v1(pattern: &str) -> Result<Self, Error> {
        if let Some(range) = pattern.strip_prefix("semver:") {
            let order = By::Version(range.trim().parse().map_err(Error::Range)?);
            let filter = filter::Filter::compile(None)?;
            return Ok(Self { filter, order });
        }
        let filter = filter::Filter::from_flux_v1(pattern)?;
        let order = By::Created;
        Ok(Self { filter, order })
    }

    /// Whether the creation times of the candidates must be known to choose.
    pub fn needs_created(&self) -> bool {
        matches!(self.order, By::Created)
    }

    /// Returns the tags that count; each one once, however often the list has it.
    pub fn matching(&self, tags: &[String]) -> Matching {
        let mut matching = Matching::default();
        let mut seen = std::collections::HashSet::with_capacity(tags.len());
        for tag in tags.iter().filter(|tag| seen.insert(tag.as_str())) {
            let Some(text) = self.filter.text(tag, self.needs_created()) else {
                continue;
            };
            match self.key(&text) {
                None => matching.skipped += 1,
                Some(key) if self.is_in_range(&key) => matching.candidates.push(Candidate {
                    tag: tag.clone(),
                    key,
                }),
                Some(_) => {}
            }
        }
        matching
    }

    /// Returns the tag to run, if any tag counts.
    pub fn choose(&self, matching: &Matching, created: &Created) -> Option<String> {
        let known = |candidate: &&Candidate| {
            !self.needs_created() || time(&candidate.tag, created).is_some()
        };
        let best = matching
            .candidates
            .iter()
            .filter(known)
            .max_by(|a, b| self.prefer(a, b, created))?;
        Some(best.tag.clone())
    }

    /// Returns the candidates, the one to run first; those of unknown creation time last, where that matters.
    pub fn sort<'a>(&self, matching: &'a Matching, created: &Created) -> Vec<&'a str> {
        let mut sorted: Vec<_> = matching.candidates.iter().collect();
        sorted.sort_by(|a, b| self.prefer(b, a, created));
        sorted
            .into_iter()
            .map(|candidate| candidate.tag.as_str())
            .collect()
    }

    /// Whether `tag` is above `other`; none if one of them cannot be compared.
    ///
    /// Neither has to be in the list or in the range any more, so that a tag that was withdrawn still has its place.
    pub fn rank(&self, tag: &str, other: &str, created: &Created) -> Option<Ordering> {
        let key = |tag: &str| self.key(&self.filter.text(tag, self.needs_created())?);
        let (key, other_key) = (key(tag)?, key(other)?);
        if self.needs_created() {
            return Some(time(tag, created)?.cmp(&time(other, created)?));
        }
        Some(self.compare(&key, &other_key))
    }

    fn key(&self, text: &str) -> Option<Key> {
        match &self.order {
            By::Version(_) => Key::version(text),
            By::Number(_) => Key::number(text),
            By::Text(_) => Some(Key::Text(text.to_owned())),
            By::Created => Some(Key::Created),
        }
    }

    fn is_in_range(&self, key: &Key) -> bool {
        match (&self.order, key) {
            (By::Version(range), Key::Version { version, .. }) => range.matches(version),
            (By::Version(_) | By::Number(_) | By::Text(_) | By::Created, _) => true,
        }
    }

    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        match self.order {
            By::Number(Order::Descending) | By::Text(Order::Descending) => b.compare(a),
            By::Version(_)
            | By::Created
            | By::Number(Order::Ascending)
            | By::Text(Order::Ascending) => a.compare(b),
        }
    }

    /// The whole order of candidates: full versions above short ones, then the policy, then the tag.
    fn prefer(&self, a: &Candidate, b: &Candidate, created: &Created) -> Ordering {
        let time_of =
            |candidate: &Candidate| self.needs_created().then(|| time(&candidate.tag, created));
        (a.key.is_full().cmp(&b.key.is_full()))
            .then_with(|| time_of(a).cmp(&time_of(b)))
            .then_with(|| self.compare(&a.key, &b.key))
            .then_with(|| a.tag.cmp(&b.tag))
    }
}

/// The creation time of a tag, if it is one: build tools write 1970 or 1980 to make builds reproducible.
fn time(tag: &str, created: &Created) -> Option<Timestamp> {
    const LAST_PLACEHOLDER: i64 = 315_619_200; // 1980-01-02, with room for time zones
    let time = *created.get(tag)?;
    (time.as_second() > LAST_PLACEHOLDER).then_some(time)
}

#[cfg(test)]
mod tests;
