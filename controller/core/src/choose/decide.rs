//! Whether the choice of one look at the registry becomes the image to run.
//!
//! A list of tags may be wrong: half a page, a registry restored from a backup, a proxy without its
//! upstream. So a list may move the image up, and only with care anywhere else:
//!
//! 1. An empty answer changes nothing.
//! 2. What a person changed in the spec is believed: another image, filter, policy or platform makes the choice afresh.
//! 3. A tag above the one that runs is taken at once, unless the running tag is gone and the list got shorter as well.
//! 4. A tag below it is taken only with `allowDowngrade`.
//! 5. What is not taken at once needs the same answer from the next look.
//! 6. A lock keeps the image, whatever happens; what would be taken waits.

use std::cmp::Ordering;
use std::fmt;

use flux_crds::{ImagePolicySpec, ImagePolicyStatus};
use jiff::Timestamp;
use serde_json::json;

use super::{Created, Matching, Rules};
use crate::hash;
use crate::image::Name;

/// What one look at the registry found.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// All tags of the image.
    pub tags: &'a [String],
    /// Those that count.
    pub matching: &'a Matching,
    /// When they were made, for the policy that needs it.
    pub created: &'a Created,
}

/// What to do after a look at the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The tag to run: for `status.latest`. None if there never was one of this image.
    pub latest: Option<String>,
    /// The tag that a lock holds back: for `status.pending`.
    pub pending: Option<String>,
    /// What this look alone would choose: for `status.scan.choice`.
    pub choice: Option<String>,
    /// The digest of the rules that `latest` was chosen by: for `status.rules`.
    pub rules: Option<String>,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// Whether the same answer from another look would change something, so that it is worth to look again soon.
    pub fn wants_second_look(&self) -> bool {
        matches!(self.reason, Reason::Doubted { .. })
    }
}

/// Why a tag is, or is not, the one to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing was chosen before, or the spec asks for something else than before.
    Fresh,
    /// It is above the one before.
    Newer,
    /// Two looks in a row gave the same answer.
    Confirmed,
    /// It is the one that ran before.
    Unchanged,
    /// There are no tags at all.
    Empty,
    /// There are tags, and none of them counts.
    NoMatch {
        /// How many tags there are.
        tags: usize,
        /// How many pass the filter but are no version or no number.
        skipped: usize,
    },
    /// The list looks incomplete: the answer must come twice.
    Doubted {
        /// The tag that runs.
        running: String,
        /// The tag that the list would choose.
        choice: String,
    },
    /// It is below the one that runs.
    Downgrade {
        /// The tag that runs.
        running: String,
        /// The tag that the list would choose.
        choice: String,
    },
    /// A person holds the image.
    Locked {
        /// Who.
        by: String,
        /// The tag that would be taken.
        choice: String,
    },
}

impl Reason {
    /// Whether another tag than before is to run.
    pub fn is_move(&self) -> bool {
        match self {
            Self::Fresh | Self::Newer | Self::Confirmed => true,
            Self::Unchanged
            | Self::Empty
            | Self::NoMatch { .. }
            | Self::Doubted { .. }
            | Self::Downgrade { .. }
            | Self::Locked { .. } => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("chosen by the policy"),
            Self::Newer => f.write_str("above the tag before"),
            Self::Confirmed => f.write_str("chosen twice in a row"),
            Self::Unchanged => f.write_str("unchanged"),
            Self::Empty => f.write_str("the registry lists no tags: nothing changes"),
            Self::NoMatch { tags, skipped: 0 } => {
                write!(f, "none of {tags} tags matches the filter and the policy")
            }
            Self::NoMatch { tags, skipped } => write!(
                f,
                "none of {tags} tags matches the filter and the policy, {skipped} pass the filter and are not what the policy compares"
            ),
            Self::Doubted { running, choice } => write!(
                f,
                "the list of tags may be incomplete: {choice} follows {running} if the next scan says the same"
            ),
            Self::Downgrade { running, choice } => write!(
                f,
                "the best tag is {choice}, which is below {running}: it stays, unless allowDowngrade is set"
            ),
            Self::Locked { by, choice } => write!(f, "locked by {by}, {choice} waits"),
        }
    }
}

/// Decides what a look at the registry means for the image to run.
pub fn decide(
    rules: &Rules,
    spec: &ImagePolicySpec,
    status: &ImagePolicyStatus,
    look: Look<'_>,
) -> Decision {
    let digest = digest(spec);
    let before = Before::new(spec, status, &digest);
    let kept = Decision {
        latest: before.running.map(str::to_owned),
        pending: None,
        choice: rules.choose(look.matching, look.created),
        rules: status.rules.clone(),
        reason: Reason::Unchanged,
    };
    let Some(choice) = kept.choice.clone() else {
        let reason = nothing(look);
        // What waits behind a lock waits still.
        let pending = status
            .pending
            .as_ref()
            .filter(|_| spec.lock.is_some())
            .map(|pending| pending.tag.clone());
        return Decision {
            pending,
            reason,
            ..kept
        };
    };
    let reason = before.judge(rules, spec, look, &choice);
    match &spec.lock {
        Some(holder) if reason.is_move() => Decision {
            pending: Some(choice.clone()),
            reason: Reason::Locked {
                by: holder.by.clone(),
                choice,
            },
            ..kept
        },
        _ if reason.is_move() || reason == Reason::Unchanged => Decision {
            latest: Some(choice),
            rules: Some(digest),
            reason,
            ..kept
        },
        _ => Decision { reason, ..kept },
    }
}

fn nothing(look: Look<'_>) -> Reason {
    match look.tags.len() {
        0 => Reason::Empty,
        tags => Reason::NoMatch {
            tags,
            skipped: look.matching.skipped,
        },
    }
}

/// What is known from the looks before.
struct Before<'a> {
    /// The tag that runs, of this image.
    running: Option<&'a str>,
    /// When its image was made, if that is known.
    created_at: Option<Timestamp>,
    /// Whether the rules are those that it was chosen by.
    are_same_rules: bool,
    /// How many tags there were.
    tags: usize,
    /// What the last look alone would have chosen.
    choice: Option<&'a str>,
}

impl<'a> Before<'a> {
    fn new(spec: &ImagePolicySpec, status: &'a ImagePolicyStatus, digest: &str) -> Self {
        let latest = status
            .latest
            .as_ref()
            .filter(|latest| is_same_image(&latest.image, &spec.image));
        let scan = status.scan.as_ref();
        Self {
            running: latest.map(|latest| latest.tag.as_str()),
            created_at: latest.and_then(|latest| Some(latest.created_at.as_ref()?.0)),
            are_same_rules: status.rules.as_deref() == Some(digest),
            tags: scan.map_or(0, |scan| usize::try_from(scan.tags).unwrap_or(0)),
            choice: scan.and_then(|scan| scan.choice.as_deref()),
        }
    }

    fn judge(&self, rules: &Rules, spec: &ImagePolicySpec, look: Look<'_>, choice: &str) -> Reason {
        let Some(running) = self.running else {
            return Reason::Fresh;
        };
        if running == choice {
            return Reason::Unchanged;
        }
        if !self.are_same_rules {
            return Reason::Fresh;
        }
        let rank = self.rank(rules, look.created, choice, running);
        let is_below = !matches!(rank, Some(Ordering::Greater | Ordering::Equal));
        if is_below && !spec.allow_downgrade.unwrap_or(false) {
            return Reason::Downgrade {
                running: running.to_owned(),
                choice: choice.to_owned(),
            };
        }
        let is_gone = !look.tags.iter().any(|tag| tag == running);
        let has_lost_tags = is_gone && look.tags.len() < self.tags;
        match rank {
            Some(Ordering::Greater) if !has_lost_tags => Reason::Newer,
            _ if self.choice == Some(choice) => Reason::Confirmed,
            _ => Reason::Doubted {
                running: running.to_owned(),
                choice: choice.to_owned(),
            },
        }
    }
}

impl Before<'_> {
    /// The registry no longer says when a tag that is gone was made; the status does.
    fn rank(
        &self,
        rules: &Rules,
        created: &Created,
        choice: &str,
        running: &str,
    ) -> Option<Ordering> {
        match self.created_at {
            Some(time) if !created.contains_key(running) => {
                let mut created = created.clone();
                created.insert(running.to_owned(), time);
                rules.rank(choice, running, &created)
            }
            _ => rules.rank(choice, running, created),
        }
    }
}

fn is_same_image(a: &str, b: &str) -> bool {
    match (a.parse::<Name>(), b.parse::<Name>()) {
        (Ok(a), Ok(b)) => a.is_same_as(&b),
        _ => a == b,
    }
}

/// The digest of everything in a spec that says which tag to choose.
fn digest(spec: &ImagePolicySpec) -> String {
    let image = spec
        .image
        .parse::<Name>()
        .map_or_else(|_| spec.image.clone(), |name| name.canonical());
    let rules = json!({
        "image": image,
        "filter": spec.filter,
        "policy": spec.policy,
        "platform": spec.platform,
    });
    format!("{:016x}", hash::desired_hash(&rules))
}

#[cfg(test)]
mod tests;
