//! One bounded queue for each receiver, and a worker for each queue that is not empty.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flux_core::notify::{Kind, Notice};
use flux_crds::Notification;
use flux_crds::notification::NotificationKind;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::deliver::Courier;
use crate::metrics::Metrics;
use crate::sources::Snapshot;
use crate::status::Publisher;

/// Notices that wait for one receiver; beyond that the oldest is dropped.
const QUEUE: usize = 64;
/// Notices that wait in all; beyond that the namespace that has most of them loses one.
const QUEUES: usize = 4096;
/// Time in which the same drift is told once.
const REPEAT: Duration = Duration::from_mins(5);
/// Time that what waits gets at the end of the process.
const DRAIN: Duration = Duration::from_secs(3);

/// A notice and where it comes from; its receivers share it.
pub(super) struct Origin {
    /// What to tell, but for the commit.
    pub(super) notice: Notice,
    /// The files of its revision, which know the commit.
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// Whether the repository is of the same owner as the object.
    pub(super) trusts_repository: bool,
    /// The object, for events about it.
    pub(super) object: ObjectReference,
    /// Reads the Secrets of receivers.
    pub(super) reader: Client,
}

/// A notice for one receiver.
#[derive(Clone)]
pub(super) struct Letter {
    /// The receiver.
    pub(super) notification: Notification,
    /// The notice.
    pub(super) origin: Arc<Origin>,
    /// When it was written.
    pub(super) since: Instant,
}

impl Letter {
    pub(super) fn new(notification: Notification, origin: Arc<Origin>) -> Self {
        Self {
            notification,
            origin,
            since: Instant::now(),
        }
    }

    /// Returns what is the same for all letters to one receiver.
    pub(super) fn address(&self) -> Address {
        let Notification {
            kind,
            url,
            secret_ref,
            ..
        } = &self.notification;
        let secret = secret_ref.as_ref().map(|secret| secret.name.clone());
        Address {
            namespace: self.origin.notice.object.namespace.clone(),
            kind: *kind,
            place: url.clone().or(secret).unwrap_or_default(),
        }
    }

    /// Returns the kind of receiver for the figures.
    pub(super) fn kind(&self) -> &'static str {
        self.notification.kind.as_str()
    }
}

/// One receiver: the URL of a spec, or the Secret that has it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    namespace: String,
    kind: NotificationKind,
    place: String,
}

/// All that waits to be told.
pub(crate) struct Notices(Arc<Shared>);

pub(super) struct Shared {
    queues: Mutex<Queues>,
    pub(super) courier: Courier,
    workers: TaskTracker,
}

#[derive(Default)]
struct Queues {
    /// By receiver; each has a worker.
    waiting: HashMap<Address, VecDeque<Letter>>,
    /// When a drift was last told.
    drifts: HashMap<(Address, String, String), Instant>,
}

impl Notices {
    /// Returns empty queues.
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        events: Publisher,
        shutdown: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            queues: Mutex::default(),
            courier: Courier::new(metrics, events, shutdown),
            workers: TaskTracker::new(),
        }))
    }

    /// Puts a letter into the queue of its receiver.
    pub(super) fn push(&self, letter: Letter) {
        let Self(shared) = self;
        let address = letter.address();
        let mut queues = shared.lock();
        if queues.is_repeated(&address, &letter) {
            return;
        }
        if queues.waiting.values().map(VecDeque::len).sum::<usize>() >= QUEUES
            && let Some(dropped) = drop_one(&mut queues.waiting)
        {
            let receiver = dropped.kind();
            shared.courier.metrics.notified(receiver, "dropped");
            tracing::warn!(
                receiver,
                namespace = %dropped.origin.notice.object.namespace,
                "notification dropped, too many are waiting"
            );
        }
        let kind = letter.kind();
        if let Some(queue) = queues.waiting.get_mut(&address) {
            queue.push_back(letter);
            if queue.len() > QUEUE {
                queue.pop_front();
                shared.courier.metrics.notified(kind, "dropped");
                tracing::warn!(
                    receiver = kind,
                    "oldest notification dropped, the receiver is too slow"
                );
            }
            return;
        }
        queues
            .waiting
            .insert(address.clone(), VecDeque::from([letter]));
        drop(queues);
        let worker = Arc::clone(shared);
        shared
            .workers
            .spawn(async move { worker.work(address).await });
    }

    /// Waits a moment for what is still to be told, at the end of the process.
    pub(crate) async fn drain(&self) {
        let Self(shared) = self;
        shared.workers.close();
        if tokio::time::timeout(DRAIN, shared.workers.wait())
            .await
            .is_err()
        {
            tracing::warn!("notifications were still waiting at the end and are lost");
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers one letter after the other until none is left.
    async fn work(&self, address: Address) {
        let mut pace = super::deliver::Pace::default();
        while let Some(letter) = self.next(&address) {
            self.courier.deliver(&letter, &mut pace).await;
        }
    }

    /// Takes the oldest letter; forgets a queue that is empty.
    fn next(&self, address: &Address) -> Option<Letter> {
        let mut queues = self.lock();
        let letter = queues.waiting.get_mut(address)?.pop_front();
        if letter.is_none() {
            queues.waiting.remove(address);
        }
        letter
    }
}

impl Queues {
    /// Tells whether the same drift was told a moment ago: who fights over an object does so again and again.
    fn is_repeated(&mut self, address: &Address, letter: &Letter) -> bool {
        let Notice {
            kind,
            object,
            message,
            ..
        } = &letter.origin.notice;
        if *kind != Kind::Drift {
            return false;
        }
        let now = Instant::now();
        self.drifts
            .retain(|_, told| now.duration_since(*told) < REPEAT);
        if self.drifts.len() >= QUEUES {
            self.drifts.clear();
        }
        let key = (address.clone(), object.uid.clone(), message.clone());
        let known = self.drifts.contains_key(&key);
        self.drifts.entry(key).or_insert(now);
        known
    }
}

/// Takes the oldest of the longest queue of the namespace that has most of them waiting: nobody can crowd out others.
fn drop_one<L>(waiting: &mut HashMap<Address, VecDeque<L>>) -> Option<L> {
    let mut crowds: HashMap<&str, usize> = HashMap::new();
    for (address, queue) in waiting.iter() {
        *crowds.entry(&address.namespace).or_default() += queue.len();
    }
    let (crowd, _) = crowds.into_iter().max_by_key(|(_, count)| *count)?;
    let longest = waiting
        .iter()
        .filter(|(address, _)| address.namespace == crowd)
        .max_by_key(|(_, queue)| queue.len());
    let address = longest.map(|(address, _)| address.clone())?;
    waiting.get_mut(&address)?.pop_front()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(namespace: &str, place: &str) -> Address {
        Address {
            namespace: namespace.to_owned(),
            kind: NotificationKind::Webhook,
            place: place.to_owned(),
        }
    }

    #[test]
    fn the_namespace_with_most_letters_loses_the_oldest_of_its_longest_queue() {
        let mut waiting = HashMap::from([
            (address("calm", "one"), VecDeque::from([1, 2, 3])),
            (address("loud", "one"), VecDeque::from([4])),
            (address("loud", "two"), VecDeque::from([5, 6])),
            (address("loud", "three"), VecDeque::from([7])),
        ]);
        assert_eq!(drop_one(&mut waiting), Some(5));
        assert_eq!(drop_one::<u8>(&mut HashMap::new()), None);
    }
}
