//! Faults at every point and by chance: in the end the cluster is what git says, and nothing is lost on the way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use flux_crds::{GitRepository, Sync};
use flux_e2e::{
    ControlPlane, Controller, GitServer, Options,
    control_plane::{Asked, Door, Fault},
    controller, git_server, install, reconcile, wait,
};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use tokio::sync::watch;

use crate::rollback::{definition, rolled_back, wrong};
use crate::stage::{APPS, SOURCE, Stage, inventory, map};

/// What the faults by chance begin with: a run can be repeated.
const SEED: u64 = 20_261;
/// Revisions that are pushed while there are faults.
const TURNS: usize = 16;
/// One in so many requests has a fault.
const ODDS: u32 = 10;
/// Names that revisions choose from.
const NAMES: usize = 12;
/// More writes than a transaction of these tests has.
const MOST_WRITES: usize = 60;
/// ConfigMaps that look like ours and are in no inventory.
const STRANGERS: [&str; 2] = ["stranger", "forged"];

/// A control plane behind a door, a controller and a git server of one test.
struct Ordeal {
    // Dropped in this order: the controller before what it talks to.
    stage: Stage,
    controller: Controller,
    door: Door,
    server: GitServer,
    _control_plane: Arc<ControlPlane>,
}

impl Ordeal {
    async fn set() -> Self {
        let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
        install::prerequisites(&control_plane.client().await.unwrap())
            .await
            .unwrap();
        let door = control_plane
            .door(install::CONTROLLER_USER, Some("system:serviceaccounts"))
            .await
            .unwrap();
        let server = GitServer::start().unwrap();
        // A killed leader would hold its lease for a while.
        let options = controller::Options::default().with_flag("--no-leader-election");
        let controller = Controller::start_with(door.kubeconfig(), options)
            .await
            .unwrap();
        let stage = Stage::on(&control_plane, &server).await;
        stage.grant("admin", "default").await;
        for name in STRANGERS {
            let labels = json!({"flux.rs/sync": APPS, "flux.rs/sync-namespace": stage.name()});
            let labels = if name == "forged" { labels } else { json!({}) };
            stage
                .apply(json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": name, "namespace": stage.name(), "labels": labels},
                }))
                .await;
        }
        let mut sync = stage.sync();
        sync.spec.retry_interval = Some("1s".into());
        stage.create(&sync).await;
        let soon = Patch::Merge(json!({"spec": {"retryInterval": "1s"}}));
        let sources = stage.api::<GitRepository>();
        let patched = sources.patch(SOURCE, &PatchParams::default(), &soon).await;
        patched.unwrap();
        Self {
            stage,
            controller,
            door,
            server,
            _control_plane: control_plane,
        }
    }

    /// Lets the controller see what was pushed, whenever it can.
    async fn announce(&self) {
        let sources = self.stage.api::<GitRepository>();
        reconcile::poke(&sources, SOURCE).await.unwrap();
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

    /// Looks that all that was applied is in the inventory, and that all that was never ours is still there.
    async fn nothing_is_lost(&self) {
        let syncs = self.stage.syncs();
        loop {
            let before = syncs.get(APPS).await.unwrap();
            let live = self.live().await;
            let after = syncs.get(APPS).await.unwrap();
            if before.resource_version() != after.resource_version() {
                continue;
            }
            let known = names(&after);
            let lost: Vec<_> = live.difference(&known).collect();
            assert!(lost.is_empty(), "{lost:?} are in no inventory");
            break;
        }
        for name in STRANGERS {
            let stranger = self.stage.maps().get_opt(name).await.unwrap();
            assert!(stranger.is_some(), "{name} was never ours and is gone");
        }
    }

    /// The ConfigMaps that were applied.
    async fn live(&self) -> BTreeSet<String> {
        let labelled = ListParams::default().labels(&format!("flux.rs/sync={APPS}"));
        let maps = self.stage.maps().list(&labelled).await.unwrap();
        let mut names: BTreeSet<_> = maps.iter().map(ConfigMap::name_any).collect();
        names.remove("forged");
        names
    }
}

fn ended(sync: &Sync, commit: &str) -> bool {
    let status = sync.status.as_ref();
    let attempted = status.and_then(|status| status.last_attempted_revision.as_deref());
    let is_at_rest = wait::is_ready(sync) || rolled_back(sync);
    is_at_rest && attempted.is_some_and(|revision| revision.ends_with(commit))
}

/// The names in the inventory, whatever they are names of.
fn names(sync: &Sync) -> BTreeSet<String> {
    let name = |id: String| id.split('_').nth(1).unwrap_or_default().to_owned();
    if sync.status.is_none() {
        return BTreeSet::new();
    }
    inventory(sync).into_iter().map(name).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_controller_killed_at_any_write_ends_where_git_is() {
    let mut ordeal = Ordeal::set().await;
    let mut turn = 0;
    loop {
        turn += 1;
        let hangs = ordeal.door.hang_at(turn);
        if turn > 1 {
            let former = format!("turn-{}.yaml", turn - 1);
            ordeal.stage.repo.remove(&former).unwrap();
        }
        let created = format!("turn-{turn}");
        let files = [
            ("kept.yaml", map("kept", "a")),
            ("changed.yaml", map("changed", &created)),
            (&format!("{created}.yaml"), map(&created, "a")),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let commit = ordeal.stage.repo.push_files(&files, "a turn").unwrap();
        ordeal.announce().await;
        let killed = ordeal.is_killed(hangs, &commit).await;

        let sync = ordeal.stage.applied(&commit).await;
        let wanted = set(&["changed", "kept", &created]);
        assert_eq!(names(&sync), wanted, "killed at write {turn}");
        assert_eq!(ordeal.live().await, wanted, "killed at write {turn}");
        let changed = ordeal.stage.data("changed").await;
        assert_eq!(changed, Some(json!({"key": created})));
        ordeal.nothing_is_lost().await;
        if !killed {
            break;
        }
        assert!(turn < MOST_WRITES, "it writes without end");
    }
    assert!(turn > 6, "only {turn} writes were found");
}

#[tokio::test]
async fn a_controller_killed_at_any_write_of_a_rollback_takes_everything_back() {
    let mut ordeal = Ordeal::set().await;
    let client = ordeal.stage.namespace.client();
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    let wrong = wrong(&ordeal.stage);
    let mut turn = 0;
    loop {
        turn += 1;
        let good = format!("turn-{turn}");
        let repo = &ordeal.stage.repo;
        if turn > 1 {
            repo.remove("wrong.yaml").unwrap();
            repo.remove("two.yaml").unwrap();
        }
        let good_files = [
            ("one.yaml", map("one", &good)),
            ("three.yaml", map("three", "a")),
        ];
        let good_files = good_files.each_ref().map(|(path, text)| (*path, &**text));
        let commit = ordeal.stage.push(&good_files).await;
        ordeal.stage.applied(&commit).await;

        let hangs = ordeal.door.hang_at(turn);
        ordeal.stage.repo.remove("three.yaml").unwrap();
        let bad_files = [
            ("one.yaml", map("one", "bad")),
            ("two.yaml", map("two", "bad")),
            ("wrong.yaml", wrong.clone()),
        ];
        let bad_files = bad_files.each_ref().map(|(path, text)| (*path, &**text));
        let commit = ordeal.stage.repo.push_files(&bad_files, "bad").unwrap();
        ordeal.announce().await;
        let killed = ordeal.is_killed(hangs, &commit).await;

        let syncs = ordeal.stage.syncs();
        let sync = wait::until(&syncs, APPS, "is rolled back", |sync| {
            rolled_back(sync) && ended(sync, &commit)
        });
        let sync = sync.await.unwrap();
        assert_eq!(
            names(&sync),
            set(&["one", "three"]),
            "killed at write {turn}"
        );
        assert_eq!(
            ordeal.live().await,
            set(&["one", "three"]),
            "killed at write {turn}"
        );
        assert_eq!(ordeal.stage.data("one").await, Some(json!({"key": good})));
        ordeal.nothing_is_lost().await;
        wait::until_gone(&definitions, &definition(&ordeal.stage))
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
    let mut ordeal = Ordeal::set().await;
    for turn in 0..MOST_WRITES {
        let good = format!("good-{turn}");
        let commit = ordeal.stage.push(&[("one.yaml", &map("one", &good))]).await;
        let sync = ordeal.stage.applied(&commit).await;
        let revision = sync.status.unwrap().last_applied_revision;
        let before = applied_at(&ordeal.stage).await;

        ordeal.door.set(|asked: &Asked| {
            let is_apply = asked.is_write() && asked.path.contains("/configmaps/one");
            if is_apply { Fault::Hang } else { Fault::None }
        });
        let bad = [("one.yaml", &*map("one", "bad"))];
        ordeal.stage.repo.push_files(&bad, "bad").unwrap();
        ordeal.announce().await;
        let maps = ordeal.stage.maps();
        let is_bad = |map: &ConfigMap| map.data.as_ref().is_some_and(|data| data["key"] == "bad");
        wait::until(&maps, "one", "is bad", is_bad).await.unwrap();
        ordeal.controller.kill();
        ordeal.door.open();
        let is_same_second = applied_at(&ordeal.stage).await == before;

        ordeal.stage.edit(APPS, json!({"revision": revision})).await;
        ordeal.controller.restart().await.unwrap();
        ordeal.stage.reconcile().await;
        assert_eq!(ordeal.stage.data("one").await, Some(json!({"key": good})));
        if is_same_second {
            return;
        }
        ordeal.stage.edit(APPS, json!({"revision": null})).await;
    }
    panic!("no two applies were in one second");
}

/// Chooses what becomes of requests.
fn by_chance(seed: u64) -> impl FnMut(&Asked) -> Fault + Send + 'static {
    let mut chance = fastrand::Rng::with_seed(seed);
    move |_| {
        if chance.u32(0..ODDS) != 0 {
            return Fault::None;
        }
        match chance.u8(0..7) {
            0 => Fault::Delay(Duration::from_millis(chance.u64(1..200))),
            1 => Fault::Reset,
            2 => Fault::LoseAnswer,
            3 => Fault::Truncate,
            4 => Fault::Refuse(409),
            5 => Fault::Refuse(429),
            _ => Fault::Refuse(500),
        }
    }
}

/// Changes the files of the next revision, and what they should come to.
fn change(ordeal: &Ordeal, chance: &mut fastrand::Rng, turn: usize) -> (String, BTreeSet<String>) {
    let mut wanted = set(&["kept"]);
    let mut files = vec![("kept.yaml".to_owned(), map("kept", &format!("turn-{turn}")))];
    for number in 0..NAMES {
        let (name, path) = (format!("map-{number}"), format!("map-{number}.yaml"));
        if chance.bool() {
            files.push((path, map(&name, &format!("v{}", chance.u8(0..3)))));
            wanted.insert(name);
        } else if ordeal.stage.repo.work().join(&path).exists() {
            ordeal.stage.repo.remove(&path).unwrap();
        }
    }
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let commit = ordeal.stage.repo.push_files(&files, "by chance").unwrap();
    (commit, wanted)
}

#[tokio::test]
async fn whatever_api_server_and_git_server_answer_the_cluster_ends_where_git_is() {
    let mut ordeal = Ordeal::set().await;
    let mut chance = fastrand::Rng::with_seed(SEED);
    ordeal.door.set(by_chance(chance.u64(..)));
    for turn in 0..TURNS {
        change(&ordeal, &mut chance, turn);
        ordeal.server.set_conduct(match chance.u8(0..4) {
            0 => git_server::Conduct::Failing(503),
            1 => git_server::Conduct::Cutting(chance.u64(1..400)),
            2 => git_server::Conduct::Slow(Duration::from_millis(chance.u64(1..100))),
            _ => git_server::Conduct::Good,
        });
        let sources = ordeal.stage.api::<GitRepository>();
        reconcile::now(&sources, SOURCE).await.unwrap();
        if chance.u8(0..4) == 0 {
            ordeal.controller.kill();
            ordeal.nothing_is_lost().await;
            ordeal.controller.restart().await.unwrap();
        }
        ordeal.nothing_is_lost().await;
    }
    ordeal.door.open();
    ordeal.server.set_conduct(git_server::Conduct::Good);
    let (commit, wanted) = change(&ordeal, &mut chance, TURNS);
    ordeal.announce().await;
    let sync = ordeal.stage.applied(&commit).await;
    assert_eq!(names(&sync), wanted, "seed {SEED}");
    assert_eq!(ordeal.live().await, wanted, "seed {SEED}");
    ordeal.nothing_is_lost().await;
}
