//! Which watches a Sync has: of a kind in all namespaces, or of a kind in each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use flux_core::drift::key;
use flux_core::inventory::Inventory;
use flux_crds::Sync;
use flux_crds::sync::DriftMode;
use flux_engine::cluster::{Actor, Cluster};

use super::{Lookout, mode};
use crate::context::Context;
use crate::watches::Post;

/// Time until a watch that was not allowed is tried again.
const NOT_ALLOWED: Duration = Duration::from_mins(5);
/// Namespaces of a kind that a tenant's account watches one by one.
const NAMESPACES_ONE_BY_ONE: usize = 2;

impl Lookout {
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
    pub(in crate::sync::drift) fn has_new_refusals(&self) -> bool {
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
    pub(in crate::sync::drift) fn unwatched(&self) -> &BTreeSet<String> {
        &self.unwatched
    }
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
