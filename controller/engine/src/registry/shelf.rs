//! Answers that several callers want at the same time, or shortly after each other, are made once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tracing::Instrument as _;

use super::Error;

/// An answer and until when it may be given to others.
#[derive(Clone, Debug)]
pub(super) struct Kept<V> {
    pub(super) value: V,
    pub(super) until: Instant,
}

type Outcome<V> = Result<Kept<V>, Error>;

/// What is being made, and what was made and may be used again. Failures go to those who waited for them, and are
/// forgotten.
pub(super) struct Shelf<K, V> {
    entries: Arc<Mutex<HashMap<K, Entry<V>>>>,
    capacity: usize,
}

struct Entry<V> {
    began: Instant,
    outcome: Shared<BoxFuture<'static, Outcome<V>>>,
}

/// Which answers will do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Any whose time is not over.
    Any,
    /// One that is on its way.
    Underway,
    /// One that began at this time or later.
    Since(Instant),
}

impl<V: Clone> Entry<V> {
    fn is_usable(&self, wanted: Wanted, now: Instant) -> bool {
        let is_wanted = match wanted {
            Wanted::Any => true,
            Wanted::Underway => self.outcome.peek().is_none(),
            Wanted::Since(since) => self.began >= since,
        };
        let is_good = match self.outcome.peek() {
            None => true,
            Some(Ok(kept)) => kept.until > now,
            Some(Err(_)) => false,
        };
        is_wanted && is_good
    }
}

impl<K, V> Shelf<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: Arc::default(),
            capacity,
        }
    }

    /// Returns the answer for `key`, made by `make` unless one that will do is there or on its way.
    ///
    /// The making goes on when the caller gives up: others may wait for it. It must end by itself.
    pub(super) async fn get<F>(
        &self,
        key: K,
        wanted: Wanted,
        make: impl FnOnce() -> F,
    ) -> Result<V, Error>
    where
        F: Future<Output = Outcome<V>> + Send + 'static,
    {
        let outcome = self.find(key, wanted, make);
        outcome.await.map(|kept| kept.value)
    }

    fn find<F>(
        &self,
        key: K,
        wanted: Wanted,
        make: impl FnOnce() -> F,
    ) -> Shared<BoxFuture<'static, Outcome<V>>>
    where
        F: Future<Output = Outcome<V>> + Send + 'static,
    {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries
            .get(&key)
            .filter(|entry| entry.is_usable(wanted, now))
        {
            return entry.outcome.clone();
        }
        entries.retain(|_, entry| entry.is_usable(Wanted::Any, now));
        if entries.len() >= self.capacity {
            entries.retain(|_, entry| entry.outcome.peek().is_none());
        }
        let task = tokio::spawn(make().in_current_span());
        let outcome = task
            .map(|ended| {
                ended.unwrap_or_else(|error| {
                    Err(Error::Protocol {
                        host: "the registry".to_owned(),
                        message: error.to_string(),
                    })
                })
            })
            .boxed()
            .shared();
        let entry = Entry {
            began: now,
            outcome: outcome.clone(),
        };
        entries.insert(key, entry);
        outcome
    }

    /// Puts an answer there that was learned in another way.
    pub(super) fn put(&self, key: K, kept: Kept<V>) {
        let outcome = futures::future::ready(Ok(kept)).boxed().shared();
        // An answer that was never asked for counts as on its way.
        drop(outcome.clone().now_or_never());
        let began = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(key, Entry { began, outcome });
    }

    /// Puts away an answer that proved to be of no use.
    pub(super) fn forget(&self, key: &K) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries
            .get(key)
            .is_some_and(|entry| entry.outcome.peek().is_some())
        {
            entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio::sync::Notify;

    use super::*;

    #[derive(Default)]
    struct Maker {
        made: AtomicU32,
        go: Notify,
    }

    impl Maker {
        fn make(
            self: &Arc<Self>,
            keep: Duration,
        ) -> impl Future<Output = Outcome<u32>> + Send + 'static {
            let maker = Arc::clone(self);
            async move {
                maker.go.notified().await;
                let value = maker.made.fetch_add(1, Ordering::SeqCst);
                let until = Instant::now() + keep;
                Ok(Kept { value, until })
            }
        }
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_answer() {
        let (shelf, maker) = (Shelf::new(8), Arc::new(Maker::default()));
        maker.go.notify_one();
        let ask = || shelf.get("key", Wanted::Any, || maker.make(Duration::ZERO));
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], [0, 0, 0]);
        maker.go.notify_one();
        assert_eq!(
            ask().await.unwrap(),
            1,
            "an answer that is over is not kept"
        );
    }

    #[tokio::test]
    async fn a_kept_answer_serves_those_to_whom_it_is_new_enough() {
        let (shelf, maker) = (Shelf::new(8), Arc::new(Maker::default()));
        let ask = |wanted| shelf.get("key", wanted, || maker.make(LONG));
        maker.go.notify_one();
        let before = Instant::now();
        assert_eq!(ask(Wanted::Any).await.unwrap(), 0);
        assert_eq!(ask(Wanted::Since(before)).await.unwrap(), 0);
        maker.go.notify_one();
        assert_eq!(ask(Wanted::Underway).await.unwrap(), 1);
        maker.go.notify_one();
        let after = Instant::now();
        assert_eq!(ask(Wanted::Since(after)).await.unwrap(), 2);
        shelf.forget(&"key");
        maker.go.notify_one();
        assert_eq!(ask(Wanted::Any).await.unwrap(), 3);
        let until = Instant::now();
        shelf.put(
            "key",
            Kept {
                value: 8,
                until: until + LONG,
            },
        );
        assert_eq!(ask(Wanted::Any).await.unwrap(), 8);
        shelf.put("key", Kept { value: 9, until });
        maker.go.notify_one();
        assert_eq!(
            ask(Wanted::Any).await.unwrap(),
            4,
            "an answer is not used when its time is over"
        );
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_a_panic_is_a_failure() {
        let shelf: Shelf<_, u32> = Shelf::new(8);
        let fails = || async { panic!("a bug") };
        assert!(shelf.get("key", Wanted::Any, fails).await.is_err());
        let until = Instant::now() + LONG;
        let works = || async move { Ok(Kept { value: 7, until }) };
        assert_eq!(shelf.get("key", Wanted::Any, works).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn there_are_never_more_answers_than_allowed() {
        let shelf = Shelf::new(8);
        let until = Instant::now() + LONG;
        for key in 0..100 {
            let made = shelf.get(key, Wanted::Any, || async move {
                Ok(Kept { value: key, until })
            });
            assert_eq!(made.await.unwrap(), key);
        }
        assert!(shelf.entries.lock().unwrap().len() <= 8);
    }
}
