//! A reconcile that ends before its time: the outcome, and every single failure behind it.

use std::fmt::Write as _;

use flux_core::conclude::{Finding, Outcome};
use flux_core::desire::Problem;
use flux_crds::Reason;
use flux_crds::sync::Failure;
use flux_engine::cluster::{Class, Error, transaction};

use crate::claims::Conflict;
use crate::report::chain;

/// Why a reconcile ended early.
#[derive(Debug)]
pub(crate) struct Halt {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Each object that is to blame.
    pub(crate) failures: Vec<Failure>,
}

/// Failures that the condition's message spells out; all of them stand in `status.failures`.
const SPELLED_OUT: usize = 5;
/// Failures that `status.failures` holds, as its schema allows.
const LISTED: usize = 256;
/// Bytes of one failure's message.
pub(super) const MESSAGE: usize = 4000;

impl Halt {
    /// Ends with an outcome that no single object is to blame for.
    pub(crate) fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            failures: Vec::new(),
        }
    }

    /// Ends because the spec cannot be followed.
    pub(crate) fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Stalled(Finding::new(reason, message)))
    }

    /// Ends until something else has happened.
    pub(crate) fn waiting(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Waiting(Finding::new(reason, message)))
    }

    /// Ends with a failure that someone has to mend.
    pub(crate) fn failed(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Failed(Finding::new(reason, message)))
    }

    /// Ends with a failure that may pass.
    pub(crate) fn transient(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Transient(Finding::new(reason, message)))
    }

    /// Ends because the API server could not be asked.
    pub(crate) fn cluster(what: &str, error: &Error) -> Self {
        let message = format!("failed to {what}: {}", chain(error));
        match error.class() {
            Class::Transient if error.is_forbidden() => {
                Self::transient(Reason::AccessDenied, message)
            }
            Class::Transient => Self::transient(Reason::ClusterUnreachable, message),
            Class::Permanent => Self::failed(Reason::AccessDenied, message),
        }
    }

    /// Ends because a request for our own objects failed.
    pub(crate) fn api(what: &str, error: &kube::Error) -> Self {
        Self::transient(
            Reason::ClusterUnreachable,
            format!("failed to {what}: {}", chain(error)),
        )
    }

    /// Ends with a list of failures; `headline` says what they have in common.
    pub(crate) fn list(reason: Reason, headline: &str, failures: Vec<Failure>) -> Self {
        Self {
            outcome: Outcome::Failed(Finding::new(reason, message(headline, &failures))),
            failures: cut(failures),
        }
    }

    /// Ends because of objects of the build.
    pub(crate) fn problems(problems: Vec<Problem>) -> Self {
        let failure = |problem: Problem| Failure {
            object: problem.object,
            source: Some(problem.origin.to_string()),
            reason: Reason::BuildFailed.to_string(),
            message: flux_core::conclude::truncate(&problem.message, MESSAGE),
        };
        Self::list(
            Reason::BuildFailed,
            "nothing was applied",
            problems.into_iter().map(failure).collect(),
        )
    }

    /// Ends because the API server refused objects. Only when all refusals may pass by themselves is it tried again soon;
    /// and when it was away in the middle, that is the reason.
    pub(crate) fn refused(
        reason: Reason,
        headline: &str,
        refused: &[transaction::Failure],
    ) -> Self {
        let transient = refused.iter().all(|failure| is_transient(&failure.error));
        let is_away = refused.iter().any(|failure| failure.error.is_unreachable());
        let reason = if transient && is_away {
            Reason::ClusterUnreachable
        } else {
            reason
        };
        let halt = Self::list(reason, headline, refused.iter().map(describe).collect());
        match (transient, halt.outcome) {
            (true, Outcome::Failed(finding)) => Self {
                outcome: Outcome::Transient(finding),
                failures: halt.failures,
            },
            (_, outcome) => Self {
                outcome,
                failures: halt.failures,
            },
        }
    }

    /// Ends because objects belong to other Syncs.
    pub(crate) fn conflicts(conflicts: &[Conflict]) -> Self {
        let failure = |Conflict { id, owner }: &Conflict| Failure {
            object: Some(id.to_string()),
            source: None,
            reason: Reason::Conflict.to_string(),
            message: format!("belongs to Sync {owner}: remove it from one of the two sources"),
        };
        Self::list(
            Reason::Conflict,
            "nothing was applied",
            conflicts.iter().map(failure).collect(),
        )
    }
}

fn is_transient(error: &transaction::ItemError) -> bool {
    match error {
        // The definition of an unknown kind may be on its way, from another Sync or a person.
        transaction::ItemError::Cluster(Error::UnknownKind { .. })
        | transaction::ItemError::Terminating => true,
        transaction::ItemError::Cluster(error) => error.class() == Class::Transient,
        transaction::ItemError::Name { .. }
        | transaction::ItemError::Immutable(_)
        | transaction::ItemError::ManagedFields(_) => false,
    }
}

fn describe(failure: &transaction::Failure) -> Failure {
    let text = if failure.id.is("", "Secret") {
        without_values(&failure.error)
    } else {
        chain(&failure.error)
    };
    let reason = match &failure.error {
        transaction::ItemError::Cluster(error) => {
            error.rejection().map(|rejection| rejection.reason.clone())
        }
        transaction::ItemError::Immutable(_) => Some("Immutable".to_owned()),
        transaction::ItemError::Terminating => Some("Terminating".to_owned()),
        transaction::ItemError::Name { .. } | transaction::ItemError::ManagedFields(_) => {
            Some("Invalid".to_owned())
        }
    };
    Failure {
        object: Some(failure.id.to_string()),
        source: Some(failure.origin.to_string()),
        reason: reason.unwrap_or_else(|| "Failed".to_owned()),
        // Secret values are taken out of the whole of it; only then is it cut.
        message: text,
    }
}

/// Returns an error in words. What the API server says may hold the values that it refuses: only the fields are named.
pub(super) fn without_values(error: &transaction::ItemError) -> String {
    let rejection = match error {
        transaction::ItemError::Cluster(error) | transaction::ItemError::Immutable(error) => {
            error.rejection()
        }
        _ => None,
    };
    let Some(rejection) = rejection else {
        return chain(error);
    };
    let fields = rejection.fields().collect::<Vec<_>>().join(", ");
    let fields = if fields.is_empty() {
        String::new()
    } else {
        format!(" in {fields}")
    };
    format!(
        "{}{fields} (the rest of the answer may hold secret values and is left out)",
        rejection.reason
    )
}

fn cut(mut failures: Vec<Failure>) -> Vec<Failure> {
    failures.truncate(LISTED);
    failures
}

fn message(headline: &str, failures: &[Failure]) -> String {
    let lines = failures.iter().take(SPELLED_OUT).map(|failure| {
        let object = failure.object.as_deref().unwrap_or_default();
        let source = failure
            .source
            .as_ref()
            .map(|source| format!("{source}: "))
            .unwrap_or_default();
        let gap = if object.is_empty() { "" } else { " " };
        format!("{source}{object}{gap}{}", failure.message)
    });
    let mut text = format!("{headline}: {}", lines.collect::<Vec<_>>().join("; "));
    if failures.len() > SPELLED_OUT {
        let more = failures.len() - SPELLED_OUT;
        write!(text, "; and {more} more, see status.failures").ok();
    }
    text
}
