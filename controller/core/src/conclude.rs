//! What a reconcile came to: conditions, event and the time of the next one, all decided here and nowhere else.

use std::time::Duration;

use flux_crds::{Condition, ConditionType, Reason, Time};
use jiff::Timestamp;

#[cfg(test)]
mod tests;

/// How a reconcile ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object does what its spec says.
    Ready(Finding),
    /// Work goes on; nothing is known yet.
    Progressing(Finding),
    /// Something else must happen first, and its event wakes us.
    Waiting(Finding),
    /// It may go away by itself: tried again soon, then less and less often.
    Transient(Finding),
    /// Someone has to change something outside the spec: tried again at the retry interval.
    Failed(Finding),
    /// Only a change of the spec can help: not tried again before.
    Stalled(Finding),
}

/// Why, in one word for programs and in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The word.
    pub reason: Reason,
    /// The words.
    pub message: String,
}

impl Finding {
    /// Returns the finding with these words.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl Outcome {
    /// Returns what was found.
    pub fn finding(&self) -> &Finding {
        match self {
            Self::Ready(finding)
            | Self::Progressing(finding)
            | Self::Waiting(finding)
            | Self::Transient(finding)
            | Self::Failed(finding)
            | Self::Stalled(finding) => finding,
        }
    }

    /// Returns what was found, to change its words.
    pub fn finding_mut(&mut self) -> &mut Finding {
        match self {
            Self::Ready(finding)
            | Self::Progressing(finding)
            | Self::Waiting(finding)
            | Self::Transient(finding)
            | Self::Failed(finding)
            | Self::Stalled(finding) => finding,
        }
    }

    /// Returns a failure with a note behind its message; anything else as it is.
    #[must_use]
    pub fn with_note(self, note: &str) -> Self {
        let more =
            |finding: Finding| Finding::new(finding.reason, format!("{}; {note}", finding.message));
        match self {
            Self::Transient(finding) => Self::Transient(more(finding)),
            Self::Failed(finding) => Self::Failed(more(finding)),
            Self::Stalled(finding) => Self::Stalled(more(finding)),
            other @ (Self::Ready(_) | Self::Progressing(_) | Self::Waiting(_)) => other,
        }
    }

    fn ready(&self) -> &'static str {
        match self {
            Self::Ready(_) => "True",
            Self::Progressing(_) => "Unknown",
            Self::Waiting(_) | Self::Transient(_) | Self::Failed(_) | Self::Stalled(_) => "False",
        }
    }

    fn reconciling(&self) -> Option<Reason> {
        match self {
            Self::Progressing(_) => Some(Reason::Progressing),
            Self::Waiting(_) | Self::Transient(_) | Self::Failed(_) => {
                Some(Reason::ProgressingWithRetry)
            }
            Self::Ready(_) | Self::Stalled(_) => None,
        }
    }
}

/// How often an object wants to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Time between two looks when all is well.
    pub interval: Duration,
    /// Time before a failure is tried again, when the spec says so.
    pub retry_interval: Option<Duration>,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// A number in 0..1 that spreads objects with the same interval over time.
    pub jitter: f64,
}

/// First delay after a transient failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest delay after a failure where the spec says nothing.
const LAST_RETRY: Duration = Duration::from_mins(2);
/// Part of the interval over which looks are spread.
const SPREAD: f64 = 0.05;

impl Pace {
    /// Returns the time until the next look; `None` when only a change can help.
    pub fn next(&self, outcome: &Outcome) -> Option<Duration> {
        let retry = self
            .retry_interval
            .unwrap_or_else(|| LAST_RETRY.min(self.interval));
        match outcome {
            Outcome::Ready(_) | Outcome::Waiting(_) => {
                Some(self.interval.mul_f64(1.0 + SPREAD * self.jitter))
            }
            Outcome::Progressing(_) => Some(FIRST_RETRY),
            Outcome::Transient(_) => {
                let doubled =
                    FIRST_RETRY.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
                Some(doubled.min(retry).mul_f64(1.0 + SPREAD * self.jitter))
            }
            Outcome::Failed(_) => Some(retry.mul_f64(1.0 + SPREAD * self.jitter)),
            Outcome::Stalled(_) => None,
        }
    }
}

/// Returns the conditions after `outcome`, with `Ready` first. `lastTransitionTime` moves only where the status does;
/// conditions that are not about readiness stay.
pub fn conditions(
    previous: &[Condition],
    outcome: &Outcome,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let Finding { reason, message } = outcome.finding();
    let mut conditions = previous.to_vec();
    let mut writer = Writer {
        conditions: &mut conditions,
        generation,
        now,
    };
    writer.set(ConditionType::Ready, outcome.ready(), *reason, message);
    match outcome.reconciling() {
        Some(reconciling) => writer.set(ConditionType::Reconciling, "True", reconciling, message),
        None => writer.remove(ConditionType::Reconciling),
    }
    match outcome {
        Outcome::Stalled(_) => writer.set(ConditionType::Stalled, "True", *reason, message),
        _ => writer.remove(ConditionType::Stalled),
    }
    conditions.sort_by_key(|condition| condition.type_ != ConditionType::Ready.as_str());
    conditions
}

/// Sets one condition that is not about readiness, such as `Healthy`.
pub fn set_condition(
    conditions: &mut Vec<Condition>,
    kind: ConditionType,
    (status, finding): (&str, &Finding),
    generation: Option<i64>,
    now: Timestamp,
) {
    Writer {
        conditions,
        generation,
        now,
    }
    .set(kind, status, finding.reason, &finding.message);
}

/// Takes a condition away.
pub fn remove_condition(conditions: &mut Vec<Condition>, kind: ConditionType) {
    conditions.retain(|condition| condition.type_ != kind.as_str());
}

/// Returns the condition of a type.
pub fn condition(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == kind.as_str())
}

/// Tells whether there is a condition of a type that is `True`.
pub fn is_true(conditions: &[Condition], kind: ConditionType) -> bool {
    condition(conditions, kind).is_some_and(|condition| condition.status == "True")
}

/// Longest message of a condition, in bytes; the schema allows more.
const MESSAGE_LIMIT: usize = 8 * 1024;

struct Writer<'a> {
    conditions: &'a mut Vec<Condition>,
    generation: Option<i64>,
    now: Timestamp,
}

impl Writer<'_> {
    fn set(&mut self, kind: ConditionType, status: &str, reason: Reason, message: &str) {
        let unmoved = condition(self.conditions, kind).filter(|old| old.status == status);
        let condition = Condition {
            type_: kind.as_str().to_owned(),
            status: status.to_owned(),
            reason: reason.as_str().to_owned(),
            message: truncate(message, MESSAGE_LIMIT),
            observed_generation: self.generation,
            last_transition_time: unmoved
                .map_or(Time(self.now), |old| old.last_transition_time.clone()),
        };
        match self
            .conditions
            .iter_mut()
            .find(|old| old.type_ == condition.type_)
        {
            Some(old) => *old = condition,
            None => self.conditions.push(condition),
        }
    }

    fn remove(&mut self, kind: ConditionType) {
        remove_condition(self.conditions, kind);
    }
}

/// Cuts `text` to at most `limit` bytes, at a character's border, with an ellipsis where something is missing.
pub fn truncate(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// An event that an outcome is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether a person should look.
    pub warning: bool,
    /// Why and what.
    pub finding: Finding,
}

/// Returns the event that says that readiness moved: a first success, a failure, another failure, a recovery. Nothing while
/// work goes on, and nothing for the same finding twice.
pub fn event(previous: &[Condition], outcome: &Outcome) -> Option<Event> {
    let ready = condition(previous, ConditionType::Ready);
    let finding = outcome.finding();
    let same = ready.is_some_and(|old| {
        old.status == outcome.ready()
            && old.reason == finding.reason.as_str()
            && old.message == finding.message
    });
    let warning = match outcome {
        Outcome::Progressing(_) => return None,
        Outcome::Ready(_) | Outcome::Waiting(_) => false,
        Outcome::Transient(_) | Outcome::Failed(_) | Outcome::Stalled(_) => true,
    };
    (!same).then(|| Event {
        warning,
        finding: finding.clone(),
    })
}
