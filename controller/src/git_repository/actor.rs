//! The task of one repository.

use std::sync::Arc;

use flux_crds::GitRepository;

use super::memory::{Memory, directory};
use super::reconcile::reconcile;
use crate::context::Context;
use crate::key::Key;
use crate::sync::token;
use crate::webhook::Object;

/// Reconciles one repository whenever it has to, until it is gone or the process ends.
pub(crate) async fn run(context: Arc<Context>, key: Key) {
    let mut object = context.repositories.subscribe(&key);
    let wakes = context.repositories.wakes(&key);
    let mut memory = Memory::default();
    let directory = directory(&context.options.data_dir, &key);
    context.metrics.resources("GitRepository", 1);
    loop {
        let Some(repository) = object.borrow_and_update().clone() else {
            context.sources.withdraw(&key);
            break;
        };
        if context.shutdown.is_cancelled() {
            break;
        }
        if memory.uid != repository.metadata.uid {
            memory = Memory::of(&repository);
            if let Some(snapshot) = memory.resume(&directory, &repository.spec) {
                context.sources.serve(&key, snapshot);
            }
        }
        let seen = situation(&repository);
        let next = reconcile(&context, &repository, &mut memory).await;
        drop(repository);
        let rest = async {
            match next {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        let moved = object.wait_for(|object| {
            object
                .as_ref()
                .is_none_or(|object| situation(object) != seen)
        });
        tokio::select! {
            moved = moved => if moved.is_err() { break },
            () = wakes.notified() => {}
            () = rest => {}
            () = context.shutdown.cancelled() => break,
        }
    }
    context.hooks.forget(&Object::Repository(key.clone()));
    context.metrics.resources("GitRepository", -1);
    if context.repositories.get(&key).is_none() {
        memory.store = None;
        memory.served = None;
        remove(&key, &directory).await;
    }
}

/// What of the object decides that it has to be reconciled.
fn situation(repository: &GitRepository) -> (Option<String>, Option<i64>, Option<String>) {
    let metadata = &repository.metadata;
    (metadata.uid.clone(), metadata.generation, token(metadata))
}

/// Removes the objects of a repository that is gone.
async fn remove(key: &Key, directory: &std::path::Path) {
    let directory = directory.to_owned();
    let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(directory)).await;
    match removed.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(()) => tracing::info!(object = %key, "object store removed"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(object = %key, %error, "object store not removed"),
    }
}
