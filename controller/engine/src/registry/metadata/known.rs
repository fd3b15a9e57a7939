//! What was found out about images. A digest never means another image, so it is true for ever.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

/// So many images are remembered, at the least half of them.
const MAX: usize = 16_384;

/// When an image was made, if it exists for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    At(Option<Timestamp>),
    ForOthers,
}

type Key = (Box<str>, Option<Box<str>>);

/// Two generations: the older one goes when the younger is full, and what is asked for moves to the younger.
#[derive(Default)]
pub(in super::super) struct Known(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Made>,
    old: HashMap<Key, Made>,
}

impl Known {
    pub(super) fn get(&self, digest: &str, platform: Option<&str>) -> Option<Made> {
        let key = key(digest, platform);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = generations.young.get(&key) {
            return Some(*made);
        }
        let made = generations.old.remove(&key)?;
        generations.insert(key, made);
        Some(made)
    }

    pub(super) fn insert(&self, digest: &str, platform: Option<&str>, made: Made) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(key(digest, platform), made);
    }
}

impl Generations {
    fn insert(&mut self, key: Key, made: Made) {
        if self.young.len() >= MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, made);
    }
}

fn key(digest: &str, platform: Option<&str>) -> Key {
    (digest.into(), platform.map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes_some_time() {
        let known = Known::default();
        known.insert("wanted", Some("linux/arm"), Made::ForOthers);
        for number in 0..3 * MAX {
            known.insert(&number.to_string(), None, Made::At(None));
            assert_eq!(
                known.get("wanted", Some("linux/arm")),
                Some(Made::ForOthers)
            );
        }
        assert_eq!(
            known.get("wanted", None),
            None,
            "another platform is another question"
        );
        assert_eq!(known.get("0", None), None);
        let generations = known.0.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= MAX + 1);
    }
}
