//! What lives on the cluster, metadata only: enough to see owners, drift and deletions, and cheap for both sides.

use flux_core::live::Metadata;
use serde::Deserialize;

use super::request::{Call, METADATA, METADATA_LIST, query_value};
use super::{Cluster, Error, Resource};

/// Objects that one answer of a LIST holds at the most.
const PAGE: u32 = 2000;

/// An object of which only the metadata is read, whatever else the answer holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MetadataOnly {
    pub(crate) metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    metadata: ListMetadata,
    /// An empty page can be `null`.
    items: Option<Vec<MetadataOnly>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListMetadata {
    r#continue: String,
}

/// Returns the metadata of all objects of a kind with these labels; of all namespaces when `namespace` is empty.
pub async fn list(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    selector: &str,
) -> Result<Vec<Metadata>, Error> {
    let first = format!(
        "{}?labelSelector={}&limit={PAGE}",
        resource.collection_path(namespace),
        query_value(selector)
    );
    let mut found = Vec::new();
    let mut path = first.clone();
    loop {
        let permit = cluster.permit().await;
        let (_, body) = Call::get(path, METADATA_LIST)
            .send(cluster.client())
            .await?;
        drop(permit);
        let page: List = serde_json::from_slice(&body).map_err(|source| Error::Answer {
            action: "a list of metadata",
            source,
        })?;
        found.extend(page.items.into_iter().flatten().map(|item| item.metadata));
        if page.metadata.r#continue.is_empty() {
            return Ok(found);
        }
        path = format!(
            "{first}&continue={}",
            query_value(&page.metadata.r#continue)
        );
    }
}

/// Returns the metadata of one object, or `None` when it does not exist.
pub async fn get(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Option<Metadata>, Error> {
    let permit = cluster.permit().await;
    let answer = Call::get(resource.object_path(namespace, name), METADATA)
        .send(cluster.client())
        .await;
    drop(permit);
    match answer {
        Ok((_, body)) => serde_json::from_slice::<MetadataOnly>(&body)
            .map(|object| Some(object.metadata))
            .map_err(|source| Error::Answer {
                action: "a read of metadata",
                source,
            }),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a whole object, or `None` when it does not exist.
pub async fn get_object(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Option<serde_json::Value>, Error> {
    let permit = cluster.permit().await;
    let answer = Call::get(resource.object_path(namespace, name), super::request::JSON)
        .send(cluster.client())
        .await;
    drop(permit);
    match answer {
        Ok((_, body)) => serde_json::from_slice(&body)
            .map(Some)
            .map_err(|source| Error::Answer {
                action: "a read",
                source,
            }),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
