//! What the controller is given in a cluster: its kinds, and no more rights than it needs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_crds::{GitRepository, Sync};
use flux_e2e::{ControlPlane, TestNamespace, install, wait};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams},
};

#[tokio::test]
async fn the_kinds_are_served_and_validated() {
    let cluster = ControlPlane::shared().await;
    install::definitions(&cluster.client().await.unwrap())
        .await
        .unwrap();
    let namespace = TestNamespace::create(cluster).await.unwrap();
    let repositories = namespace.api::<GitRepository>();

    let good = GitRepository::test().in_namespace(namespace.name());
    repositories
        .create(&PostParams::default(), &good)
        .await
        .unwrap();
    let bad = good.clone().named("bad").with_url("ftp://example.org/repo");
    let refused = repositories
        .create(&PostParams::default(), &bad)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("spec.url"), "{refused}");
}

#[tokio::test]
async fn the_controller_may_read_its_kinds_and_no_list_of_secrets() {
    let cluster = ControlPlane::shared().await;
    install::prerequisites(&cluster.client().await.unwrap())
        .await
        .unwrap();
    let client = cluster
        .client_as(install::CONTROLLER_USER, Some("system:serviceaccounts"))
        .await
        .unwrap();

    Api::<Sync>::all(client.clone())
        .list(&ListParams::default())
        .await
        .unwrap();
    let refused = Api::<Secret>::all(client)
        .list(&ListParams::default())
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("cannot list resource \"secrets\""),
        "{refused}"
    );
}

#[tokio::test]
async fn waiting_sees_an_object_come_and_go() {
    let cluster = ControlPlane::shared().await;
    let namespace = TestNamespace::create(cluster).await.unwrap();
    let accounts = namespace.api::<ServiceAccount>();
    let account = ServiceAccount {
        metadata: kube::api::ObjectMeta {
            name: Some("one".to_owned()),
            ..Default::default()
        },
        ..Default::default()
    };
    let create = PostParams::default();
    let (found, created) = tokio::join!(
        wait::until(&accounts, "one", "exists", |_| true),
        accounts.create(&create, &account)
    );
    assert_eq!(found.unwrap().metadata.uid, created.unwrap().metadata.uid);
    let delete = DeleteParams::default();
    let (gone, deleted) = tokio::join!(
        wait::until_gone(&accounts, "one"),
        accounts.delete("one", &delete)
    );
    gone.unwrap();
    deleted.unwrap();
}

#[tokio::test]
async fn a_failed_test_would_show_its_flux_objects() {
    let cluster = ControlPlane::shared().await;
    let client: Client = cluster.client().await.unwrap();
    install::definitions(&client).await.unwrap();
    let namespace = TestNamespace::create(cluster).await.unwrap();
    let sync = Sync::test()
        .in_namespace(namespace.name())
        .named("shown-when-failed");
    namespace
        .api::<Sync>()
        .create(&PostParams::default(), &sync)
        .await
        .unwrap();
    assert!(
        namespace.describe().contains("name: shown-when-failed"),
        "{}",
        namespace.describe()
    );
}
