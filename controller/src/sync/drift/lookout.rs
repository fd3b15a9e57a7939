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
use flux_engine::cluster::Cluster;
use flux_engine::cluster::survey::Survey;
use tokio::sync::Notify;

use super::cache::Cache;
use super::calls::Calls;
use crate::watches::{Post, Subscription};

mod posts;

/// Time in which sightings are gathered: one change of a person often is several writes.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Time between two writes of the status that only tell of repairs. The first is at once.
const SHOWN_EVERY: Duration = Duration::from_secs(10);
/// The same for differences that stand.
const NEWS_EVERY: Duration = Duration::from_secs(1);
/// Time until a repair whose time had come, and that nothing came of, is tried again.
const OVERDUE: Duration = Duration::from_secs(30);
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
