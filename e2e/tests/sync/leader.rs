//! Two instances of the controller: one acts, the other takes over.

use std::sync::Arc;

use flux_e2e::{ControlPlane, Controller, GitServer, Options, controller, install, wait};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;

use crate::stage::{Stage, map};

const WAITING: &str = "waiting for the lease";
const LEADING: &str = "lease acquired";

async fn holder(control_plane: &ControlPlane) -> Option<String> {
    let leases: Api<Lease> =
        Api::namespaced(control_plane.client().await.unwrap(), install::NAMESPACE);
    let lease = leases.get("flux-controller").await.unwrap();
    lease.spec.unwrap().holder_identity
}

#[tokio::test]
async fn one_of_two_instances_acts_and_the_other_takes_over_when_it_is_killed() {
    let control_plane = Arc::new(ControlPlane::start(Options::default()).await.unwrap());
    let server = GitServer::start().unwrap();
    let start = || Controller::start(&control_plane, controller::Options::default());
    let mut first = start().await.unwrap();
    let stage = Stage::on(&control_plane, &server).await;
    stage.grant("admin", "default").await;
    stage.create(&stage.sync()).await;
    let second = start().await.unwrap();
    let commit = stage.push(&[("one.yaml", &map("one", "a"))]).await;
    stage.applied(&commit).await;
    let (leader, log) = (holder(&control_plane).await, second.log().unwrap());
    assert!(log.contains(WAITING) && !log.contains(LEADING), "{log}");
    assert!(!log.contains("test-"), "it looks at no object: {log}");

    first.kill();
    let leases: Api<Lease> =
        Api::namespaced(control_plane.client().await.unwrap(), install::NAMESPACE);
    let taken = wait::until(&leases, "flux-controller", "has another holder", |lease| {
        lease
            .spec
            .as_ref()
            .is_some_and(|spec| spec.holder_identity != leader)
    });
    taken.await.unwrap();
    let commit = stage.push(&[("one.yaml", &map("one", "b"))]).await;
    stage.applied(&commit).await;
    assert!(second.log().unwrap().contains(LEADING));
}
