//! The objects of the applied revision, kept for a while once one of them had to be put back.
//!
//! A build of thousands of objects for each repair would cost far more than the repair. Kept as text, which is a tenth of
//! what the same objects take as trees, and only as long as drift goes on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flux_core::drift::key;
use flux_core::object::{Desired, ObjectId, Origin};

/// How long the objects are kept after the last use.
const KEPT: Duration = Duration::from_secs(90);

/// Built objects.
#[derive(Default)]
pub(crate) struct Cache {
    objects: HashMap<(u64, u64), Built>,
    used: Option<Instant>,
}

/// A built object.
struct Built {
    hash: u64,
    text: Box<[u8]>,
}

fn place(id: &ObjectId) -> (u64, u64) {
    (key(&id.group, &id.kind), key(&id.namespace, &id.name))
}

impl Cache {
    /// Returns an object as it was applied: only if its hash is that of the apply.
    pub(crate) fn get(&mut self, id: &ObjectId, hash: u64) -> Option<Desired> {
        let built = self
            .objects
            .get(&place(id))
            .filter(|built| built.hash == hash)?;
        let value = serde_json::from_slice(&built.text).ok()?;
        let desired = Desired::new(value, Origin::default()).ok()?;
        self.used = Some(Instant::now());
        (desired.id == *id).then_some(Desired { hash, ..desired })
    }

    /// Replaces everything by a build.
    pub(crate) fn fill(&mut self, built: Vec<Desired>) {
        self.objects = HashMap::with_capacity(built.len());
        for desired in built {
            let text = desired.value.to_string().into_bytes().into_boxed_slice();
            let hash = desired.hash;
            self.objects
                .insert(place(&desired.id), Built { hash, text });
        }
        self.used = Some(Instant::now());
    }

    /// Returns when the objects are to be dropped.
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.used.map(|used| used + KEPT)
    }

    /// Drops the objects if nobody has used them lately.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.expires().is_some_and(|at| at <= now) {
            *self = Self::default();
        }
    }
}
