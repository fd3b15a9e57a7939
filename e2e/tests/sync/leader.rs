//! Two instances of the controller: one acts, the other takes over; and one whose API server goes away for a while.

use std::sync::Arc;
use std::time::Duration;

use flux_e2e::{ControlPlane, Controller, GitServer, Options, controller, install, wait};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;

use crate::stage::{Stage, map};

const WAITING: &str = "waiting for the lease";
const LEADING: &str = "lease acquired";
const LOOK_AGAIN: Duration = Duration::from_millis(50);

async fn holder(control_plane: &ControlPlane) -> Option<String> {
    let leases: Api<Lease> =
        Api::namespaced(control_plane.client().await.unwrap(), install::NAMESPACE);
    let lease = leases.get("flux-controller").await.unwrap();
    lease.spec.unwrap().holder_identity
}

/// Waits until the controller has printed this.
async fn logs(controller: &Controller, words: &str) {
    let printed = async {
        while !controller.log().unwrap().contains(words) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let printed = tokio::time::timeout(wait::PATIENCE, printed).await;
    assert!(printed.is_ok(), "{}", controller.log().unwrap());
}

/// A control plane of one test, with a Sync on it.
struct Setting {
    control_plane: Arc<ControlPlane>,
    stage: Stage,
    _server: GitServer,
}

impl Setting {
    async fn set() -> Self {
        let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
        install::prerequisites(&control_plane.client().await.unwrap())
            .await
            .unwrap();
        let server = GitServer::start().unwrap();
        let stage = Stage::on(&control_plane, &server).await;
        stage.grant("admin", "default").await;
        stage.create(&stage.sync()).await;
        Self {
            control_plane,
            stage,
            _server: server,
        }
    }

    /// Starts an instance of the controller.
    async fn start(&self) -> Controller {
        Controller::start(&self.control_plane, controller::Options::default())
            .await
            .unwrap()
    }

    /// Pushes this value and waits until it is applied.
    async fn applies(&self, value: &str) {
        let commit = self.stage.push(&[("one.yaml", &map("one", value))]).await;
        self.stage.applied(&commit).await;
    }
}

#[tokio::test]
async fn one_of_two_instances_acts_and_the_other_takes_over_when_it_is_killed() {
    let setting = Setting::set().await;
    let mut first = setting.start().await;
    let second = setting.start().await;
    setting.applies("a").await;
    let leader = holder(&setting.control_plane).await;
    let log = second.log().unwrap();
    assert!(log.contains(WAITING) && !log.contains(LEADING), "{log}");
    assert!(!log.contains("test-"), "it looks at no object: {log}");

    first.kill();
    logs(&second, LEADING).await;
    assert_ne!(holder(&setting.control_plane).await, leader);
    setting.applies("b").await;
}

#[tokio::test]
async fn a_leader_that_was_frozen_for_long_ends_when_another_has_taken_over() {
    let setting = Setting::set().await;
    let mut first = setting.start().await;
    setting.applies("a").await;
    let second = setting.start().await;
    first.process().unwrap().freeze().unwrap();
    logs(&second, LEADING).await;
    setting.applies("b").await;

    first.process().unwrap().thaw().unwrap();
    logs(&first, "lease lost").await;
    let ended = async {
        while first.is_running() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(wait::PATIENCE, ended).await.unwrap();
    setting.applies("c").await;
}

#[tokio::test]
async fn an_api_server_that_is_away_for_longer_than_the_lease_makes_nobody_leave() {
    let setting = Setting::set().await;
    let mut controller = setting.start().await;
    setting.applies("a").await;

    setting.control_plane.kill_api_server();
    logs(&controller, "writing nothing until it is renewed").await;
    setting.control_plane.start_api_server().await.unwrap();
    setting.applies("b").await;
    assert!(controller.is_running());
    assert!(controller.log().unwrap().contains("writing again"));
}
