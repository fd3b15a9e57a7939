//! Which path belongs to which object.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flux_core::conclude::{Finding, Outcome};
use flux_core::webhook::{self, Sender};
use flux_crds::{Reason, SecretReference};

use super::bucket::Bucket;
use crate::context::Context;
use crate::key::Key;
use crate::secrets;

/// Calls on one path at once.
const BURST: f64 = 20.0;
/// Calls on one path a second.
const PER_SECOND: f64 = 5.0;
/// The key of the Secret.
const TOKEN: &str = "token";

/// An object that can be called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    /// A `GitRepository`.
    Repository(Key),
    /// An `ImagePolicy`.
    Policy(Key),
}

impl Object {
    fn kind(&self) -> &'static str {
        match self {
            Self::Repository(_) => "GitRepository",
            Self::Policy(_) => "ImagePolicy",
        }
    }

    fn key(&self) -> &Key {
        match self {
            Self::Repository(key) | Self::Policy(key) => key,
        }
    }
}

/// What is behind a path.
pub(super) struct Hook {
    /// Who is woken.
    pub(super) object: Object,
    /// Who calls.
    pub(super) sender: Sender,
    /// What both know.
    pub(super) token: Vec<u8>,
    bucket: Mutex<Bucket>,
}

impl Hook {
    /// Tells whether this path may be called once more just now.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(now)
    }
}

/// All paths.
#[derive(Default)]
pub(crate) struct Hooks {
    all: Mutex<Paths>,
}

#[derive(Default)]
struct Paths {
    by_path: HashMap<String, Arc<Hook>>,
    by_object: HashMap<Object, String>,
}

impl Paths {
    fn forget(&mut self, object: &Object) {
        if let Some(path) = self.by_object.remove(object) {
            self.by_path.remove(&path);
        }
    }
}

impl Hooks {
    /// Returns the path of an object.
    pub(crate) fn path(&self, object: &Object) -> Option<String> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.by_object.get(object).cloned()
    }

    /// Takes the path of an object away.
    pub(crate) fn forget(&self, object: &Object) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.forget(object);
    }

    /// Returns what is behind a path.
    pub(super) fn find(&self, path: &str) -> Option<Arc<Hook>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.by_path.get(path).map(Arc::clone)
    }

    fn set(&self, object: &Object, sender: Sender, token: Vec<u8>) {
        let Key { namespace, name } = object.key();
        let path = webhook::path(&token, object.kind(), namespace, name);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.by_path.get(&path);
        if known.is_some_and(|hook| hook.sender == sender && hook.token == token) {
            return;
        }
        all.forget(object);
        let hook = Hook {
            object: object.clone(),
            sender,
            token,
            bucket: Mutex::new(Bucket::full(BURST, PER_SECOND, Instant::now())),
        };
        all.by_path.insert(path.clone(), Arc::new(hook));
        all.by_object.insert(object.clone(), path);
    }
}

/// Gives an object the path that its spec asks for, or takes it away; it never keeps one that its Secret does not stand for.
pub(crate) async fn hang(
    context: &Context,
    object: &Object,
    wanted: Option<(Sender, &SecretReference)>,
) -> Result<(), Outcome> {
    let Some((sender, secret)) = wanted else {
        context.hooks.forget(object);
        return Ok(());
    };
    match token(context, &object.key().namespace, &secret.name).await {
        Ok(token) => {
            context.hooks.set(object, sender, token);
            Ok(())
        }
        Err(outcome) => {
            // While the API server is away, the last known token is the best guess.
            if outcome.finding().reason != Reason::ClusterUnreachable {
                context.hooks.forget(object);
            }
            Err(outcome)
        }
    }
}

async fn token(context: &Context, namespace: &str, name: &str) -> Result<Vec<u8>, Outcome> {
    let mut data = secrets::read(context, namespace, name).await?;
    data.remove(TOKEN)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| {
            let message =
                format!("Secret {namespace}/{name} has no key {TOKEN}, which spec.webhook needs");
            Outcome::Failed(Finding::new(Reason::SecretInvalid, message))
        })
}
