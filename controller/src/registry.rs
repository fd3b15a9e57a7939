//! All objects of one kind as the API server last showed them, and one task for each.
//!
//! An object's task sleeps until something that it depends on moves: its own object, its source, a dependency, its timer.
//! So waiting for health or for a dependency holds no worker, a new revision reaches a running wait at once, and two
//! reconciles of one object can never overlap.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use crate::key::Key;

/// The newest state of one object; `None` while it does not exist.
pub(crate) type State<K> = Option<Arc<K>>;

/// The objects of one kind by name.
pub(crate) struct Registry<K> {
    slots: Mutex<HashMap<Key, Slot<K>>>,
}

struct Slot<K> {
    state: watch::Sender<State<K>>,
    wake: Arc<Notify>,
}

impl<K> Default for Registry<K> {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
        }
    }
}

impl<K> Registry<K> {
    fn with<T>(&self, key: &Key, use_slot: impl FnOnce(&Slot<K>) -> T) -> T {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        use_slot(slots.entry(key.clone()).or_insert_with(|| Slot {
            state: watch::Sender::new(None),
            wake: Arc::default(),
        }))
    }

    /// Returns a channel that shows the object now and at each change, also before it exists.
    pub(crate) fn subscribe(&self, key: &Key) -> watch::Receiver<State<K>> {
        self.with(key, |slot| slot.state.subscribe())
    }

    /// Returns what the object's task waits on: it is notified once for any number of calls of [`Self::wake`] in between.
    pub(crate) fn wakes(&self, key: &Key) -> Arc<Notify> {
        self.with(key, |slot| Arc::clone(&slot.wake))
    }

    /// Asks the object's task to reconcile now; nothing happens when there is no such object.
    pub(crate) fn wake(&self, key: &Key) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            slot.wake.notify_one();
        }
    }

    /// Returns the object.
    pub(crate) fn get(&self, key: &Key) -> State<K> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key).and_then(|slot| slot.state.borrow().clone())
    }

    /// Returns all objects.
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots
            .values()
            .filter_map(|slot| slot.state.borrow().clone())
            .collect()
    }

    /// Replaces the state and tells whether the object is new here.
    fn set(&self, key: &Key, object: Arc<K>) -> bool {
        self.with(key, |slot| slot.state.send_replace(Some(object)).is_none())
    }

    fn remove(&self, key: &Key) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            slot.state.send_replace(None);
            if slot.state.receiver_count() == 0 {
                slots.remove(key);
            }
        }
    }

    fn keys(&self) -> Vec<Key> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots
            .iter()
            .filter(|(_, slot)| slot.state.borrow().is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }
}

/// First and last delay before a broken watch is opened again: all that the controller does hangs on these few, so an API
/// server that is back is not kept waiting.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// The delays of a watch that fails again and again.
struct Delays(Duration);

impl Default for Delays {
    fn default() -> Self {
        Self(DELAYS.0)
    }
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let next = (self.0 * 2).min(DELAYS.1);
        Some(std::mem::replace(&mut self.0, next))
    }
}

impl Backoff for Delays {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Starts one task an object, and never two for the same.
#[derive(Clone)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    running: Arc<Mutex<HashSet<Key>>>,
}

impl Tasks {
    /// Returns a starter whose tasks are tracked by `tracker`.
    pub(crate) fn new(tracker: TaskTracker) -> Self {
        Self {
            tracker,
            running: Arc::default(),
        }
    }

    /// Runs `task` for an object unless it runs already; runs it again when it has ended and the object is there again.
    pub(crate) fn start<K, F>(
        &self,
        registry: Arc<Registry<K>>,
        key: Key,
        task: impl Fn(Key) -> F + Send + 'static,
    ) where
        K: Send + Sync + 'static,
        F: Future<Output = ()> + Send,
    {
        let running = Arc::clone(&self.running);
        if !running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone())
        {
            return;
        }
        self.tracker.spawn(async move {
            loop {
                task(key.clone()).await;
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                if registry.get(&key).is_none() {
                    running.remove(&key);
                    return;
                }
            }
        });
    }
}

/// Watches a kind, keeps `registry` equal to it, calls `appeared` for each object that is new and `listed` after each full
/// list. Ends never by itself: a broken watch is opened again with backoff.
///
/// An object that does not decode is logged and left out; it never stops the others (CVE-2022-39272).
pub(crate) async fn follow<K>(
    api: Api<DeserializeGuard<K>>,
    registry: Arc<Registry<K>>,
    mut appeared: impl FnMut(Key),
    mut listed: impl FnMut(),
) where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    let mut events =
        std::pin::pin!(watcher(api, watcher::Config::default()).backoff(Delays::default()));
    let mut seen = HashSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => seen.clear(),
            Ok(Event::InitApply(object)) => {
                seen.insert(key(&object));
                show(&registry, object, &mut appeared);
            }
            Ok(Event::InitDone) => {
                for key in registry
                    .keys()
                    .into_iter()
                    .filter(|key| !seen.contains(key))
                {
                    registry.remove(&key);
                }
                seen.clear();
                listed();
            }
            Ok(Event::Apply(object)) => show(&registry, object, &mut appeared),
            Ok(Event::Delete(object)) => {
                registry.remove(&key(&object));
            }
            Err(error) => {
                tracing::warn!(kind = %K::kind(&()), error = %crate::report::chain(&error), "watch failed, opening it again");
            }
        }
    }
}

fn key<K: Resource<DynamicType = ()>>(object: &DeserializeGuard<K>) -> Key {
    match &object.0 {
        Ok(object) => Key::of(object.meta()),
        Err(invalid) => Key::of(&invalid.metadata),
    }
}

fn show<K>(registry: &Registry<K>, object: DeserializeGuard<K>, appeared: &mut impl FnMut(Key))
where
    K: Resource<DynamicType = ()>,
{
    match object.0 {
        Ok(object) => {
            let key = Key::of(object.meta());
            if registry.set(&key, Arc::new(object)) {
                appeared(key);
            }
        }
        Err(invalid) => {
            let name = invalid.metadata.name.as_deref().unwrap_or_default();
            tracing::error!(kind = %K::kind(&()), object = %name, error = %invalid.error, "object does not decode and is left out");
        }
    }
}
