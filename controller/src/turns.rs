//! Who may work now: so many at once, and only a part of them at one place (a namespace, a server, a cluster), so that a place
//! where everything hangs holds up nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The turns that are left.
pub(crate) struct Turns {
    all: Semaphore,
    at_one: usize,
    places: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// Turns to build and apply. Other clusters have their own, so that those which hang do not hold up our own.
pub(crate) struct Work {
    here: Turns,
    elsewhere: Turns,
}

impl Work {
    /// Returns `concurrent` turns for our own cluster, four times as many for all others together, and half for each of them.
    pub(crate) fn new(concurrent: usize) -> Self {
        Self {
            here: Turns::new(concurrent, concurrent),
            elsewhere: Turns::new(concurrent.saturating_mul(4), concurrent.div_ceil(2)),
        }
    }

    /// Waits for a turn; `cluster` names one that is not our own.
    pub(crate) async fn turn(&self, cluster: Option<&str>) -> Turn<'_> {
        match cluster {
            None => self.here.take("").await,
            Some(cluster) => self.elsewhere.take(cluster).await,
        }
    }
}

/// A turn, until it is dropped.
pub(crate) struct Turn<'a> {
    _of_all: Option<SemaphorePermit<'a>>,
    _at_one: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Returns `all` turns, of which one place has no more than `at_one`.
    pub(crate) fn new(all: usize, at_one: usize) -> Self {
        Self {
            all: Semaphore::new(all),
            at_one,
            places: Mutex::default(),
        }
    }

    /// Waits for a turn at a place.
    pub(crate) async fn take(&self, place: &str) -> Turn<'_> {
        // Neither is ever closed.
        let at_one = self.at(place).acquire_owned().await.ok();
        Turn {
            _of_all: self.all.acquire().await.ok(),
            _at_one: at_one,
        }
    }

    fn at(&self, place: &str) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = places.get(place).and_then(Weak::upgrade) {
            return turns;
        }
        places.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(self.at_one));
        places.insert(place.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_place_where_everything_hangs_leaves_turns_to_others() {
        let turns = Turns::new(4, 2);
        let hang: Vec<Turn<'_>> = (0..2)
            .map(|_| turns.take("loud").now_or_never().unwrap())
            .collect();
        assert!(turns.take("loud").now_or_never().is_none());
        assert!(turns.take("calm").now_or_never().is_some());
        drop(hang);
        assert!(turns.take("loud").now_or_never().is_some());
    }
}
