//! Watches of managed objects, metadata only, shared by all Syncs that see the same cluster through the same account.
//!
//! ```text
//!  API server ──event──► Watch (one a kind) ──► Records of each Sync ──only what is not as we left it──► notice ─► its task
//! ```
//!
//! A watch selects by the presence of our label, not by its value: so one is enough for many Syncs, and an object whose label
//! is changed to another Sync's still reaches the one that applied it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use flux_core::drift::{Records, Sighting, key};
use flux_core::hash::owned_hash;
use flux_core::live::Metadata;
use flux_crds::names::LABEL_SYNC;
use flux_engine::cluster::follow::{Event, follow};
use flux_engine::cluster::{Actor, Class, Cluster, Error};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::report::chain;

/// Events that are kept for a Sync that joins: what happened between its apply and its joining.
const RECENT: usize = 256;
/// Time until the cluster is asked again what it serves, when that failed.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Objects that one watch covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Post {
    /// Group of the kind.
    pub(crate) group: String,
    /// The kind.
    pub(crate) kind: String,
    /// The namespace; empty for all, and for kinds without.
    pub(crate) namespace: String,
}

/// All watches.
#[derive(Default)]
pub(crate) struct Watches {
    open: Mutex<HashMap<(usize, Actor, Post), Weak<Watch>>>,
}

/// A watch that lasts as long as a Sync is subscribed to it.
struct Watch {
    shared: Arc<Shared>,
    task: AbortHandle,
    /// Keeps the number of its connection from being given to another.
    _cluster: Cluster,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Shared {
    subscribers: Mutex<Vec<Weak<Subscription>>>,
    recent: Mutex<VecDeque<(u64, Sighting)>>,
    ended: Mutex<Option<Ended>>,
}

/// Why a watch is none any more.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The account may not list and watch the kind there; else the kind is not served.
    pub(crate) is_forbidden: bool,
    /// When.
    pub(crate) at: Instant,
}

/// What one Sync has in one watch.
pub(crate) struct Subscription {
    records: Mutex<Records>,
    notice: Arc<Notify>,
    watch: Arc<Watch>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watches {
    /// Subscribes to what lives of a kind. `notice` is notified when there is something to look at, or the watch has ended.
    pub(crate) fn subscribe(
        &self,
        cluster: &Cluster,
        post: &Post,
        notice: Arc<Notify>,
    ) -> Arc<Subscription> {
        let watch = self.watch(cluster, post);
        let subscription = Arc::new(Subscription {
            records: Mutex::default(),
            notice,
            watch: Arc::clone(&watch),
        });
        let mut subscribers = lock(&watch.shared.subscribers);
        subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        subscribers.push(Arc::downgrade(&subscription));
        drop(subscribers);
        subscription
    }

    fn watch(&self, cluster: &Cluster, post: &Post) -> Arc<Watch> {
        let key = (
            cluster.connection_id(),
            cluster.actor().clone(),
            post.clone(),
        );
        let mut open = lock(&self.open);
        let running = open.get(&key).and_then(Weak::upgrade);
        if let Some(watch) = running.filter(|watch| lock(&watch.shared.ended).is_none()) {
            return watch;
        }
        open.retain(|_, watch| watch.strong_count() > 0);
        let shared = Arc::<Shared>::default();
        let run = run(cluster.clone(), post.clone(), Arc::clone(&shared));
        let watch = Arc::new(Watch {
            shared,
            task: tokio::spawn(run).abort_handle(),
            _cluster: cluster.clone(),
        });
        open.insert(key, Arc::downgrade(&watch));
        watch
    }
}

impl Subscription {
    /// Replaces what is known of the Sync's objects, and looks again at what happened lately.
    pub(crate) fn replace(&self, records: impl IntoIterator<Item = (u64, u64)>) {
        let recent = lock(&self.watch.shared.recent);
        let mut known = lock(&self.records);
        known.replace(records);
        for (key, seen) in &*recent {
            match seen {
                Sighting::Gone => known.miss(*key),
                Sighting::Changed(hash) => known.see(*key, *hash),
            };
        }
        let is_news = known.has_sightings();
        drop((known, recent));
        if is_news {
            self.notice.notify_one();
        }
    }

    /// Takes it for granted that an object is as it was found.
    pub(crate) fn accept(&self, key: u64, found: Sighting) {
        lock(&self.records).accept(key, found);
    }

    /// Tells whether there is something to look at.
    pub(crate) fn has_sightings(&self) -> bool {
        lock(&self.records).has_sightings()
    }

    /// Takes what there is to look at.
    pub(crate) fn take_sightings(&self) -> HashMap<u64, Sighting> {
        lock(&self.records).take_sightings()
    }

    /// Returns why nothing is watched any more.
    pub(crate) fn ended(&self) -> Option<Ended> {
        lock(&self.watch.shared.ended).clone()
    }

    fn tell(&self, note: impl FnOnce(&mut Records) -> bool) {
        if note(&mut lock(&self.records)) {
            self.notice.notify_one();
        }
    }
}

impl Shared {
    fn subscribers(&self) -> Vec<Arc<Subscription>> {
        let subscribers = lock(&self.subscribers);
        subscribers.iter().filter_map(Weak::upgrade).collect()
    }

    fn tell(&self, event: &Event<'_>, listed: &mut HashSet<u64>) {
        match event {
            Event::ListBegins => listed.clear(),
            Event::Listed(metadata) => {
                let (key, hash) = numbers(metadata);
                listed.insert(key);
                for subscriber in self.subscribers() {
                    subscriber.tell(|records| records.see(key, hash));
                }
            }
            Event::ListEnds => self.end_list(listed),
            Event::Changed(metadata) => {
                let (key, hash) = numbers(metadata);
                self.note(key, Sighting::Changed(hash));
                for subscriber in self.subscribers() {
                    subscriber.tell(|records| records.see(key, hash));
                }
            }
            Event::Gone(metadata) => {
                let (key, _) = numbers(metadata);
                self.note(key, Sighting::Gone);
                for subscriber in self.subscribers() {
                    subscriber.tell(|records| records.miss(key));
                }
            }
        }
    }

    fn end_list(&self, listed: &mut HashSet<u64>) {
        for subscriber in self.subscribers() {
            subscriber.tell(|records| records.end_list(listed));
        }
        *listed = HashSet::new();
    }

    fn note(&self, key: u64, seen: Sighting) {
        let mut recent = lock(&self.recent);
        if recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back((key, seen));
    }
}

fn numbers(metadata: &Metadata) -> (u64, Option<u64>) {
    (
        key(&metadata.namespace, &metadata.name),
        owned_hash(&metadata.managed_fields),
    )
}

/// Follows a kind until that is not possible any more.
async fn run(cluster: Cluster, post: Post, shared: Arc<Shared>) {
    let error = follow_kind(&cluster, &post, &shared).await;
    let is_forbidden = error.is_forbidden();
    tracing::info!(kind = %post.kind, namespace = %post.namespace, actor = %cluster.actor(), error = %chain(&error), "watch for drift ended");
    if !is_forbidden {
        // The kind went, and all its objects with it.
        shared.end_list(&mut HashSet::new());
    }
    *lock(&shared.ended) = Some(Ended {
        is_forbidden,
        at: Instant::now(),
    });
    for subscriber in shared.subscribers() {
        subscriber.notice.notify_one();
    }
}

async fn follow_kind(cluster: &Cluster, post: &Post, shared: &Shared) -> Error {
    let resource = loop {
        match cluster.kinds().preferred(&post.group, &post.kind).await {
            Ok(resource) => break resource,
            Err(error) if error.class() == Class::Permanent => return error,
            Err(_) => tokio::time::sleep(ASK_AGAIN).await,
        }
    };
    let mut listed = HashSet::new();
    let place = (post.namespace.as_str(), LABEL_SYNC);
    follow(cluster, &resource, place, |event| {
        shared.tell(&event, &mut listed);
    })
    .await
}
