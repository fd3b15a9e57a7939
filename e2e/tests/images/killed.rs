//! A controller that is killed on the way from the registry to git.

use std::sync::Arc;

use flux_e2e::{ControlPlane, Controller, Options, controller, install, reconcile};

use crate::stage::{APP, Stage};

/// More writes than a release has.
const MOST_WRITES: usize = 30;

#[tokio::test]
async fn a_controller_killed_at_any_write_makes_one_commit_of_a_new_image() {
    let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
    let client = control_plane.client().await.unwrap();
    install::prerequisites(&client).await.unwrap();
    let door = control_plane
        .door(install::CONTROLLER_USER, Some("system:serviceaccounts"))
        .await
        .unwrap();
    // A killed leader would hold its lease for a while.
    let options = controller::Options::default().with_flag("--no-leader-election");
    let mut controller = Controller::start_with(door.kubeconfig(), options)
        .await
        .unwrap();
    let stage = Stage::on(&control_plane).await;
    stage.release(APP, &["1.0.0"]).await;
    let marked = stage.marked(APP, "1.0.0");
    stage
        .repo
        .push_files(&[("app.yaml", &marked)], "app")
        .unwrap();
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    let before = stage.commits();

    let mut turn = 0;
    loop {
        turn += 1;
        let mut hangs = door.hang_at(turn);
        let tag = format!("1.{turn}.0");
        stage.release(APP, &[&tag]).await;
        reconcile::poke(&stage.policies(), APP).await.unwrap();
        let killed = tokio::select! {
            hangs = hangs.wait_for(|hangs| *hangs) => hangs.is_ok(),
            _ = stage.settled(APP, &tag) => false,
        };
        if killed {
            controller.kill();
        }
        door.open();
        if killed {
            controller.restart().await.unwrap();
        }
        stage.settled(APP, &tag).await;
        assert_eq!(stage.commits(), before + turn, "killed at write {turn}");
        let image = format!("{}:{tag} #", stage.image(APP));
        assert!(stage.file("app.yaml").contains(&image));
        if !killed {
            break;
        }
        assert!(turn < MOST_WRITES, "it writes without end");
    }
    assert!(turn > 2, "only {turn} writes were found");
}
