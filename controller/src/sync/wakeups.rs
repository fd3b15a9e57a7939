//! What wakes a Sync: its own object, its source, its dependencies, what its variables and keys come from, a freed object.
//! Never a timer of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flux_crds::Sync;
use flux_engine::cluster::Actor;
use flux_engine::inputs::{Reference, Version, references};
use tokio::sync::{Notify, watch};

use super::dependency;
use super::gather::account;
use crate::context::Context;
use crate::key::Key;
use crate::references::{Known, Watch};
use crate::registry::State;
use crate::sources::Served;

/// Everything outside a Sync that its reconcile depends on, at one moment. A Sync is reconciled when it differs from what
/// the last reconcile saw; status writes, our own included, change nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Situation {
    exists: bool,
    uid: Option<String>,
    generation: Option<i64>,
    token: Option<String>,
    deleting: bool,
    revision: Option<String>,
    view: u64,
    /// What each dependency lacks.
    dependencies: Vec<Result<(), String>>,
    references: BTreeMap<Reference, Known>,
}

impl Situation {
    /// Tells whether nothing but the source, or what depends on it, has moved.
    pub(crate) fn differs_only_in_source(&self, seen: &Self) -> bool {
        let Self {
            revision,
            view,
            dependencies,
            ..
        } = seen.clone();
        *self != *seen
            && Self {
                revision,
                view,
                dependencies,
                ..self.clone()
            } == *seen
    }
}

/// The channels of one Sync.
pub(crate) struct Wakeups {
    context: Arc<Context>,
    object: watch::Receiver<State<Sync>>,
    source: Option<(Key, watch::Receiver<Served>)>,
    dependencies: Vec<(Key, watch::Receiver<State<Sync>>)>,
    references: Vec<Referred>,
    nudge: Arc<Notify>,
    /// The account that the references are watched through.
    actor: Option<Actor>,
}

/// A watched ConfigMap or Secret.
struct Referred {
    reference: Reference,
    /// Which state of it was built with.
    read: Known,
    known: watch::Receiver<Known>,
    /// Keeps the watch open.
    _watch: Arc<Watch>,
}

impl Wakeups {
    /// Subscribes to the Sync itself.
    pub(crate) fn new(context: &Arc<Context>, key: &Key) -> Self {
        Self {
            context: Arc::clone(context),
            object: context.syncs.subscribe(key),
            source: None,
            dependencies: Vec::new(),
            references: Vec::new(),
            nudge: context.claims.nudge(key),
            actor: None,
        }
    }

    /// Returns the Sync as it is now.
    pub(crate) fn object(&self) -> State<Sync> {
        self.object.borrow().clone()
    }

    /// Returns what the source serves now.
    pub(crate) fn served(&self) -> Served {
        self.source
            .as_ref()
            .and_then(|(_, source)| source.borrow().clone())
    }

    /// Subscribes to what the Sync refers to now, and returns the situation.
    pub(crate) fn look(&mut self) -> Situation {
        let object = self.object.borrow_and_update().clone();
        if let Some(sync) = &object {
            self.follow(sync);
        }
        let served = self
            .source
            .as_mut()
            .and_then(|(_, source)| source.borrow_and_update().clone());
        let revision = served.as_ref().map(|snapshot| snapshot.revision.clone());
        let is_ready = |(index, (_, state)): (usize, &mut (Key, watch::Receiver<State<Sync>>))| {
            let dependency = state.borrow_and_update().clone();
            let wanted = object
                .as_ref()
                .and_then(|sync| Some((sync, sync.spec.depends_on.get(index)?)));
            match (dependency, wanted) {
                (Some(dependency), Some((sync, wanted))) => {
                    dependency::check(sync, wanted, &dependency, revision.as_deref())
                }
                _ => Err(String::new()),
            }
        };
        let dependencies = self.dependencies.iter_mut().enumerate();
        let dependencies = dependencies.map(is_ready).collect();
        let references = self.references.iter_mut().map(|referred| {
            let known = referred.known.borrow_and_update().clone();
            (referred.reference.clone(), known)
        });
        let references = references.collect();
        let metadata = object.as_ref().map(|sync| &sync.metadata);
        Situation {
            exists: object.is_some(),
            uid: metadata.and_then(|metadata| metadata.uid.clone()),
            generation: metadata.and_then(|metadata| metadata.generation),
            token: object.as_ref().and_then(|sync| token(&sync.metadata)),
            deleting: metadata.is_some_and(|metadata| metadata.deletion_timestamp.is_some()),
            revision,
            view: served.map_or(0, |snapshot| snapshot.view),
            dependencies,
            references,
        }
    }

    /// Takes note of the states of ConfigMaps and Secrets that a reconcile has read.
    pub(crate) fn has_read(&mut self, versions: &BTreeMap<Reference, Version>) {
        for referred in &mut self.references {
            referred.read = versions.get(&referred.reference).cloned();
        }
    }

    /// Tells whether the situation is another than `seen`. What a watch brings to light after a reconcile has read the very
    /// same state is no news.
    fn has_moved(&mut self, seen: &Situation) -> bool {
        let mut now = self.look();
        for referred in &self.references {
            let known = now.references.get_mut(&referred.reference);
            let (Some(known), Some(before)) = (known, seen.references.get(&referred.reference))
            else {
                continue;
            };
            if known.is_none() || *known == referred.read {
                known.clone_from(before);
            }
        }
        now != *seen
    }

    fn follow(&mut self, sync: &Sync) {
        let source = source_key(sync);
        if self.source.as_ref().is_none_or(|(key, _)| *key != source) {
            let channel = self.context.sources.subscribe(&source);
            self.source = Some((source, channel));
        }
        let wanted = dependency_keys(sync);
        if !self
            .dependencies
            .iter()
            .map(|(key, _)| key)
            .eq(wanted.iter())
        {
            let subscribe = |key: Key| (key.clone(), self.context.syncs.subscribe(&key));
            self.dependencies = wanted.into_iter().map(subscribe).collect();
        }
        self.refer(sync);
    }

    /// Watches what the Sync refers to, and nothing while it sleeps.
    fn refer(&mut self, sync: &Sync) {
        let wanted = if sync.spec.is_suspended() {
            BTreeSet::new()
        } else {
            references(&sync.spec)
        };
        let actor = account(&self.context, sync);
        let same = self.actor.as_ref() == Some(&actor)
            && self
                .references
                .iter()
                .map(|referred| &referred.reference)
                .eq(&wanted);
        if same {
            return;
        }
        let cluster = self.context.cluster(actor.clone());
        let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
        let refer = |reference: Reference| {
            let watch = self
                .context
                .references
                .watch(&cluster, namespace, &reference);
            Referred {
                reference,
                read: None,
                known: watch.known(),
                _watch: watch,
            }
        };
        self.references = wanted.into_iter().map(refer).collect();
        self.actor = Some(actor);
    }

    /// Returns when the situation differs from `seen`, or when an object that this Sync wished for became free, or when
    /// the process ends.
    pub(crate) async fn changed(&mut self, seen: &Situation) {
        loop {
            if self.has_moved(seen) {
                return;
            }
            let Self {
                context,
                object,
                source,
                dependencies,
                references,
                nudge,
                actor: _,
            } = self;
            let shutdown = &context.shutdown;
            let source = async {
                match source {
                    Some((_, source)) => source.changed().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            let dependencies = async {
                if dependencies.is_empty() {
                    std::future::pending::<()>().await;
                }
                let changes = dependencies
                    .iter_mut()
                    .map(|(_, state)| Box::pin(state.changed()));
                let _first = futures::future::select_all(changes).await;
            };
            let references = async {
                if references.is_empty() {
                    std::future::pending::<()>().await;
                }
                let changes = references
                    .iter_mut()
                    .map(|referred| Box::pin(referred.known.changed()));
                let _first = futures::future::select_all(changes).await;
            };
            tokio::select! {
                // The registry outlives every Sync, so a closed channel means that the process ends.
                changed = object.changed() => if changed.is_err() { return },
                alive = source => if !alive { return },
                () = dependencies => {}
                () = references => {}
                () = nudge.notified() => return,
                () = shutdown.cancelled() => return,
            }
        }
    }
}

/// Returns the repository that a Sync follows.
pub(crate) fn source_key(sync: &Sync) -> Key {
    let own = sync.metadata.namespace.as_deref().unwrap_or_default();
    let reference = &sync.spec.source_ref;
    Key::new(
        reference.namespace.as_deref().unwrap_or(own),
        &reference.name,
    )
}

/// Returns the Syncs that a Sync depends on.
pub(crate) fn dependency_keys(sync: &Sync) -> Vec<Key> {
    let own = sync.metadata.namespace.as_deref().unwrap_or_default();
    let key = |wanted| dependency::key(own, wanted);
    sync.spec.depends_on.iter().map(key).collect()
}

/// Returns the token of the annotation that asks for a reconcile.
pub(crate) fn token(metadata: &kube::api::ObjectMeta) -> Option<String> {
    metadata
        .annotations
        .as_ref()?
        .get(flux_crds::names::RECONCILE)
        .cloned()
}
