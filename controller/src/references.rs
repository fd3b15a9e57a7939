//! Watches of single ConfigMaps and Secrets that Syncs refer to, each through the account of its Sync.
//!
//! A watch is of one object by its name and of its metadata alone: it costs no memory, and an account that may `get`, `list`
//! and `watch` that one object is enough. An account that may only `get` it is no mistake: its Syncs see a change at their
//! interval.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use flux_crds::sync::VariableSourceKind;
use flux_engine::cluster::{Actor, Cluster};
use flux_engine::inputs::{Reference, Version};
use futures::{StreamExt as _, stream::BoxStream};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::report::chain;

/// Time until a watch that was not allowed is tried again.
const NOT_ALLOWED: Duration = Duration::from_mins(5);

/// What a watch knows; `None` until its first answer.
pub(crate) type Known = Option<Version>;

/// All watches, one an object and account.
#[derive(Default)]
pub(crate) struct References {
    watches: Mutex<HashMap<(Actor, String, Reference), Weak<Watch>>>,
}

/// A watch that lasts as long as somebody holds it.
pub(crate) struct Watch {
    known: watch::Receiver<Known>,
    task: AbortHandle,
}

impl Watch {
    /// Returns a channel that shows the version of the object.
    pub(crate) fn known(&self) -> watch::Receiver<Known> {
        self.known.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl References {
    /// Returns the watch of an object, which it starts if nobody else watches it for this account.
    pub(crate) fn watch(
        &self,
        cluster: &Cluster,
        namespace: &str,
        reference: &Reference,
    ) -> Arc<Watch> {
        let key = (
            cluster.actor().clone(),
            namespace.to_owned(),
            reference.clone(),
        );
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watches.get(&key).and_then(Weak::upgrade) {
            return watch;
        }
        watches.retain(|_, watch| watch.strong_count() > 0);
        let (sender, known) = watch::channel(None);
        let events = events(cluster, namespace, reference);
        let task = tokio::spawn(follow(events, sender, reference.clone())).abort_handle();
        let watch = Arc::new(Watch { known, task });
        watches.insert(key, Arc::downgrade(&watch));
        watch
    }
}

type Events = BoxStream<'static, watcher::Result<Event<Version>>>;

fn events(cluster: &Cluster, namespace: &str, reference: &Reference) -> Events {
    let client = cluster.client().clone();
    match reference.kind {
        VariableSourceKind::ConfigMap => {
            of::<ConfigMap>(Api::namespaced(client, namespace), &reference.name)
        }
        VariableSourceKind::Secret => {
            of::<Secret>(Api::namespaced(client, namespace), &reference.name)
        }
    }
}

fn of<K>(api: Api<PartialObjectMeta<K>>, name: &str) -> Events
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let version = |object: PartialObjectMeta<K>| object.resource_version();
    watcher(api, config)
        .map(move |event| {
            Ok(match event? {
                Event::Apply(object) => Event::Apply(version(object)),
                Event::Delete(object) => Event::Delete(version(object)),
                Event::Init => Event::Init,
                Event::InitApply(object) => Event::InitApply(version(object)),
                Event::InitDone => Event::InitDone,
            })
        })
        .default_backoff()
        .boxed()
}

/// Shows what a watch tells, for as long as it is held. A broken watch is opened again with backoff.
async fn follow(mut events: Events, sender: watch::Sender<Known>, reference: Reference) {
    let mut listed = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed = None,
            Ok(Event::InitApply(version)) => listed = version,
            Ok(Event::InitDone) => show(&sender, listed.take()),
            Ok(Event::Apply(version)) => show(&sender, version),
            Ok(Event::Delete(_)) => show(&sender, None),
            Err(error) => {
                tracing::debug!(%reference, error = %chain(&error), "watch of a reference failed, opening it again");
                if is_forbidden(&error) {
                    tokio::time::sleep(NOT_ALLOWED).await;
                }
            }
        }
    }
}

fn show(sender: &watch::Sender<Known>, version: Version) {
    let new = Some(version);
    sender.send_if_modified(|known| {
        let moved = *known != new;
        *known = new;
        moved
    });
}

fn is_forbidden(error: &watcher::Error) -> bool {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => return false,
    };
    code == 403
}
