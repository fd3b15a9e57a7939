//! Who may post now: so many at once, and only a part of them for one namespace, so that receivers of one tenant that hang
//! hold up nobody else's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Requests under way at once.
const AT_ONCE: usize = 32;
/// Those of one namespace.
const OF_ONE: usize = 8;

/// The turns that are left.
pub(super) struct Turns {
    all: Semaphore,
    namespaces: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'a> {
    _of_all: Option<SemaphorePermit<'a>>,
    _of_one: Option<OwnedSemaphorePermit>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            namespaces: Mutex::default(),
        }
    }
}

impl Turns {
    /// Waits for a turn of a namespace.
    pub(super) async fn take(&self, namespace: &str) -> Turn<'_> {
        // Neither is ever closed.
        let of_one = self.of(namespace).acquire_owned().await.ok();
        Turn {
            _of_all: self.all.acquire().await.ok(),
            _of_one: of_one,
        }
    }

    fn of(&self, namespace: &str) -> Arc<Semaphore> {
        let mut namespaces = self
            .namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = namespaces.get(namespace).and_then(Weak::upgrade) {
            return turns;
        }
        namespaces.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(OF_ONE));
        namespaces.insert(namespace.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_namespace_whose_receivers_hang_leaves_turns_to_others() {
        let turns = Turns::default();
        let hang: Vec<Turn<'_>> = (0..OF_ONE)
            .map(|_| turns.take("loud").now_or_never().unwrap())
            .collect();
        assert!(turns.take("loud").now_or_never().is_none());
        assert!(turns.take("calm").now_or_never().is_some());
        drop(hang);
        assert!(turns.take("loud").now_or_never().is_some());
    }
}
