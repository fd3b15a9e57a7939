//! Which revision a Sync follows: the newest, one that it is held at, or the last good one after a failure.
//!
//! Rolling back is no machinery of its own: `status.rolledBack` is written, and from then on the Sync follows the revision
//! that it names, with the same steps as ever. So a rollback restores what differs and nothing else, it goes on after a
//! SIGKILL, and drift is put back to the revision that was restored.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flux_core::conclude::{Finding, Outcome};
use flux_core::git::{ObjectId, Revision};
use flux_crds::sync::{Failure, HistoryEntry, Rollback, RolledBack, SyncResult};
use flux_crds::{Reason, Sync, SyncStatus};

use super::halt::Halt;
use super::wakeups::{source_key, token};
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::sources::Snapshot;

/// Time that the repository gets to bring an earlier revision, beside the timeout of its own operations.
const BRING: Duration = Duration::from_mins(2);

/// Entries of `status.history`.
const HISTORY: usize = 10;

/// Which revision a Sync follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Course {
    /// What the source serves.
    #[default]
    Newest,
    /// The one of `spec.revision`.
    Held(String),
    /// The last good one, because another failed.
    RolledBack(RolledBack),
}

impl Course {
    /// Returns the course of a Sync whose source serves `newest`.
    pub(crate) fn of(sync: &Sync, status: &SyncStatus, newest: &str) -> Self {
        if let Some(revision) = &sync.spec.revision {
            return Self::Held(revision.clone());
        }
        let is_over = |failed: &RolledBack| {
            failed.from != newest
                || Some(failed.generation) != sync.metadata.generation
                || failed.request != token(&sync.metadata)
        };
        match &status.rolled_back {
            Some(failed) if !is_over(failed) => Self::RolledBack(failed.clone()),
            _ => Self::Newest,
        }
    }

    /// Returns the course that a Sync was on when its status was written.
    pub(crate) fn before(sync: &Sync, status: &SyncStatus) -> Self {
        let newest = status
            .rolled_back
            .as_ref()
            .map(|failed| failed.from.as_str());
        newest.map_or_else(Self::default, |newest| Self::of(sync, status, newest))
    }

    /// Returns the revision to follow, if it is not the newest.
    fn earlier(&self) -> Option<&str> {
        match self {
            Self::Newest => None,
            Self::Held(revision) => Some(revision),
            Self::RolledBack(failed) => Some(&failed.to),
        }
    }

    /// Returns the files to build: those of `newest`, or of the earlier revision that the course names.
    pub(crate) async fn snapshot(
        &self,
        context: &Context,
        sync: &Sync,
        status: &SyncStatus,
        newest: Arc<Snapshot>,
    ) -> Result<Arc<Snapshot>, Halt> {
        let Some(revision) = self.earlier() else {
            return Ok(newest);
        };
        if revision == newest.revision {
            return Ok(newest);
        }
        let commit_id = commit(revision).map_err(|error| {
            Halt::stalled(
                Reason::InvalidSpec,
                format!("spec.revision: {}", chain(&error)),
            )
        })?;
        let tree = if newest.tree.commit_id() == commit_id {
            newest.tree.clone()
        } else {
            allow(context, sync, status, commit_id)?;
            bring(context, sync, commit_id, revision)
                .await?
                .tree
                .clone()
        };
        Ok(Arc::new(Snapshot {
            revision: revision.to_owned(),
            tree,
            view: newest.view,
        }))
    }
}

impl Course {
    /// Returns what stands in the status as `rolledBack`.
    pub(crate) fn rolled_back(&self) -> Option<RolledBack> {
        match self {
            Self::RolledBack(failed) => Some(failed.clone()),
            Self::Newest | Self::Held(_) => None,
        }
    }

    /// Returns the outcome of a reconcile that applied everything, and the failures to show.
    pub(crate) fn conclude(
        &self,
        applied: &str,
        unhealthy: Option<Outcome>,
        status: &SyncStatus,
    ) -> (Outcome, Vec<Failure>) {
        let ready = |message| Outcome::Ready(Finding::new(Reason::Applied, message));
        let healthy = match self {
            Self::Newest => ready(format!("Applied revision: {applied}")),
            Self::Held(_) => ready(format!(
                "Applied revision: {applied}, held by spec.revision"
            )),
            Self::RolledBack(RolledBack {
                from, to, message, ..
            }) => {
                let message = format!("{from} failed and {to} was restored: {message}");
                let finding = Finding::new(Reason::RolledBack, message);
                return (Outcome::Failed(finding), status.failures.clone());
            }
        };
        (unhealthy.unwrap_or(healthy), Vec::new())
    }

    /// Returns the outcome of a reconcile that ended early, and the failures to show.
    pub(crate) fn explain(&self, Halt { outcome, failures }: Halt) -> (Outcome, Vec<Failure>) {
        let Self::RolledBack(RolledBack {
            from, to, message, ..
        }) = self
        else {
            return (outcome, failures);
        };
        let why = &outcome.finding().message;
        let message = format!("{from} failed: {message}; {to} is not restored yet: {why}");
        let finding = Finding::new(Reason::RollbackFailed, message);
        let outcome = match outcome {
            Outcome::Transient(_) | Outcome::Waiting(_) => Outcome::Transient(finding),
            _ => Outcome::Failed(finding),
        };
        (outcome, failures)
    }
}

/// Reads a revision, or a bare commit id as people paste it.
fn commit(revision: &str) -> Result<ObjectId, flux_core::git::RevisionError> {
    if let Ok(commit_id) = revision.parse() {
        return Ok(commit_id);
    }
    revision
        .parse::<Revision>()
        .map(|revision| revision.commit_id)
}

/// Refuses a commit that its owners may never have served: of a repository of another namespace, or one whose commits have
/// to be signed. Git servers give away any commit whose id one knows, also those of a stranger's pull request.
fn allow(
    context: &Context,
    sync: &Sync,
    status: &SyncStatus,
    commit_id: ObjectId,
) -> Result<(), Halt> {
    let source = source_key(sync);
    let is_own = sync.metadata.namespace.as_deref() == Some(&*source.namespace);
    let is_verified = |repository: Arc<flux_crds::GitRepository>| repository.spec.verify.is_some();
    if is_own && !context.repositories.get(&source).is_some_and(is_verified) {
        return Ok(());
    }
    let history = status.history.iter().map(|entry| &entry.revision);
    let restored = status.rolled_back.iter().map(|failed| &failed.to);
    let mut known = history.chain(restored).chain(&status.last_applied_revision);
    if known.any(|revision| commit(revision) == Ok(commit_id)) {
        return Ok(());
    }
    Err(Halt::stalled(
        Reason::AccessDenied,
        format!(
            "spec.revision: this Sync has never applied {commit_id}, and GitRepository {source} is of another namespace or verifies signatures: choose a revision of status.history"
        ),
    ))
}

/// Waits until the repository has brought an earlier commit.
async fn bring(
    context: &Context,
    sync: &Sync,
    commit_id: ObjectId,
    revision: &str,
) -> Result<Arc<Snapshot>, Halt> {
    let source = source_key(sync);
    let mut looks = context.sources.looks(&source);
    if let Some(snapshot) = context.sources.at(&source, commit_id) {
        return Ok(snapshot);
    }
    let is_suspended = |repository: &Arc<flux_crds::GitRepository>| repository.spec.is_suspended();
    if context
        .repositories
        .get(&source)
        .as_ref()
        .is_some_and(is_suspended)
    {
        return Err(Halt::waiting(
            Reason::SourceNotReady,
            format!(
                "revision {revision} is not stored, and GitRepository {source} is suspended: resume it"
            ),
        ));
    }
    let key = Key::of(&sync.metadata);
    let mut wanted = memory(&sync.status.clone().unwrap_or_default());
    wanted.insert(commit_id);
    context.sources.want(&source, &key, wanted);
    context.repositories.wake(&source);
    let brought = async {
        // The first look may have begun before the wish.
        for _ in 0..2 {
            looks.changed().await.ok()?;
            if let Some(snapshot) = context.sources.at(&source, commit_id) {
                return Some(snapshot);
            }
        }
        None
    };
    let brought = tokio::time::timeout(BRING, brought).await.ok().flatten();
    brought.ok_or_else(|| {
        Halt::transient(
            Reason::SourceNotReady,
            format!("revision {revision} is not to be had from GitRepository {source}"),
        )
    })
}

/// Tells the repository which commits this Sync may have to return to.
pub(crate) fn remember(context: &Context, sync: &Sync, status: &SyncStatus) {
    let mut wanted = memory(status);
    wanted.extend(
        sync.spec
            .revision
            .as_deref()
            .and_then(|revision| commit(revision).ok()),
    );
    context
        .sources
        .want(&source_key(sync), &Key::of(&sync.metadata), wanted);
}

fn memory(status: &SyncStatus) -> BTreeSet<ObjectId> {
    let good = [
        good(status, Rollback::OnFailure),
        good(status, Rollback::OnUnhealthy),
    ];
    let good = good
        .into_iter()
        .flatten()
        .map(|entry| entry.revision.as_str());
    let held = status.rolled_back.iter().map(|failed| failed.to.as_str());
    good.chain(held)
        .filter_map(|revision| commit(revision).ok())
        .collect()
}

/// Returns the revision to go back to: the one that the cluster was made equal to, and was healthy if that counts.
pub(crate) fn good(status: &SyncStatus, rollback: Rollback) -> Option<&HistoryEntry> {
    let mut history = status.history.iter();
    history.find(|entry| is_good(entry, rollback))
}

fn is_good(entry: &HistoryEntry, rollback: Rollback) -> bool {
    match entry.result {
        SyncResult::Applied => true,
        SyncResult::Unhealthy | SyncResult::Superseded => rollback == Rollback::OnFailure,
        SyncResult::Failed | SyncResult::RolledBack => false,
    }
}

/// Adds to the history, newest first. The oldest entry falls out, but never the revision to go back to, however many have
/// failed since.
pub(crate) fn enter(history: &mut Vec<HistoryEntry>, entry: HistoryEntry) {
    use SyncResult::{Failed, RolledBack, Superseded};
    if let Some(newest) = history.first_mut() {
        let is_same = newest.revision == entry.revision;
        let is_again = newest.result == entry.result && newest.digest == entry.digest;
        // However often a revision is tried, and however long it stays, it has one entry.
        if is_same && is_again && entry.result != RolledBack {
            return;
        }
        // A long calm is one entry as well.
        let is_calm = is_again && entry.digest.is_some();
        let is_open = is_same && (is_again || matches!(newest.result, Failed | Superseded));
        if is_calm || is_open {
            *newest = entry;
            return;
        }
    }
    history.insert(0, entry);
    while history.len() > HISTORY {
        let good = [Rollback::OnFailure, Rollback::OnUnhealthy]
            .map(|mode| history.iter().position(|entry| is_good(entry, mode)));
        let mut oldest = (0..history.len()).rev();
        match oldest.find(|at| !good.contains(&Some(*at))) {
            Some(at) => drop(history.remove(at)),
            None => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::Time;
    use jiff::Timestamp;

    use super::*;

    fn entry(revision: usize, result: SyncResult) -> HistoryEntry {
        HistoryEntry {
            revision: revision.to_string(),
            digest: None,
            time: Time(Timestamp::UNIX_EPOCH),
            result,
        }
    }

    #[test]
    fn the_revisions_to_go_back_to_outlive_any_number_of_failures() {
        let mut status = SyncStatus::default();
        for (revision, result) in [
            (0, SyncResult::Applied),
            (1, SyncResult::Applied),
            (2, SyncResult::Unhealthy),
        ] {
            enter(&mut status.history, entry(revision, result));
        }
        for revision in 3..30 {
            enter(&mut status.history, entry(revision, SyncResult::RolledBack));
        }
        assert_eq!(status.history.len(), HISTORY);
        assert_eq!(status.history[0].revision, "29", "the newest comes first");
        let back = |mode| good(&status, mode).map(|entry| entry.revision.as_str());
        assert_eq!(back(Rollback::OnFailure), Some("2"));
        assert_eq!(back(Rollback::OnUnhealthy), Some("1"));
    }

    #[test]
    fn a_revision_has_one_entry_however_often_it_is_tried() {
        use SyncResult::{Applied, Failed, RolledBack, Superseded, Unhealthy};
        let mut history = Vec::new();
        let mut enter = |revision, result, digest: Option<&str>| {
            let digest = digest.map(str::to_owned);
            let entry = HistoryEntry {
                digest,
                ..entry(revision, result)
            };
            super::enter(&mut history, entry);
            let shown = history.iter().map(|entry| (&*entry.revision, entry.result));
            shown
                .map(|(revision, result)| format!("{revision} {result:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        enter(1, Failed, None);
        assert_eq!(enter(1, Failed, None), "1 Failed");
        assert_eq!(enter(1, Applied, Some("a")), "1 Applied");
        assert_eq!(enter(2, Applied, Some("a")), "2 Applied", "nothing changed");
        assert_eq!(enter(3, Superseded, Some("b")), "3 Superseded, 2 Applied");
        assert_eq!(enter(3, Unhealthy, Some("b")), "3 Unhealthy, 2 Applied");
        assert_eq!(
            enter(3, RolledBack, None),
            "3 RolledBack, 3 Unhealthy, 2 Applied"
        );
        let again = enter(3, RolledBack, None);
        assert_eq!(again, "3 RolledBack, 3 Unhealthy, 2 Applied");
        assert!(enter(4, Failed, None).starts_with("4 Failed, 3 RolledBack"));
        assert!(enter(5, Failed, None).starts_with("5 Failed, 4 Failed"));
    }
}
