//! Those who change objects, and who watches what becomes of it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flux_e2e::{control_plane::Request, install::CONTROLLER_USER};
use futures::StreamExt as _;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde_json::json;
use tokio::task::AbortHandle;

use super::{
    Arguments,
    stage::{NAME, Stage, has_status, name},
};

/// How often it is looked whether all is back.
const LOOK: Duration = Duration::from_millis(50);

/// What became of one changed object.
#[derive(Debug, Clone, Copy, Default)]
struct Story {
    /// When the watch showed it changed.
    changed: Option<Instant>,
    /// When the watch showed it as in git again.
    back: Option<Instant>,
}

type Stories = Arc<Mutex<BTreeMap<String, Story>>>;

/// Those who change objects.
pub(super) struct Foes {
    maps: Api<ConfigMap>,
    deployments: Api<Deployment>,
    stories: Stories,
    watches: Vec<AbortHandle>,
    arguments: Arguments,
}

impl Drop for Foes {
    fn drop(&mut self) {
        self.watches.iter().for_each(AbortHandle::abort);
    }
}

fn lock(stories: &Stories) -> MutexGuard<'_, BTreeMap<String, Story>> {
    stories.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Foes {
    pub(super) async fn new(stage: &Stage, arguments: &Arguments) -> Result<Self> {
        let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), NAME);
        let deployments: Api<Deployment> = Api::namespaced(stage.client.clone(), NAME);
        let stories = Stories::default();
        let (ready, mut listed) = tokio::sync::mpsc::channel(2);
        let of_maps = follow(maps.clone(), Arc::clone(&stories), ready.clone(), |map| {
            let data = map.data.as_ref();
            data.is_some_and(|data| data.get("value").is_some_and(|value| value == "first"))
                && map.labels().contains_key("flux.rs/sync")
        });
        let of_deployments = follow(deployments.clone(), Arc::clone(&stories), ready, |web| {
            web.spec.replicas == Some(1) && web.labels().contains_key("flux.rs/sync")
        });
        let watches = vec![
            tokio::spawn(of_maps).abort_handle(),
            tokio::spawn(of_deployments).abort_handle(),
        ];
        for _ in &watches {
            listed.recv().await.context("watch the objects")?;
        }
        Ok(Self {
            maps,
            deployments,
            stories,
            watches,
            arguments: arguments.clone(),
        })
    }

    /// Writes statuses at a steady pace, of objects that nobody else changes. Returns how many.
    pub(super) async fn noise(&self, time: Duration) -> Result<usize> {
        // Changed are those from the front, noise comes from the back.
        let noisy: Vec<usize> = (0..self.arguments.objects)
            .rev()
            .filter(|number| has_status(*number) && number * 5 >= self.arguments.objects * 4)
            .take(100)
            .collect();
        let total = self.arguments.noise as usize * usize::try_from(time.as_secs())?;
        let begun = Instant::now();
        let writes = (0..total).map(|round| {
            let number = noisy
                .get(round % noisy.len().max(1))
                .copied()
                .unwrap_or_default();
            let at = begun
                + Duration::from_secs(1) * u32::try_from(round).unwrap_or(0) / self.arguments.noise;
            async move {
                tokio::time::sleep_until(at.into()).await;
                let status = Patch::Merge(json!({"status": {"observedGeneration": round + 1}}));
                let parameters = PatchParams::apply("noise");
                let name = name(number);
                let written = self.deployments.patch_status(&name, &parameters, &status);
                written.await.map(drop)
            }
        });
        let mut writes = futures::stream::iter(writes).buffer_unordered(32);
        let mut count = 0;
        while let Some(written) = writes.next().await {
            written.context("write a status")?;
            count += 1;
        }
        Ok(count)
    }

    /// Changes one object after the other at a steady pace. Returns how many.
    pub(super) async fn change(&self, time: Duration) -> Result<usize> {
        let total = self.arguments.changes as usize * usize::try_from(time.as_secs())?;
        let begun = Instant::now();
        // Far from each other, and not those of the noise.
        let stride = (self.arguments.objects * 4 / 5 / total.max(1)).max(1);
        for round in 0..total {
            let at =
                begun + Duration::from_secs(1) * u32::try_from(round)? / self.arguments.changes;
            tokio::time::sleep_until(at.into()).await;
            self.change_one(round * stride, round).await?;
        }
        Ok(lock(&self.stories).len())
    }

    async fn change_one(&self, number: usize, round: usize) -> Result<()> {
        let name = name(number);
        lock(&self.stories).insert(name.clone(), Story::default());
        let by_hand = PatchParams::apply("by-hand");
        if has_status(number) {
            let scale = Patch::Merge(json!({"spec": {"replicas": 3}}));
            let scaled = self.deployments.patch_scale(&name, &by_hand, &scale).await;
            return scaled.map(drop).context("scale a Deployment");
        }
        let changed = match round % 4 {
            0 => {
                let deleted = self.maps.delete(&name, &DeleteParams::default()).await;
                return deleted.map(drop).context("delete a ConfigMap");
            }
            1 => json!({"metadata": {"labels": {"flux.rs/sync": null}}}),
            2 => json!({"metadata": {"managedFields": [{}]}, "data": {"value": "wiped"}}),
            _ => json!({"data": {"value": "by hand"}}),
        };
        let patched = self
            .maps
            .patch(&name, &by_hand, &Patch::Merge(changed))
            .await;
        patched.map(drop).context("change a ConfigMap")
    }

    /// Waits until all is back, or the time is over.
    pub(super) async fn all_back(&self, grace: Duration) {
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline {
            if lock(&self.stories)
                .values()
                .all(|story| story.back.is_some())
            {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns how long each repair took, the shortest first.
    pub(super) fn latencies(&self) -> Vec<Duration> {
        let stories = lock(&self.stories);
        let mut latencies: Vec<Duration> = stories
            .values()
            .filter_map(|story| Some(story.back?.saturating_duration_since(story.changed?)))
            .collect();
        latencies.sort();
        latencies
    }

    /// Returns how many times the controller wrote to objects that nobody had changed.
    pub(super) fn written_for_nothing(&self, requests: &[Request]) -> usize {
        let stories = lock(&self.stories);
        let changed: HashSet<&str> = stories.keys().map(String::as_str).collect();
        let is_needless = |request: &&Request| {
            request.object_ref.as_ref().is_some_and(|object| {
                object.namespace == NAME
                    && ["configmaps", "deployments"].contains(&object.resource.as_str())
                    && !changed.contains(object.name.as_str())
            })
        };
        let ours = requests
            .iter()
            .filter(|request| request.user.username == CONTROLLER_USER && request.is_write());
        ours.filter(is_needless).count()
    }
}

/// Notes when each changed object is seen changed, and when as in git again.
async fn follow<K>(
    api: Api<K>,
    stories: Stories,
    ready: tokio::sync::mpsc::Sender<()>,
    is_as_in_git: impl Fn(&K) -> bool + Send,
) where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
{
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        let (name, is_right) = match event {
            Ok(Event::Apply(object)) => (object.name_any(), is_as_in_git(&object)),
            Ok(Event::Delete(object)) => (object.name_any(), false),
            Ok(Event::InitDone) => {
                ready.send(()).await.ok();
                continue;
            }
            Ok(Event::Init | Event::InitApply(_)) | Err(_) => continue,
        };
        if let Some(story) = lock(&stories).get_mut(&name) {
            let now = Instant::now();
            match (is_right, story.changed) {
                (false, None) => story.changed = Some(now),
                (true, Some(_)) => story.back = story.back.or(Some(now)),
                _ => {}
            }
        }
    }
}
