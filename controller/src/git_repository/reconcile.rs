//! One reconcile of a repository, as a list of steps.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_core::conclude::{self, Event, Finding, Outcome, Pace};
use flux_core::edit;
use flux_core::git::ObjectId;
use flux_core::notify as notice;
use flux_crds::git_repository::{CommitSummary, LastWrite};
use flux_crds::{GitRepository, GitRepositoryStatus, Reason, Time};
use flux_engine::git::{Deadline, Pushed, Store};
use jiff::Timestamp;

use super::fetch::{Found, Look, New, explain};
use super::gather::{Gathered, gather};
use super::memory::{Memory, directory, view};
use super::write::{self, Written};
use crate::context::Context;
use crate::key::Key;
use crate::notify::{self, News};
use crate::report::chain;
use crate::sources::Snapshot;
use crate::status;
use crate::sync::token;
use crate::webhook::Object;

/// Time until a status that could not be written is tried again.
const STATUS_RETRY: Duration = Duration::from_secs(1);

/// Reconciles once and returns how long to sleep if nothing else happens.
pub(crate) async fn reconcile(
    context: &Context,
    repository: &GitRepository,
    memory: &mut Memory,
) -> Option<Duration> {
    let key = Key::of(&repository.metadata);
    if repository.spec.is_suspended() {
        let mut status = memory.status.clone();
        status.observed_generation = repository.metadata.generation;
        let finding = Finding::new(Reason::Suspended, "suspended, nothing is written to it");
        write::fail(context, &key, &Outcome::Waiting(finding));
        return record(context, repository, memory, (status, None))
            .await
            .then_some(STATUS_RETRY);
    }
    let started = Instant::now();
    notify::examine(context, repository, memory.status.observed_generation);
    let (found, written) = look_and_write(context, repository, memory).await;
    if context.shutdown.is_cancelled() && found.is_err() && written.is_none() {
        // The end of this process is no failure of the repository, and nobody's news.
        return None;
    }
    let (outcome, mut event, mut status) = conclude(&key, repository, memory, found);
    status.webhook_path = context.hooks.path(&Object::Repository(key.clone()));
    notify(context, repository, memory, &outcome);
    if let Some(Written { pushed, changes }) = written {
        let told = tell(&pushed, &mut status);
        send(context, repository, (&pushed, &changes), &told.finding);
        event = Some(told);
        tracing::info!(object = %key, commit = %pushed.resolved.commit_id, branch = ?pushed.resolved.short_name, bytes = pushed.bytes_sent, attempts = pushed.attempts, "images committed");
    }
    context
        .metrics
        .reconciled("GitRepository", outcome.finding().reason, started.elapsed());
    if record(context, repository, memory, (status, event)).await {
        return Some(STATUS_RETRY);
    }
    let pace = Pace {
        interval: repository.spec.interval().unwrap_or(Duration::from_mins(1)),
        retry_interval: repository.spec.retry_interval().unwrap_or_default(),
        failures: memory.failures,
        jitter: Context::jitter(&key),
    };
    pace.next(&outcome)
}

/// Looks at the server, writes what image policies want, and looks again if that moved what is served, so that Syncs do not
/// wait for an interval.
async fn look_and_write(
    context: &Context,
    repository: &GitRepository,
    memory: &mut Memory,
) -> (Result<Option<Box<New>>, Outcome>, Option<Written>) {
    let key = Key::of(&repository.metadata);
    let begun = async {
        let gathered = Arc::new(gather(context, repository).await?);
        let store = memory
            .store(&directory(&context.options.data_dir, &key))
            .map_err(|error| explain(&error))?;
        let found = look(context, repository, memory, (&gathered, &store)).await?;
        Ok((gathered, store, found))
    };
    let (gathered, store, found) = match begun.await {
        Ok(begun) => begun,
        Err(outcome) => {
            write::fail(context, &key, &outcome);
            return (Err(outcome), None);
        }
    };
    let written = write::write(context, repository, memory, (&gathered, &store)).await;
    if written.is_none() {
        return (Ok(found), None);
    }
    match look(context, repository, memory, (&gathered, &store)).await {
        Ok(newer) => (Ok(newer.or(found)), written),
        Err(outcome) => (Err(outcome), written),
    }
}

/// Looks at the server. What is new is served at once, before anything is written about it.
async fn look(
    context: &Context,
    repository: &GitRepository,
    memory: &mut Memory,
    (gathered, store): (&Arc<Gathered>, &Store),
) -> Result<Option<Box<New>>, Outcome> {
    let key = Key::of(&repository.metadata);
    let look = Look {
        client: context.git.clone(),
        store: store.clone(),
        served: memory.served.clone(),
        ignore: repository.spec.ignore.clone(),
        view: view(&repository.spec),
        known: memory.status.verified.clone(),
        earlier: earlier(context, &key),
        gathered: Arc::clone(gathered),
    };
    store.retain(look.in_use());
    let _turn = context.fetches.take(&look.gathered.server()).await;
    let deadline = Deadline::after(look.gathered.timeout);
    let watched = deadline.clone();
    let mut fetching = tokio::task::spawn_blocking(move || look.run(&watched));
    let found = tokio::select! {
        found = &mut fetching => found,
        () = context.shutdown.cancelled() => {
            deadline.cancel();
            fetching.await
        }
    };
    let found = found.map(|(archive, found)| {
        context.sources.archive(&key, archive);
        found
    });
    match found {
        Ok(Ok(Found::Unchanged)) => Ok(None),
        Ok(Ok(Found::New(new))) => {
            memory.served = Some(Arc::clone(&new.snapshot));
            context.sources.serve(&key, Arc::clone(&new.snapshot));
            context.metrics.fetched(new.bytes);
            let store = store.clone();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = store.collect() {
                    tracing::warn!(error = %chain(&error), "object store not tidied up");
                }
            });
            Ok(Some(new))
        }
        Ok(Err(error)) => {
            // A store that fails is opened anew, which heals what is broken.
            if matches!(
                error,
                flux_engine::git::Error::Store { .. } | flux_engine::git::Error::Object { .. }
            ) {
                memory.store = None;
                memory.served = None;
            }
            if matches!(error, flux_engine::git::Error::Signature(_)) && !memory.serves_verified() {
                // What is served was never verified: from now on it must not be used.
                memory.served = None;
                context.sources.withdraw(&key);
            }
            Err(explain(&error))
        }
        Err(error) => {
            let message = format!("the fetch broke off: {error}");
            Err(Outcome::Transient(Finding::new(
                Reason::InternalError,
                message,
            )))
        }
    }
}

/// Returns the commits that Syncs may have to return to, with the files of those that are open already.
fn earlier(context: &Context, key: &Key) -> HashMap<ObjectId, Option<Arc<Snapshot>>> {
    let open = |commit_id| (commit_id, context.sources.at(key, commit_id));
    context.sources.wanted(key).into_iter().map(open).collect()
}

/// Returns what the look came to.
fn conclude(
    key: &Key,
    repository: &GitRepository,
    memory: &mut Memory,
    found: Result<Option<Box<New>>, Outcome>,
) -> (Outcome, Option<Event>, GitRepositoryStatus) {
    let generation = repository.metadata.generation;
    let mut status = memory.status.clone();
    status.observed_generation = generation;
    let revision = memory.served.as_ref().map(|served| served.revision.clone());
    let mut event = None;
    let outcome = match found {
        Ok(new) => {
            if let Some(new) = new {
                event = Some(news(&new, &mut status));
                tracing::info!(object = %key, revision = %new.snapshot.revision, bytes = new.bytes, "revision fetched");
            }
            memory.failures = 0;
            status.revision.clone_from(&revision);
            let message = format!("Serving revision: {}", revision.unwrap_or_default());
            Outcome::Ready(Finding::new(Reason::Succeeded, message))
        }
        Err(outcome) => {
            memory.failures = memory.failures.saturating_add(1);
            tracing::warn!(object = %key, reason = %outcome.finding().reason, error = %outcome.finding().message, "repository not fetched");
            match revision {
                Some(revision) => outcome.with_note(&format!("still serving {revision}")),
                None => outcome,
            }
        }
    };
    if event.is_none() {
        event = conclude::event(&memory.status.conditions, &outcome);
    }
    status.conditions =
        conclude::conditions(&status.conditions, &outcome, generation, Timestamp::now());
    (outcome, event, status)
}

/// Puts a new revision into the status and returns the event that tells of it.
fn news(new: &New, status: &mut GitRepositoryStatus) -> Event {
    let author = conclude::truncate(&new.commit.author, 512);
    let subject = conclude::truncate(&new.commit.subject, 512);
    let message = format!("{}: {subject} ({author})", new.snapshot.revision);
    status.commit = Some(CommitSummary {
        author,
        subject,
        time: Some(Time(new.commit.time)),
    });
    status.verified.clone_from(&new.verified);
    status.last_fetch = Some(Time(Timestamp::now()));
    Event {
        warning: false,
        finding: Finding::new(Reason::NewRevision, message),
    }
}

/// Puts a pushed commit into the status and returns the event that tells of it.
fn tell(pushed: &Pushed, status: &mut GitRepositoryStatus) -> Event {
    status.last_write = Some(LastWrite {
        commit: pushed.resolved.commit_id.to_string(),
        time: Time(Timestamp::now()),
    });
    let subject = conclude::truncate(&pushed.commit.subject, 512);
    let message = format!("{}: {subject}", pushed.resolved.revision());
    Event {
        warning: false,
        finding: Finding::new(Reason::ImageUpdated, message),
    }
}

/// Tells the receivers in `spec.notify` of failures and their end.
fn notify(context: &Context, repository: &GitRepository, memory: &mut Memory, outcome: &Outcome) {
    let ended = notify::Ended {
        outcome,
        revision: None,
        failures_in_a_row: memory.failures,
        changes: &[],
        failures: &[],
    };
    notify::conclude(context, repository, &mut memory.notified, &ended);
}

/// Tells the receivers in `spec.notify` of a commit.
fn send(
    context: &Context,
    repository: &GitRepository,
    (pushed, changes): (&Pushed, &[edit::Change]),
    finding: &Finding,
) {
    let revision = pushed.resolved.revision().to_string();
    let news = News {
        revision: Some(&revision),
        images: changes,
        commit: Some(notice::Commit {
            author: pushed.commit.author.clone(),
            subject: pushed.commit.subject.clone(),
        }),
        ..News::new(notice::Kind::ImageUpdate, finding)
    };
    notify::send(context, repository, news);
}

/// Writes status and event. Returns whether the write failed.
async fn record(
    context: &Context,
    repository: &GitRepository,
    memory: &mut Memory,
    (mut status, event): (GitRepositoryStatus, Option<Event>),
) -> bool {
    let key = Key::of(&repository.metadata);
    status.last_handled_reconcile = token(&repository.metadata).or(status.last_handled_reconcile);
    status.notified.clone_from(&memory.notified);
    if let Some(event) = event {
        context.events.publish(repository, &event);
    }
    match status::write::<GitRepository, _>(&context.client, &key, &memory.status, &status).await {
        Ok(()) => {
            memory.status = status;
            false
        }
        Err(error) => {
            tracing::warn!(object = %key, error = %chain(&error), "status not written");
            true
        }
    }
}
