//! What a Sync watches, and what it knows of drift.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flux_core::drift::{Drift, Fight, Sighting, key};
use flux_core::hash::owned_hash;
use flux_core::inventory::Inventory;
use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_crds::sync::DriftMode;
use flux_crds::{Sync, SyncStatus};
use flux_engine::cluster::survey::Survey;
use flux_engine::cluster::{Actor, Cluster};
use tokio::sync::Notify;

use super::cache::Cache;
use super::calls::Calls;
use crate::context::Context;
use crate::watches::{Post, Subscription};

/// Time in which sightings are gathered: one change of a person often is several writes.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Time between two writes of the status that only tell of repairs. The first is at once.
const SHOWN_EVERY: Duration = Duration::from_secs(10);
/// The same for differences that stand.
const NEWS_EVERY: Duration = Duration::from_secs(1);
/// Time until a watch that was not allowed is tried again.
const NOT_ALLOWED: Duration = Duration::from_mins(5);
/// Time until a repair whose time had come, and that nothing came of, is tried again.
const OVERDUE: Duration = Duration::from_secs(30);
/// Namespaces of a kind that a tenant's account watches one by one.
const NAMESPACES_ONE_BY_ONE: usize = 2;
/// Fights that are remembered of one Sync; more at once are no fights but a flood.
const FIGHTS: usize = 1024;

/// A difference that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What it is.
    pub(crate) drift: Drift,
    /// When to put the object back; never where the Sync only warns.
    pub(crate) due: Option<Instant>,
    /// Whether somebody changes it again and again.
    pub(crate) is_contested: bool,
}

/// What a Sync watches, and what it knows of drift.
#[derive(Default)]
pub(crate) struct Lookout {
    notice: Arc<Notify>,
    target: Option<Cluster>,
    posts: BTreeMap<Post, Arc<Subscription>>,
    /// Kinds that the account may not watch; their objects are verified at each interval.
    unwatched: BTreeSet<String>,
    fights: HashMap<ObjectId, Fight>,
    standing: BTreeMap<ObjectId, Standing>,
    /// What was put back last, in words.
    pub(super) repaired: Option<String>,
    pub(super) cache: Cache,
    pub(super) calls: Calls,
    /// Since when something is to be shown in the status.
    dirty: Option<Instant>,
    /// Whether that is more than a repair.
    is_news: bool,
    shown: Option<Instant>,
    /// Whether the status lists what an earlier process found, and this one has not looked yet.
    inherits: bool,
}

impl Lookout {
    /// Starts from a status in which an earlier process may have listed what differs.
    pub(crate) fn of(status: &SyncStatus) -> Self {
        Self {
            inherits: !status.drift.is_empty(),
            ..Self::default()
        }
    }

    /// Sets the cluster to watch. From here on [`Self::arm`] does something.
    pub(crate) fn aim(&mut self, target: &Cluster) {
        let same = self.target.as_ref().is_some_and(|known| {
            known.connection_id() == target.connection_id() && known.actor() == target.actor()
        });
        if !same {
            self.posts.clear();
            self.target = Some(target.clone());
        }
    }

    /// Returns the watched cluster.
    pub(super) fn target(&self) -> Option<&Cluster> {
        self.target.as_ref()
    }

    /// Watches nothing any more, and knows of no drift of its own.
    pub(crate) fn disarm(&mut self) {
        *self = Self {
            inherits: self.inherits,
            ..Self::default()
        };
    }

    /// Watches the objects of an inventory, each as its last apply left it.
    pub(crate) fn arm(&mut self, context: &Context, sync: &Sync, inventory: &Inventory) {
        let Some(target) = self.target.clone() else {
            return;
        };
        if mode(sync) == DriftMode::Ignore {
            return self.disarm();
        }
        let wanted = self.wanted(&target, &context.options.runtime_namespace, inventory);
        self.posts.retain(|post, _| wanted.contains_key(post));
        for (post, records) in wanted {
            let stays = self.posts.get(&post).is_some_and(|subscription| {
                subscription.ended().is_none() || self.is_refused(&post)
            });
            if !stays {
                let notice = Arc::clone(&self.notice);
                let subscription = context.watches.subscribe(&target, &post, notice);
                self.posts.insert(post.clone(), subscription);
            }
            if let Some(subscription) = self.posts.get(&post) {
                subscription.replace(records);
            }
        }
    }

    /// Returns what to watch, and the objects of each watch: of a kind in all namespaces where the account may do that and
    /// it pays, else of a kind in each namespace.
    fn wanted(
        &mut self,
        target: &Cluster,
        runtime_namespace: &str,
        inventory: &Inventory,
    ) -> BTreeMap<Post, Vec<(u64, u64)>> {
        self.unwatched.clear();
        let prefers_wide = match target.actor() {
            Actor::Own => true,
            Actor::ServiceAccount { namespace, .. } => namespace == runtime_namespace,
        };
        let mut wanted: BTreeMap<Post, Vec<(u64, u64)>> = BTreeMap::new();
        for ((group, kind), objects) in by_kind(inventory) {
            let post = |namespace: &str| Post {
                group: group.to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
            };
            let namespaces: BTreeSet<&str> = objects.iter().map(|(of, ..)| *of).collect();
            if prefers_wide || namespaces.len() > NAMESPACES_ONE_BY_ONE {
                // One that was refused is kept without objects, to know for a while that it was.
                let objects = objects.iter().filter(|_| !self.is_refused(&post("")));
                let records = objects.map(|(_, key, hash)| (*key, *hash)).collect();
                wanted.insert(post(""), records);
                if !self.is_refused(&post("")) {
                    continue;
                }
            }
            for (namespace, key, hash) in objects {
                if self.is_refused(&post(namespace)) {
                    self.unwatched.insert(kind.to_owned());
                }
                wanted.entry(post(namespace)).or_default().push((key, hash));
            }
        }
        wanted
    }

    /// Tells whether a watch was refused not long ago.
    fn is_refused(&self, post: &Post) -> bool {
        let ended = self
            .posts
            .get(post)
            .and_then(|subscription| subscription.ended());
        ended.is_some_and(|ended| ended.is_forbidden && ended.at.elapsed() < NOT_ALLOWED)
    }

    /// Tells whether a watch was refused that [`Self::arm`] does not know of yet.
    pub(super) fn has_new_refusals(&self) -> bool {
        self.posts.iter().any(|(post, subscription)| {
            let is_known = self.unwatched.contains(&post.kind) || self.has_narrower(post);
            !is_known && subscription.ended().is_some_and(|ended| ended.is_forbidden)
        })
    }

    /// Tells whether there are watches of single namespaces in the place of this one.
    fn has_narrower(&self, wide: &Post) -> bool {
        wide.namespace.is_empty()
            && self.posts.keys().any(|post| {
                post.group == wide.group && post.kind == wide.kind && !post.namespace.is_empty()
            })
    }

    /// Returns the kinds that are not watched.
    pub(super) fn unwatched(&self) -> &BTreeSet<String> {
        &self.unwatched
    }

    /// Returns when there is something to attend to.
    pub(crate) async fn due(&self) {
        loop {
            let is_seen = self.posts.values().any(|post| post.has_sightings());
            if is_seen || self.has_new_refusals() {
                return tokio::time::sleep(DEBOUNCE).await;
            }
            let timer = async {
                match self.next_timer() {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.notice.notified() => {}
                () = timer => return,
            }
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let repairs = self.standing.values().filter_map(|standing| standing.due);
        repairs
            .chain(self.shows_at())
            .chain(self.cache.expires())
            .chain(self.calls.at())
            .min()
    }

    /// Notes that the status does not show what is known.
    pub(super) fn soil(&mut self) {
        self.dirty.get_or_insert_with(Instant::now);
    }

    /// Returns when the status is to be written; never if it shows everything.
    pub(super) fn shows_at(&self) -> Option<Instant> {
        let dirty = self.dirty?;
        let every = if self.is_news {
            NEWS_EVERY
        } else {
            SHOWN_EVERY
        };
        Some(self.shown.map_or(dirty, |shown| dirty.max(shown + every)))
    }

    /// Notes that the status shows what is known.
    pub(super) fn clean(&mut self) {
        self.dirty = None;
        self.is_news = false;
        self.shown = Some(Instant::now());
    }

    /// Takes the objects that are to be looked at: those seen, and those whose time has come.
    pub(super) fn take_suspects(&mut self, inventory: &Inventory, now: Instant) -> Vec<ObjectId> {
        let mut seen: HashMap<(&str, &str, u64), Sighting> = HashMap::new();
        for (post, subscription) in &self.posts {
            let sightings = subscription.take_sightings();
            seen.extend(
                sightings.into_iter().map(|(key, sighting)| {
                    ((post.group.as_str(), post.kind.as_str(), key), sighting)
                }),
            );
        }
        self.standing.retain(|id, _| inventory.contains(id));
        let due: HashSet<ObjectId> = self
            .standing
            .iter_mut()
            .filter(|(_, standing)| standing.due.is_some_and(|due| due <= now))
            .map(|(id, standing)| {
                // If nothing comes of the look, there is another one later.
                standing.due = Some(now + OVERDUE);
                id.clone()
            })
            .collect();
        if seen.is_empty() && due.is_empty() {
            return Vec::new();
        }
        let is_suspect = |id: &&ObjectId| {
            let key = (&*id.group, &*id.kind, key(&id.namespace, &id.name));
            seen.contains_key(&key) || due.contains(*id)
        };
        inventory.0.keys().filter(is_suspect).cloned().collect()
    }

    /// Tells whether the status lists what an earlier process found, and this one has not looked yet.
    pub(super) fn inherits(&self) -> bool {
        self.inherits
    }

    /// Tells whether something was seen, now or by an earlier process, that only a look at everything settles.
    pub(crate) fn is_unsure(&self) -> bool {
        self.calls.is_unsure || self.inherits
    }

    /// Notes a look at everything, if there was one: `kept` stay as they were found, and `drifted` are all differences.
    /// Returns those that were not known before.
    pub(crate) fn has_surveyed(
        &mut self,
        survey: Option<&Survey>,
        kept: &[ObjectId],
        drifted: Vec<(ObjectId, Drift)>,
    ) -> Vec<(ObjectId, Drift)> {
        let Some(survey) = survey else {
            return Vec::new();
        };
        let is_known = |(id, drift): &&(ObjectId, Drift)| {
            let standing = self.standing.get(id);
            standing.is_some_and(|standing| standing.drift == *drift)
        };
        let news = drifted.iter().filter(|found| !is_known(found));
        let news = news.cloned().collect();
        self.inherits = false;
        self.replace_standing(drifted);
        self.calls.has_surveyed();
        for id in kept.iter().filter(|id| survey.covers(id)) {
            self.accept(id, sighting(survey.live.get(id)));
        }
        news
    }

    /// Takes it for granted that an object is as it was found: after a repair, or when its drift is nobody's business.
    pub(super) fn accept(&self, id: &ObjectId, found: Sighting) {
        let of_kind = self
            .posts
            .iter()
            .filter(|(post, _)| post.group == id.group && post.kind == id.kind);
        for (_, subscription) in of_kind {
            subscription.accept(key(&id.namespace, &id.name), found);
        }
    }

    /// Returns the fight about an object that has drifted once more.
    pub(super) fn fight(&mut self, id: &ObjectId, now: Instant) -> Fight {
        // What was put off and is looked at in its time is the same round.
        let waits = self
            .standing
            .get(id)
            .is_some_and(|standing| standing.due.is_some());
        let previous = self.fights.get(id).copied();
        if let Some(fight) = previous.filter(|_| waits) {
            return fight;
        }
        if self.fights.len() >= FIGHTS {
            self.fights.retain(|_, fight| !fight.is_over(now));
        }
        let fight = Fight::after(previous, now);
        if self.fights.len() < FIGHTS || previous.is_some() {
            self.fights.insert(id.clone(), fight);
        }
        fight
    }

    /// Notes a difference that stays for now. Returns whether it is news.
    pub(super) fn stand(&mut self, id: ObjectId, standing: Standing) -> bool {
        let old = self.standing.get(&id);
        let is_news = old.is_none_or(|old| {
            old.drift != standing.drift || old.is_contested != standing.is_contested
        });
        self.standing.insert(id, standing);
        if is_news {
            self.is_news = true;
            self.soil();
        }
        is_news
    }

    /// Notes that an object is as it was applied.
    pub(super) fn settle(&mut self, id: &ObjectId) {
        if self.standing.remove(id).is_some() {
            self.soil();
        }
    }

    /// Replaces all differences by what a look at everything found.
    fn replace_standing(&mut self, found: Vec<(ObjectId, Drift)>) {
        let standing = |drift| Standing {
            drift,
            due: None,
            is_contested: false,
        };
        self.standing = found
            .into_iter()
            .map(|(id, drift)| (id, standing(drift)))
            .collect();
    }

    /// Returns the differences that stand.
    pub(super) fn standing(&self) -> &BTreeMap<ObjectId, Standing> {
        &self.standing
    }
}

/// Returns how a watch tells of an object that was found so.
pub(super) fn sighting(live: Option<&Metadata>) -> Sighting {
    live.map_or(Sighting::Gone, |live| {
        Sighting::Changed(owned_hash(&live.managed_fields))
    })
}

/// Returns what a Sync does about drift.
pub(crate) fn mode(sync: &Sync) -> DriftMode {
    let drift = sync.spec.drift.as_ref();
    drift.and_then(|drift| drift.mode).unwrap_or_default()
}

type Watched<'a> = Vec<(&'a str, u64, u64)>;

/// Groups the objects that have a record: namespace, key and hash of each.
fn by_kind(inventory: &Inventory) -> BTreeMap<(&str, &str), Watched<'_>> {
    let mut kinds: BTreeMap<(&str, &str), Watched<'_>> = BTreeMap::new();
    for (id, entry) in &inventory.0 {
        if let Some(record) = entry.record {
            let object = (&*id.namespace, key(&id.namespace, &id.name), record.owned);
            kinds.entry((&id.group, &id.kind)).or_default().push(object);
        }
    }
    kinds
}
