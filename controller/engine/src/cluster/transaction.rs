//! A set of objects, applied as one: every dry-run before the first write, then stage by stage.
//!
//! 1. [`Transaction::check`] dry-runs all objects that the API server can judge already. Any rejection, and nothing at all is
//!    written; all rejections are returned. Objects of a kind or in a namespace that this very set brings are judged later.
//! 2. [`Transaction::apply`] writes stage by stage and, within a stage, kind by kind in the order kubectl users expect;
//!    objects of one kind in parallel. A later stage starts only when the definitions of the earlier one are established,
//!    and so does a later transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flux_core::change::{Action, Change};
use flux_core::live::Metadata;
use flux_core::object::{Desired, ObjectId};
use flux_core::order::{Rank, Stage};
use flux_core::settings::{Settings, Ssa};
use futures::{FutureExt as _, StreamExt as _, stream};

use super::apply::{self, Outcome, Payload};
use super::take_over::take_over;
use super::{Cluster, Error, Resource, at_once, wait};

mod brings;
mod failure;

use brings::{Brings, definitions};
pub use failure::{Failure, ItemError};

/// Requests of one transaction under way at once.
const AT_ONCE: usize = 16;

/// An object to apply.
#[derive(Debug)]
pub struct Item {
    /// The object as it shall be, owner labels included.
    pub desired: Desired,
    /// Whether it may be deleted and created again for an immutable field.
    pub force: bool,
    /// What happens to fields that others set beside ours.
    pub beside: Beside,
}

/// Whether fields that `kubectl` and the like set beside ours become ours, and vanish where git does not have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beside {
    /// They do.
    #[default]
    TakenOver,
    /// They stay, because some of them are left to others on purpose.
    Left,
}

/// What became of an applied object.
#[derive(Debug)]
pub struct Applied {
    /// The object and what was done to it.
    pub change: Change,
    /// The object as it was applied.
    pub desired: Desired,
    /// Its metadata afterwards, unless it was skipped.
    pub metadata: Option<Metadata>,
}

/// The outcome of [`Transaction::apply`].
#[derive(Debug, Default)]
pub struct Report {
    /// What was applied.
    pub applied: Vec<Applied>,
    /// What could not be applied; anything here means that the transaction failed.
    pub failures: Vec<Failure>,
}

/// What the dry-run said about an object.
enum Verdict {
    /// To be applied, with the metadata that the dry-run showed.
    Accepted {
        take_over: bool,
        metadata: Box<Metadata>,
    },
    /// To be left alone.
    Skip,
    /// To be deleted and created again.
    Recreate,
    /// Cannot be judged before other objects of the set exist.
    Later,
}

/// A set of objects on its way to a cluster.
pub struct Transaction<'a> {
    cluster: &'a Cluster,
    items: Vec<Item>,
    verdicts: Vec<Verdict>,
}

impl<'a> Transaction<'a> {
    /// Dry-runs all items. Returns the transaction ready to be applied, or every rejection; nothing more is asked of an API
    /// server that is away.
    pub async fn check(cluster: &'a Cluster, items: Vec<Item>) -> Result<Self, Vec<Failure>> {
        let brings = Brings::of(&items);
        let checks: Vec<_> = items
            .iter()
            .map(|item| judge(cluster, item, &brings).boxed())
            .collect();
        let mut judged = stream::iter(checks)
            .buffered(AT_ONCE)
            .zip(stream::iter(&items));
        let mut verdicts = Vec::with_capacity(items.len());
        let mut failures = Vec::new();
        while let Some((verdict, item)) = judged.next().await {
            match verdict {
                Ok(verdict) => verdicts.push(verdict),
                Err(error) => {
                    let is_away = error.is_unreachable();
                    failures.push(Failure::of(&item.desired, error));
                    if is_away {
                        break;
                    }
                }
            }
        }
        drop(judged);
        if failures.is_empty() {
            Ok(Self {
                cluster,
                items,
                verdicts,
            })
        } else {
            Err(failures)
        }
    }

    /// Returns the objects that will be applied.
    pub fn desired(&self) -> impl Iterator<Item = &Desired> {
        self.items.iter().map(|item| &item.desired)
    }

    /// Tells whether the API server would take an object from this actor now.
    pub fn accepts(&self, id: &ObjectId) -> bool {
        let mut judged = self.items.iter().zip(&self.verdicts);
        judged.any(|(item, verdict)| item.desired.id == *id && !matches!(verdict, Verdict::Later))
    }

    /// Takes out what is to be applied, or left, by itself.
    #[must_use]
    pub fn take(&mut self, is_wanted: impl Fn(&Desired) -> bool) -> Self {
        let all = std::mem::take(&mut self.items)
            .into_iter()
            .zip(std::mem::take(&mut self.verdicts));
        let (taken, left): (Vec<_>, Vec<_>) = all.partition(|(item, _)| is_wanted(&item.desired));
        (self.items, self.verdicts) = left.into_iter().unzip();
        let (items, verdicts) = taken.into_iter().unzip();
        Self {
            cluster: self.cluster,
            items,
            verdicts,
        }
    }

    /// Writes everything. Stops at the end of the first step in which something fails, and at once when the API server is
    /// away.
    pub async fn apply(self, definitions_ready: Duration) -> Report {
        let mut steps: BTreeMap<(Stage, Rank), Vec<(Item, Verdict)>> = BTreeMap::new();
        for (item, verdict) in self.items.into_iter().zip(self.verdicts) {
            let id = &item.desired.id;
            steps
                .entry((Stage::of(id), Rank::of(id)))
                .or_default()
                .push((item, verdict));
        }
        let mut report = Report::default();
        let mut stage = None;
        for ((next, _), step) in steps {
            if stage == Some(Stage::Definitions) && next != Stage::Definitions {
                definitions(self.cluster, &mut report, definitions_ready).await;
            }
            if !report.failures.is_empty() {
                return report;
            }
            stage = Some(next);
            apply_step(self.cluster, step, &mut report).await;
        }
        // What uses them may come in another transaction, such as a later wave.
        if stage == Some(Stage::Definitions) && report.failures.is_empty() {
            definitions(self.cluster, &mut report, definitions_ready).await;
        }
        report
    }
}

async fn judge(cluster: &Cluster, item: &Item, brings: &Brings) -> Result<Verdict, ItemError> {
    match dry_run(cluster, item).await {
        Err(ItemError::Cluster(error)) if brings.may_cure(cluster, item, &error) => {
            Ok(Verdict::Later)
        }
        judged => judged,
    }
}

async fn dry_run(cluster: &Cluster, item: &Item) -> Result<Verdict, ItemError> {
    let resource = resource(cluster, &item.desired).await?;
    let body = body(&item.desired);
    match apply::dry_run(cluster, payload(item, &resource, &body)).await {
        Ok(outcome) => accept(item, outcome),
        Err(error)
            if error
                .rejection()
                .is_some_and(super::Rejection::is_immutable_field) =>
        {
            if item.force {
                Ok(Verdict::Recreate)
            } else {
                Err(ItemError::Immutable(error))
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The labels and annotations that a dry-run shows are those of the live object with ours on top.
fn accept(item: &Item, outcome: Outcome) -> Result<Verdict, ItemError> {
    let metadata = outcome.metadata;
    let settings = Settings::of(Some(&item.desired.value), Some(&metadata));
    let left_alone = match settings.ssa {
        Ssa::Ignore => true,
        Ssa::IfNotPresent => !outcome.created,
        Ssa::Override | Ssa::Merge => false,
    };
    if left_alone || !settings.reconcile {
        return Ok(Verdict::Skip);
    }
    if metadata.is_terminating() {
        return Err(ItemError::Terminating);
    }
    let take_over =
        !outcome.created && settings.ssa == Ssa::Override && item.beside == Beside::TakenOver;
    Ok(Verdict::Accepted {
        take_over,
        metadata: Box::new(metadata),
    })
}

pub(super) async fn resource(cluster: &Cluster, desired: &Desired) -> Result<Resource, ItemError> {
    for name in [&desired.id.name, &desired.id.namespace] {
        if !name.is_empty() && !Resource::is_path_segment(name) {
            return Err(ItemError::Name { name: name.clone() });
        }
    }
    Ok(cluster
        .resolve(&desired.api_version, &desired.id.kind)
        .await?)
}

pub(super) fn body(desired: &Desired) -> Vec<u8> {
    desired.value.to_string().into_bytes()
}

pub(super) fn payload<'a>(item: &'a Item, resource: &'a Resource, body: &'a [u8]) -> Payload<'a> {
    let ObjectId {
        namespace, name, ..
    } = &item.desired.id;
    Payload {
        resource,
        namespace,
        name,
        body,
    }
}

async fn apply_step(cluster: &Cluster, step: Vec<(Item, Verdict)>, report: &mut Report) {
    let is_away = &AtomicBool::new(false);
    let applies = step.into_iter().map(|(item, verdict)| {
        let apply = async move {
            if is_away.load(Ordering::Relaxed) {
                return None;
            }
            let applied = apply_item(cluster, &item, verdict).await;
            if applied.as_ref().is_err_and(ItemError::is_unreachable) {
                is_away.store(true, Ordering::Relaxed);
            }
            Some((item.desired, applied))
        };
        apply.boxed()
    });
    let mut applies = at_once(applies, AT_ONCE);
    while let Some(tried) = applies.next().await {
        let Some((desired, result)) = tried else {
            continue;
        };
        match result {
            Ok((action, metadata)) => {
                let change = Change {
                    id: desired.id.clone(),
                    action,
                };
                report.applied.push(Applied {
                    change,
                    desired,
                    metadata,
                });
            }
            Err(error) => report.failures.push(Failure::of(&desired, error)),
        }
    }
}

pub(super) type Written = (Action, Option<Metadata>);

async fn apply_item(
    cluster: &Cluster,
    item: &Item,
    verdict: Verdict,
) -> Result<Written, ItemError> {
    let resource = resource(cluster, &item.desired).await?;
    let body = body(&item.desired);
    let payload = payload(item, &resource, &body);
    let verdict = match verdict {
        Verdict::Later => dry_run(cluster, item).await?,
        judged => judged,
    };
    match verdict {
        Verdict::Skip => Ok((Action::Skipped, None)),
        Verdict::Recreate => recreate(cluster, payload).await,
        Verdict::Later => Err(ItemError::Cluster(Error::UnknownKind {
            api_version: item.desired.api_version.clone(),
            kind: item.desired.id.kind.clone(),
        })),
        Verdict::Accepted {
            take_over: wanted,
            metadata,
        } => {
            if wanted {
                take_over(cluster, payload, &metadata).await?;
            }
            let outcome = apply::apply(cluster, payload).await?;
            let action = match (
                outcome.created,
                outcome.metadata.resource_version == metadata.resource_version,
            ) {
                (true, _) => Action::Created,
                (false, true) => Action::Unchanged,
                (false, false) => Action::Configured,
            };
            Ok((action, Some(outcome.metadata)))
        }
    }
}

/// Deletes the object and creates it again, once it is really gone.
pub(super) async fn recreate(
    cluster: &Cluster,
    payload: Payload<'_>,
) -> Result<Written, ItemError> {
    let Payload {
        resource,
        namespace,
        name,
        ..
    } = payload;
    if let Some(metadata) = super::live::get(cluster, resource, namespace, name).await? {
        apply::delete(cluster, resource, &metadata).await?;
        wait::until_gone(cluster, resource, &metadata).await?;
    }
    let outcome = apply::apply(cluster, payload).await?;
    Ok((Action::Recreated, Some(outcome.metadata)))
}
