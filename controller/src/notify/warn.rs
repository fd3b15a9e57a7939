//! Trouble with receivers, told once on the object whose notice it was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use flux_core::conclude::{Event, Finding};
use flux_crds::Reason;

use super::queue::{Address, Letter};
use crate::status::Publisher;

/// Receivers in trouble that are remembered.
const REMEMBERED: usize = 1024;

/// What objects say about their receivers.
pub(super) struct Warnings {
    events: Publisher,
    /// By object and receiver.
    said: Mutex<HashMap<(String, Address), String>>,
}

impl Warnings {
    pub(super) fn new(events: Publisher) -> Self {
        Self {
            events,
            said: Mutex::default(),
        }
    }

    /// Says that a receiver cannot be told, unless that is what was last said of it.
    pub(super) fn warn(&self, letter: &Letter, why: &str) {
        let key = key(letter);
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.get(&key).is_some_and(|last| last == why) {
                return;
            }
            if said.len() >= REMEMBERED {
                said.clear();
            }
            said.insert(key, why.to_owned());
        }
        let kind = letter.kind();
        let object = &letter.origin.notice.object;
        tracing::warn!(object = %format!("{}/{}", object.namespace, object.name), receiver = kind, error = %why, "receiver not told");
        let message = format!("spec.notify, {kind}: {why}");
        let event = Event {
            warning: true,
            finding: Finding::new(Reason::NotificationFailed, message),
        };
        self.events
            .publish_about(letter.origin.object.clone(), &event);
    }

    /// Forgets the trouble with a receiver that took a notice.
    pub(super) fn settle(&self, letter: &Letter) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.remove(&key(letter));
    }
}

fn key(letter: &Letter) -> (String, Address) {
    (letter.origin.notice.object.uid.clone(), letter.address())
}
