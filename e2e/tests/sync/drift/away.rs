//! Drift while the API server or the controller is away.

use std::sync::Arc;

use flux_e2e::{ControlPlane, Controller, GitServer, Options, controller};
use serde_json::json;

use super::is_back;
use crate::stage::{Stage, map};

/// A control plane and a controller of one test, which breaks them.
struct Fragile {
    // Dropped in this order: the controller before what it talks to.
    stage: Stage,
    controller: Controller,
    _server: GitServer,
}

impl Fragile {
    async fn with_one_map() -> Self {
        let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
        let server = GitServer::start().unwrap();
        let controller = Controller::start(&control_plane, controller::Options::default());
        let controller = controller.await.unwrap();
        let stage = Stage::on(&control_plane, &server).await;
        stage.grant("admin", "default").await;
        stage.create(&stage.sync()).await;
        let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
        stage.applied(&commit).await;
        Self {
            stage,
            controller,
            _server: server,
        }
    }
}

#[tokio::test]
async fn drift_is_seen_after_a_restart_of_the_api_server() {
    let fragile = Fragile::with_one_map().await;
    let stage = &fragile.stage;
    let version = stage.version("one").await;
    stage.control_plane.restart_api_server().await.unwrap();
    assert_eq!(stage.version("one").await, version, "a restart is no drift");
    stage
        .by_hand("one", json!({"data": {"key": "by hand"}}))
        .await;
    is_back(stage).await;
}

#[tokio::test]
async fn drift_while_the_controller_is_away_is_put_back_when_it_returns() {
    let mut fragile = Fragile::with_one_map().await;
    fragile.controller.kill();
    let by_hand = json!({"data": {"key": "by hand"}});
    fragile.stage.by_hand("one", by_hand.clone()).await;
    fragile.controller.restart().await.unwrap();
    is_back(&fragile.stage).await;
    fragile.stage.by_hand("one", by_hand).await;
    is_back(&fragile.stage).await;
}
