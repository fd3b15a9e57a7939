//! The control plane is real, quick, independent of others, and never outlives its owner.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, time::Duration};

use flux_e2e::{ControlPlane, Options};
use k8s_openapi::api::{
    apps::v1::Deployment,
    authorization::v1::{SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    core::v1::ConfigMap,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, ObjectMeta, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::await_condition,
};

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
        ..ConfigMap::default()
    }
}

async fn create(client: Client, name: &str) -> ConfigMap {
    let api = Api::<ConfigMap>::default_namespaced(client);
    api.create(&PostParams::default(), &config_map(name))
        .await
        .unwrap()
}

#[tokio::test]
async fn an_api_server_serves_the_version_that_we_build() {
    let cluster = ControlPlane::shared().await;
    let version = cluster
        .client()
        .await
        .unwrap()
        .apiserver_version()
        .await
        .unwrap();
    assert_eq!(version.git_version, "v1.37.2");
}

#[tokio::test]
async fn a_restart_of_the_api_server_keeps_the_data_and_the_address() {
    let cluster = ControlPlane::start(Options::default()).await.unwrap();
    let client = cluster.client().await.unwrap();
    let before = create(client.clone(), "survivor").await;

    cluster.restart_api_server().await.unwrap();
    let api = Api::<ConfigMap>::default_namespaced(client.clone());
    assert_eq!(
        api.get("survivor").await.unwrap().uid(),
        before.uid(),
        "after an orderly restart"
    );

    cluster.kill_api_server();
    assert!(
        api.get("survivor").await.is_err(),
        "a killed API server does not answer"
    );
    cluster.start_api_server().await.unwrap();
    assert_eq!(
        api.get("survivor").await.unwrap().uid(),
        before.uid(),
        "after SIGKILL"
    );
}

#[tokio::test]
async fn two_control_planes_run_side_by_side() {
    let (one, two) = tokio::join!(
        ControlPlane::start(Options::default()),
        ControlPlane::start(Options::default())
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    create(one.client().await.unwrap(), "only-in-one").await;
    let other = Api::<ConfigMap>::default_namespaced(two.client().await.unwrap());
    assert!(other.get_opt("only-in-one").await.unwrap().is_none());
}

#[tokio::test]
async fn a_user_without_rights_is_known_by_name_and_refused() {
    let cluster = ControlPlane::shared().await;
    let client = cluster.client_as("jane", Some("developers")).await.unwrap();
    let error = Api::<ConfigMap>::default_namespaced(client)
        .list(&ListParams::default())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("User \"jane\" cannot list"),
        "{error}"
    );
}

#[tokio::test]
async fn service_accounts_can_be_impersonated_and_have_no_rights_of_their_own() {
    let cluster = ControlPlane::shared().await;
    let mut config = config_of(cluster).await;
    config.auth_info.impersonate = Some("system:serviceaccount:default:default".to_owned());
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(k8s_openapi::api::authorization::v1::ResourceAttributes {
                verb: Some("create".to_owned()),
                resource: Some("configmaps".to_owned()),
                namespace: Some("default".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        },
        ..Default::default()
    };
    let api = Api::<SelfSubjectAccessReview>::all(Client::try_from(config).unwrap());
    let review = api.create(&PostParams::default(), &review).await.unwrap();
    assert!(!review.status.unwrap().allowed, "RBAC must be on");
}

#[tokio::test]
async fn the_audit_log_counts_requests_by_verb() {
    let cluster = ControlPlane::shared().await;
    let client = cluster
        .client_as("auditor", Some("system:masters"))
        .await
        .unwrap();
    let log = cluster.audit_log().from_now();
    create(client.clone(), "audited").await;
    Api::<ConfigMap>::default_namespaced(client)
        .get("audited")
        .await
        .unwrap();

    let requests = log.requests().unwrap();
    let mine: Vec<_> = requests
        .iter()
        .filter(|r| r.user.username == "auditor")
        .map(|r| r.verb.as_str())
        .collect();
    assert_eq!(mine, ["create", "get"]);
}

#[tokio::test]
async fn what_the_processes_use_can_be_read() {
    let cluster = ControlPlane::shared().await;
    let usage = cluster.api_server_usage().unwrap();
    assert!(usage.cpu > Duration::from_millis(100), "{usage:?}");
    assert!(
        usage.resident > 20 << 20 && usage.peak_resident >= usage.resident,
        "{usage:?}"
    );
}

#[tokio::test]
async fn a_deployment_becomes_ready_on_nodes_without_machines() {
    let cluster = ControlPlane::start(Options::with_workloads())
        .await
        .unwrap();
    let deployments = Api::<Deployment>::default_namespaced(cluster.client().await.unwrap());
    let deployment = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]},
            },
        },
    }));
    deployments
        .create(&PostParams::default(), &deployment.unwrap())
        .await
        .unwrap();

    let ready = await_condition(deployments, "web", |found: Option<&Deployment>| {
        found
            .and_then(|d| d.status.as_ref())
            .and_then(|s| s.ready_replicas)
            == Some(2)
    });
    tokio::time::timeout(Duration::from_mins(1), ready)
        .await
        .expect("2 of 2 pods Ready")
        .unwrap();
}

async fn config_of(cluster: &ControlPlane) -> kube::Config {
    let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap()
}
