//! What is news.

use flux_crds::{Notified, Reason};

use super::Kind;
use crate::conclude::Outcome;

/// Transient failures in a row that are not told: most pass before anybody could look.
const PATIENCE: u32 = 3;
/// Reasons that are remembered; an object with more fails for the same ones again and again.
const MAX_REASONS: usize = 16;

/// How a reconcile ended.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// How.
    pub outcome: &'a Outcome,
    /// The revision that it was about; `None` for kinds that apply none, or when none was known.
    pub revision: Option<&'a str>,
    /// The generation of the spec.
    pub generation: Option<i64>,
    /// Failures in a row, this one included.
    pub failures: u32,
}

/// Returns what to tell, if it is news, and what was told from then on.
///
/// A failure is told once for each revision, generation of the spec and reason, whatever its words; the end of failures is told
/// once; a revision is told once when all of it is applied. Waiting and progress are no news, and neither is a hiccup.
pub fn decide(told: Option<&Notified>, seen: Seen<'_>) -> (Option<Kind>, Option<Notified>) {
    let known = told.cloned().unwrap_or_default();
    match seen.outcome {
        Outcome::Progressing(_) | Outcome::Waiting(_) => (None, told.cloned()),
        Outcome::Ready(_) => well(told, &known, seen),
        Outcome::Transient(_) if known.failures.is_empty() && seen.failures < PATIENCE => {
            (None, told.cloned())
        }
        Outcome::Transient(finding) | Outcome::Failed(finding) | Outcome::Stalled(finding) => {
            failed(known, seen, finding.reason)
        }
    }
}

/// Returns what to tell when a revision begins to be applied, and what was told from then on: that it does, once. One that
/// was told of already, or that is tried again, does not begin anew.
pub fn begin(told: Option<&Notified>, revision: &str) -> (Option<Kind>, Option<Notified>) {
    let is_same = |one: &Option<String>| one.as_deref() == Some(revision);
    if told.is_some_and(|told| is_same(&told.revision) || is_same(&told.begun)) {
        return (None, told.cloned());
    }
    let now = Notified {
        begun: Some(revision.to_owned()),
        ..told.cloned().unwrap_or_default()
    };
    (Some(Kind::Progressing), Some(now))
}

fn well(
    told: Option<&Notified>,
    known: &Notified,
    seen: Seen<'_>,
) -> (Option<Kind>, Option<Notified>) {
    let now = Notified {
        revision: seen.revision.map(str::to_owned),
        generation: seen.generation,
        failures: Vec::new(),
        begun: None,
    };
    if !known.failures.is_empty() {
        return (Some(Kind::Recovered), Some(now));
    }
    if seen.revision.is_none() {
        return (None, told.cloned());
    }
    let is_told =
        told.is_some_and(|told| told.revision == now.revision && told.generation == now.generation);
    let kind = (!is_told).then_some(Kind::Applied);
    (kind, Some(now))
}

fn failed(mut known: Notified, seen: Seen<'_>, reason: Reason) -> (Option<Kind>, Option<Notified>) {
    let is_other_revision = seen
        .revision
        .is_some_and(|revision| known.revision.as_deref() != Some(revision));
    if is_other_revision || known.generation != seen.generation {
        known.failures.clear();
        known.generation = seen.generation;
    }
    if is_other_revision {
        known.revision = seen.revision.map(str::to_owned);
        known.begun = None;
    }
    let word = reason.as_str();
    if known.failures.iter().any(|told| told == word) || known.failures.len() >= MAX_REASONS {
        return (None, Some(known));
    }
    known.failures.push(word.to_owned());
    let kind = match reason {
        Reason::RolledBack => Kind::RolledBack,
        _ => Kind::Failed,
    };
    (Some(kind), Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conclude::Finding;

    /// Tells one outcome after the other, as a controller with its status does.
    fn tell(story: &[(&str, u32, Outcome)]) -> Vec<Option<Kind>> {
        let mut told = None;
        let step = |(revision, failures, outcome): &(&str, u32, Outcome)| {
            let seen = Seen {
                outcome,
                revision: (!revision.is_empty()).then_some(*revision),
                generation: Some(1),
                failures: *failures,
            };
            let (kind, now) = decide(told.as_ref(), seen);
            told = now;
            kind
        };
        story.iter().map(step).collect()
    }

    #[test]
    fn a_revision_begins_once_however_often_it_is_tried() {
        let (kind, told) = begin(None, "a");
        assert_eq!(kind, Some(Kind::Progressing));
        assert_eq!(begin(told.as_ref(), "a").0, None, "after a restart");
        let ended = |told: Option<&Notified>, outcome: Outcome| {
            let seen = Seen {
                outcome: &outcome,
                revision: Some("a"),
                generation: Some(1),
                failures: 1,
            };
            decide(told, seen)
        };
        let (kind, told) = ended(told.as_ref(), failed(Reason::ApplyFailed, ""));
        assert_eq!(kind, Some(Kind::Failed));
        assert_eq!(begin(told.as_ref(), "a").0, None, "it is tried again");
        let (kind, told) = ended(told.as_ref(), ready());
        assert_eq!(kind, Some(Kind::Recovered));
        assert_eq!(begin(told.as_ref(), "a").0, None, "it is repaired");
        let (kind, begun) = begin(told.as_ref(), "b");
        assert_eq!(kind, Some(Kind::Progressing));
        let (kind, told) = ended(begun.as_ref(), ready());
        assert_eq!(kind, None, "git went back to what was told");
        assert_eq!(begin(told.as_ref(), "b").0, Some(Kind::Progressing));
    }

    fn ready() -> Outcome {
        Outcome::Ready(Finding::new(Reason::Applied, "fine"))
    }

    fn failed(reason: Reason, message: &str) -> Outcome {
        Outcome::Failed(Finding::new(reason, message))
    }

    fn transient() -> Outcome {
        Outcome::Transient(Finding::new(Reason::ClusterUnreachable, "away"))
    }

    #[test]
    fn a_failure_is_told_once_and_its_end_once() {
        let story = [
            ("a", 0, ready()),
            ("a", 0, ready()),
            ("b", 1, failed(Reason::BuildFailed, "one")),
            (
                "b",
                2,
                failed(Reason::BuildFailed, "the same in other words"),
            ),
            ("b", 0, ready()),
            ("b", 0, ready()),
        ];
        let kinds = tell(&story);
        let (applied, failed, recovered) = (
            Some(Kind::Applied),
            Some(Kind::Failed),
            Some(Kind::Recovered),
        );
        assert_eq!(kinds, [applied, None, failed, None, recovered, None]);
    }

    #[test]
    fn reasons_that_take_turns_are_told_once_each() {
        let (one, two) = (
            || failed(Reason::BuildFailed, ""),
            || failed(Reason::Rejected, ""),
        );
        let story = [
            ("a", 1, one()),
            ("a", 2, two()),
            ("a", 3, one()),
            ("a", 4, two()),
        ];
        assert_eq!(
            tell(&story),
            [Some(Kind::Failed), Some(Kind::Failed), None, None]
        );
    }

    #[test]
    fn another_revision_that_fails_alike_is_news() {
        let again = || failed(Reason::BuildFailed, "");
        let story = [("a", 1, again()), ("b", 2, again()), ("b", 3, again())];
        assert_eq!(tell(&story), [Some(Kind::Failed), Some(Kind::Failed), None]);
    }

    #[test]
    fn a_hiccup_is_no_news_and_neither_is_its_end() {
        let story = [
            ("a", 0, ready()),
            ("a", 1, transient()),
            ("a", 2, transient()),
            ("a", 0, ready()),
        ];
        assert_eq!(tell(&story), [Some(Kind::Applied), None, None, None]);
    }

    #[test]
    fn what_does_not_pass_is_told() {
        let story = [
            ("", 1, transient()),
            ("", 2, transient()),
            ("", 3, transient()),
            ("", 4, transient()),
            ("a", 0, ready()),
        ];
        let kinds = tell(&story);
        let (failed, recovered) = (Some(Kind::Failed), Some(Kind::Recovered));
        assert_eq!(kinds, [None, None, failed, None, recovered]);
    }

    #[test]
    fn a_rollback_is_told_as_one_and_its_end_as_recovery() {
        let restored = || failed(Reason::RolledBack, "b failed and a was restored");
        let story = [
            ("a", 0, ready()),
            ("b", 1, restored()),
            ("b", 2, restored()),
            ("c", 0, ready()),
        ];
        let kinds = tell(&story);
        let (applied, back, recovered) = (
            Some(Kind::Applied),
            Some(Kind::RolledBack),
            Some(Kind::Recovered),
        );
        assert_eq!(kinds, [applied, back, None, recovered]);
    }

    #[test]
    fn waiting_between_two_failures_does_not_make_the_second_news() {
        let waiting = Outcome::Waiting(Finding::new(Reason::DependencyNotReady, "later"));
        let again = || failed(Reason::BuildFailed, "");
        let story = [("a", 1, again()), ("", 0, waiting), ("a", 1, again())];
        assert_eq!(tell(&story), [Some(Kind::Failed), None, None]);
    }

    #[test]
    fn a_kind_without_revisions_tells_only_failures_and_their_end() {
        let story = [
            ("", 0, ready()),
            ("", 1, failed(Reason::AuthenticationFailed, "")),
            ("", 0, ready()),
            ("", 0, ready()),
        ];
        let kinds = tell(&story);
        assert_eq!(
            kinds,
            [None, Some(Kind::Failed), Some(Kind::Recovered), None]
        );
    }
}
