//! Telling people and other systems, beside the work.
//!
//! ```text
//! conclude ─► is it news? ─┐
//! send ────────────────────┴► Notice ─► one queue per receiver ─► worker: read the Secret, render, post, try again
//! ```
//!
//! *Guarantees*: a reconcile only puts something into a queue, which is bounded, so that no receiver can hold it up. What was
//! told is remembered in the object's status. Trouble with a receiver is an event on the object, once, and a figure.

mod deliver;
mod queue;
mod warn;

use std::sync::Arc;

use flux_core::change::Change;
use flux_core::conclude::{Event, Finding, Outcome};
use flux_core::edit;
use flux_core::notify::{
    self, Commit, Kind, MAX_CHANGES, Notice, Seen, Subject, begin, decide, wants,
};
use flux_crds::sync::Failure;
use flux_crds::{GitRepository, ImagePolicy, Notification, Notified, Reason, Sync};
use jiff::Timestamp;
use kube::{Client, Resource};

use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::sources::Snapshot;
use crate::status::reference;
use crate::sync::{account, source_key};

pub(crate) use queue::Notices;
use queue::{Letter, Origin};

/// A kind with `spec.notify`.
pub(crate) trait Notifying: Resource<DynamicType = ()> {
    /// The kind's name.
    const KIND: &'static str;

    /// Returns who is told.
    fn notifications(&self) -> &[Notification];

    /// Returns the repository of the revisions that are told, if there is one.
    fn repository(&self) -> Option<Key>;

    /// Returns who reads the Secrets of the receivers.
    fn reader(&self, context: &Context) -> Client {
        context.client.clone()
    }
}

impl Notifying for Sync {
    const KIND: &'static str = "Sync";

    fn notifications(&self) -> &[Notification] {
        &self.spec.notify
    }

    fn repository(&self) -> Option<Key> {
        Some(source_key(self))
    }

    /// Its account, as for all that it names: nobody shall send away a Secret that it may not read.
    fn reader(&self, context: &Context) -> Client {
        let cluster = context.cluster(account(context, self));
        cluster.client().clone()
    }
}

impl Notifying for GitRepository {
    const KIND: &'static str = "GitRepository";

    fn notifications(&self) -> &[Notification] {
        &self.spec.notify
    }

    fn repository(&self) -> Option<Key> {
        Some(Key::of(&self.metadata))
    }
}

impl Notifying for ImagePolicy {
    const KIND: &'static str = "ImagePolicy";

    fn notifications(&self) -> &[Notification] {
        &self.spec.notify
    }

    fn repository(&self) -> Option<Key> {
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let update = self.spec.update.first()?;
        Some(Key::new(namespace, &update.repository.name))
    }
}

/// Warns of a receiver that can never be told anything, once for each generation of the object. It stands in the way of
/// nothing else.
pub(crate) fn examine<K: Notifying>(context: &Context, object: &K, observed: Option<i64>) {
    if object.meta().generation == observed {
        return;
    }
    if let Err(invalid) = notify::examine(K::KIND, object.notifications()) {
        let finding = Finding::new(Reason::NotificationFailed, chain(&invalid));
        let warning = true;
        context.events.publish(object, &Event { warning, finding });
    }
}

/// Something that happened to an object.
#[derive(Debug)]
pub(crate) struct News<'a> {
    /// What.
    pub(crate) kind: Kind,
    /// Why.
    pub(crate) finding: &'a Finding,
    /// The revision that it is about.
    pub(crate) revision: Option<&'a str>,
    /// Which objects were changed.
    pub(crate) changes: &'a [Change],
    /// What failed, object by object.
    pub(crate) failures: &'a [Failure],
    /// Which images were committed.
    pub(crate) images: &'a [edit::Change],
    /// The commit, if the caller knows it; else it is read from the repository.
    pub(crate) commit: Option<Commit>,
}

impl<'a> News<'a> {
    /// Returns news without anything but its reason.
    pub(crate) fn new(kind: Kind, finding: &'a Finding) -> Self {
        Self {
            kind,
            finding,
            revision: None,
            changes: &[],
            failures: &[],
            images: &[],
            commit: None,
        }
    }
}

/// What a reconcile came to.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    /// How it ended.
    pub(crate) outcome: &'a Outcome,
    /// The revision that it was about, of a kind that applies revisions.
    pub(crate) revision: Option<&'a str>,
    /// Failures in a row, this one included.
    pub(crate) failures_in_a_row: u32,
    /// Which objects were changed since the last success.
    pub(crate) changes: &'a [Change],
    /// What failed, object by object.
    pub(crate) failures: &'a [Failure],
}

/// Tells what a reconcile came to, if that is news, and keeps in `told` what was told.
pub(crate) fn conclude(
    context: &Context,
    object: &impl Notifying,
    told: &mut Option<Notified>,
    ended: &Ended<'_>,
) {
    if object.notifications().is_empty() {
        *told = None;
        return;
    }
    // That something began is not yet anything that happened.
    let is_first = told.as_ref().is_none_or(|told| told.generation.is_none());
    let seen = Seen {
        outcome: ended.outcome,
        revision: ended.revision,
        generation: object.meta().generation,
        failures: ended.failures_in_a_row,
    };
    let (kind, now) = decide(told.as_ref(), seen);
    *told = now;
    if let Some(kind) = kind {
        let news = News {
            revision: ended.revision,
            changes: ended.changes,
            failures: ended.failures,
            ..News::new(kind, ended.outcome.finding())
        };
        enqueue(context, object, news, is_first);
    }
}

/// Tells that a revision begins to be applied, if that is news, and keeps in `told` that it was.
pub(crate) fn progress(
    context: &Context,
    object: &impl Notifying,
    told: &mut Option<Notified>,
    revision: &str,
) {
    if object.notifications().is_empty() {
        return;
    }
    let (kind, now) = begin(told.as_ref(), revision);
    *told = now;
    if let Some(kind) = kind {
        let finding = Finding::new(Reason::Progressing, format!("applying {revision}"));
        let news = News {
            revision: Some(revision),
            ..News::new(kind, &finding)
        };
        send(context, object, news);
    }
}

/// Tells what happened to an object to everyone who its spec says wants to know. It returns at once.
pub(crate) fn send(context: &Context, object: &impl Notifying, news: News<'_>) {
    enqueue(context, object, news, false);
}

fn enqueue<K: Notifying>(context: &Context, object: &K, news: News<'_>, is_first: bool) {
    if object.notifications().is_empty() {
        return;
    }
    let key = Key::of(object.meta());
    let source = object.repository();
    let repository = source
        .as_ref()
        .and_then(|key| context.repositories.get(key));
    let News {
        kind,
        finding,
        revision,
        changes,
        failures,
        images,
        commit,
    } = news;
    let is_change = |change: &&Change| change.action.is_change();
    let changed = changes.iter().filter(is_change);
    let notice = Notice {
        kind,
        object: Subject {
            kind: K::KIND,
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            uid: object.meta().uid.clone().unwrap_or_default(),
        },
        cluster: context.options.cluster_name.clone(),
        revision: revision.map(str::to_owned),
        reason: finding.reason,
        message: finding.message.clone(),
        time: Timestamp::now(),
        changes: changed.clone().take(MAX_CHANGES).cloned().collect(),
        changed: changed.count(),
        images: images.to_vec(),
        failures: failures.iter().take(MAX_CHANGES).cloned().collect(),
        commit,
        repository: repository.and_then(|repository| repository.spec.url.parse().ok()),
        is_first,
    };
    let origin = Arc::new(Origin {
        snapshot: source
            .as_ref()
            .and_then(|source| snapshot(context, source, &notice)),
        trusts_repository: source.is_some_and(|source| source.namespace == key.namespace),
        object: reference(object),
        reader: object.reader(context),
        notice,
    });
    for notification in object.notifications() {
        if wants(notification, &origin.notice) {
            context
                .notices
                .push(Letter::new(notification.clone(), Arc::clone(&origin)));
        }
    }
}

/// Returns the files of the notice's revision, which know their commit.
fn snapshot(context: &Context, source: &Key, notice: &Notice) -> Option<Arc<Snapshot>> {
    let id = notice.commit_id()?;
    let served = context.sources.subscribe(source).borrow().clone();
    served
        .filter(|served| served.tree.commit_id().to_string() == id)
        .or_else(|| context.sources.at(source, id.parse().ok()?))
}
