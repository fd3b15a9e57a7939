//! Faults at every point and by chance: in the end the cluster is what git says, and nothing is lost on the way.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use flux_crds::Sync;
use flux_e2e::control_plane::{Asked, Fault};
use flux_e2e::ordeal::{Losses, Ordeal, Run, inventory};
use flux_e2e::wait;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::sync::watch;

use crate::rollback::{definition, rolled_back, wrong};
use crate::stage::{APPS, Stage, map};

/// What the faults by chance begin with: a run can be repeated.
const SEED: u64 = 20_261;
/// Rounds of faults by chance.
const ROUNDS: usize = 4;
/// More writes than a transaction of these tests has.
const MOST_WRITES: usize = 60;

/// An ordeal, and its namespace as a stage.
struct Trial {
    stage: Stage,
    ordeal: Ordeal,
}

impl Deref for Trial {
    type Target = Ordeal;

    fn deref(&self) -> &Ordeal {
        &self.ordeal
    }
}

impl DerefMut for Trial {
    fn deref_mut(&mut self) -> &mut Ordeal {
        &mut self.ordeal
    }
}

impl Trial {
    async fn begin() -> Self {
        let ordeal = Ordeal::begin().await.unwrap();
        let stage = Stage {
            namespace: Arc::clone(&ordeal.namespace),
            control_plane: Arc::clone(&ordeal.control_plane),
            repo: ordeal.repo.clone(),
        };
        Self { stage, ordeal }
    }

    /// Kills the controller when it hangs, unless `end` comes first; looks that nothing is lost; starts it again.
    async fn is_killed(&mut self, mut hangs: watch::Receiver<bool>, end: &str) -> bool {
        let syncs = self.stage.syncs();
        let ends = wait::until(&syncs, APPS, "ends", |sync| ended(sync, end));
        let killed = tokio::select! {
            hangs = hangs.wait_for(|hangs| *hangs) => hangs.is_ok(),
            sync = ends => sync.is_err(),
        };
        if killed {
            self.controller.kill();
            self.nothing_is_lost().await;
            self.door.open();
            self.controller.restart().await.unwrap();
        }
        self.door.open();
        killed
    }

    async fn nothing_is_lost(&self) {
        assert_eq!(self.losses().await.unwrap(), Losses::default());
    }

    /// Looks that cluster and inventory are `wanted` and nothing else.
    async fn is_at(&self, sync: &Sync, wanted: &[(&str, &str)], when: &str) {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let wanted: BTreeMap<_, _> = wanted.iter().map(text).collect();
        assert_eq!(self.live().await.unwrap(), wanted, "{when}");
        assert!(
            inventory(sync).iter().eq(wanted.keys()),
            "{when}: the inventory is {:?}",
            inventory(sync)
        );
        self.nothing_is_lost().await;
    }
}

fn ended(sync: &Sync, commit: &str) -> bool {
    let status = sync.status.as_ref();
    let attempted = status.and_then(|status| status.last_attempted_revision.as_deref());
    let is_at_rest = wait::is_ready(sync) || rolled_back(sync);
    is_at_rest && attempted.is_some_and(|revision| revision.ends_with(commit))
}

#[tokio::test]
async fn a_controller_killed_at_any_write_ends_where_git_is() {
    let mut trial = Trial::begin().await;
    let mut turn = 0;
    loop {
        turn += 1;
        let hangs = trial.door.hang_at(turn);
        if turn > 1 {
            let former = format!("turn-{}.yaml", turn - 1);
            trial.stage.repo.remove(&former).unwrap();
        }
        let created = format!("turn-{turn}");
        let files = [
            ("kept.yaml", map("kept", "a")),
            ("changed.yaml", map("changed", &created)),
            (&format!("{created}.yaml"), map(&created, "a")),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let commit = trial.stage.repo.push_files(&files, "a turn").unwrap();
        trial.announce().await.unwrap();
        let killed = trial.is_killed(hangs, &commit).await;

        let sync = trial.stage.applied(&commit).await;
        let wanted = [("changed", &*created), ("kept", "a"), (&created, "a")];
        let when = format!("killed at write {turn}");
        trial.is_at(&sync, &wanted, &when).await;
        if !killed {
            break;
        }
        assert!(turn < MOST_WRITES, "it writes without end");
    }
    assert!(turn > 6, "only {turn} writes were found");
}

#[tokio::test]
async fn a_controller_killed_at_any_write_of_a_rollback_takes_everything_back() {
    let mut trial = Trial::begin().await;
    let client = trial.stage.namespace.client();
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    let wrong = wrong(&trial.stage);
    let mut turn = 0;
    loop {
        turn += 1;
        let good = format!("turn-{turn}");
        let repo = &trial.stage.repo;
        if turn > 1 {
            repo.remove("wrong.yaml").unwrap();
            repo.remove("two.yaml").unwrap();
        }
        let good_files = [
            ("one.yaml", map("one", &good)),
            ("three.yaml", map("three", "a")),
        ];
        let good_files = good_files.each_ref().map(|(path, text)| (*path, &**text));
        let commit = trial.stage.push(&good_files).await;
        trial.stage.applied(&commit).await;

        let hangs = trial.door.hang_at(turn);
        trial.stage.repo.remove("three.yaml").unwrap();
        let bad_files = [
            ("one.yaml", map("one", "bad")),
            ("two.yaml", map("two", "bad")),
            ("wrong.yaml", wrong.clone()),
        ];
        let bad_files = bad_files.each_ref().map(|(path, text)| (*path, &**text));
        let commit = trial.stage.repo.push_files(&bad_files, "bad").unwrap();
        trial.announce().await.unwrap();
        let killed = trial.is_killed(hangs, &commit).await;

        let syncs = trial.stage.syncs();
        let sync = wait::until(&syncs, APPS, "is rolled back", |sync| {
            rolled_back(sync) && ended(sync, &commit)
        });
        let sync = sync.await.unwrap();
        let wanted = [("one", &*good), ("three", "a")];
        let when = format!("killed at write {turn}");
        trial.is_at(&sync, &wanted, &when).await;
        wait::until_gone(&definitions, &definition(&trial.stage))
            .await
            .unwrap();
        if !killed {
            break;
        }
        assert!(turn < MOST_WRITES, "it writes without end");
    }
    assert!(turn > 8, "only {turn} writes were found");
}

/// When `one` was last applied, by the second.
async fn applied_at(stage: &Stage) -> Option<Time> {
    let one = stage.maps().get("one").await.unwrap();
    let mut managers = one.managed_fields().iter();
    let ours = managers.find(|entry| entry.manager.as_deref() == Some("flux"));
    ours.unwrap().time.clone()
}

#[tokio::test]
async fn two_applies_in_one_second_with_a_crash_behind_them_are_not_taken_for_one() {
    let mut trial = Trial::begin().await;
    for turn in 0..MOST_WRITES {
        let good = format!("good-{turn}");
        let commit = trial.stage.push(&[("one.yaml", &map("one", &good))]).await;
        let sync = trial.stage.applied(&commit).await;
        let revision = sync.status.unwrap().last_applied_revision;
        let before = applied_at(&trial.stage).await;

        trial.door.set(|asked: &Asked| {
            let is_apply = asked.is_write() && asked.path.contains("/configmaps/one");
            if is_apply { Fault::Hang } else { Fault::None }
        });
        let bad = [("one.yaml", &*map("one", "bad"))];
        trial.stage.repo.push_files(&bad, "bad").unwrap();
        trial.announce().await.unwrap();
        let maps = trial.stage.maps();
        let is_bad = |map: &ConfigMap| map.data.as_ref().is_some_and(|data| data["key"] == "bad");
        wait::until(&maps, "one", "is bad", is_bad).await.unwrap();
        trial.controller.kill();
        trial.door.open();
        let is_same_second = applied_at(&trial.stage).await == before;

        trial.stage.edit(APPS, json!({"revision": revision})).await;
        trial.controller.restart().await.unwrap();
        trial.stage.reconcile().await;
        assert_eq!(trial.stage.data("one").await, Some(json!({"key": good})));
        if is_same_second {
            return;
        }
        trial.stage.edit(APPS, json!({"revision": null})).await;
    }
    panic!("no two applies were in one second");
}

#[tokio::test]
async fn an_object_whose_deletion_meets_a_conflict_is_not_forgotten() {
    let trial = Trial::begin().await;
    let files = [("one.yaml", map("one", "a")), ("two.yaml", map("two", "a"))];
    let files = files.each_ref().map(|(path, text)| (*path, &**text));
    let commit = trial.stage.push(&files).await;
    trial.stage.applied(&commit).await;

    trial.door.set(|asked: &Asked| match asked.method.as_str() {
        "DELETE" => Fault::Refuse(409),
        _ => Fault::None,
    });
    let commit = trial.stage.remove(&["two.yaml"]).await;
    let sync = trial.stage.failed(&commit, "PruneFailed").await;
    let both = [("one", "a"), ("two", "a")];
    trial.is_at(&sync, &both, "not deleted yet").await;

    trial.door.open();
    let sync = trial.stage.applied(&commit).await;
    trial.is_at(&sync, &[("one", "a")], "deleted").await;
}

#[tokio::test]
async fn whatever_api_server_and_git_server_answer_the_cluster_ends_where_git_is() {
    let mut run = Run::begin(SEED).await.unwrap();
    for _ in 0..ROUNDS {
        run.round().await.unwrap();
    }
    let report = run.report();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!(report.recoveries.len(), ROUNDS);
    assert!(report.kills > 0 && report.faults.len() > 3, "{report:#?}");
}
