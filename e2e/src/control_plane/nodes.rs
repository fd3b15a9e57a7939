//! Readiness of the API server, and nodes without a machine.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
};

/// Tells whether the API server is ready and has made the namespace `default`.
pub(super) async fn serves(client: &Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    match client.request_text(request).await {
        Ok(text) if text == "ok" => Api::<Namespace>::all(client.clone())
            .get("default")
            .await
            .is_ok(),
        _ => false,
    }
}

/// Creates nodes that kwok keeps Ready.
pub(super) async fn create(client: &Client, count: u16) -> Result<()> {
    let nodes = Api::<Node>::all(client.clone());
    for number in 0..count {
        let node = node(number)?;
        match nodes.create(&PostParams::default(), &node).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            result => drop(result.with_context(|| format!("create the node {number}"))?),
        }
    }
    Ok(())
}

/// Tells whether all nodes are Ready and take pods.
pub(super) async fn are_ready(client: &Client) -> bool {
    let nodes = Api::<Node>::all(client.clone())
        .list(&ListParams::default())
        .await;
    nodes.is_ok_and(|nodes| nodes.iter().all(is_ready))
}

fn is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let ready = conditions
        .into_iter()
        .flatten()
        .any(|c| c.type_ == "Ready" && c.status == "True");
    let tainted = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_ref())
        .is_some_and(|taints| !taints.is_empty());
    ready && !tainted
}

fn node(number: u16) -> Result<Node> {
    let name = format!("node-{number}");
    let resources = serde_json::json!({"cpu": "32", "memory": "256Gi", "pods": "1000"});
    let node = serde_json::json!({
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
            },
        },
        "status": {"allocatable": resources, "capacity": resources},
    });
    serde_json::from_value(node).context("make a node")
}
