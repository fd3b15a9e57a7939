//! What lives on the cluster, metadata only: enough to see owners, drift and deletions, and cheap for both sides.

use flux_core::live::Metadata;
use serde::Deserialize;

use super::request::{Call, METADATA, METADATA_LIST, query_value};
use super::{Cluster, Error, Resource};

/// Objects that one answer of a LIST holds at the most.
const PAGE: u32 = 2000;

/// Bytes of a whole list: a server that always names another page must not exhaust us.
const LARGEST: usize = 256 << 20;

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
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    r#continue: String,
    resource_version: String,
}

/// Returns the metadata of all objects of a kind with these labels; of all namespaces when `namespace` is empty.
pub async fn list(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    selector: &str,
) -> Result<Vec<Metadata>, Error> {
    let mut pages = Pages::new(cluster, resource, namespace, selector);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await? {
        found.extend(page);
    }
    Ok(found)
}

/// A list of metadata that comes in pages.
pub(crate) struct Pages<'a> {
    cluster: &'a Cluster,
    path: String,
    size: u32,
    /// Where the next page begins; none after the last.
    next: Option<String>,
    version: String,
    /// Bytes of the pages so far.
    bytes: usize,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        cluster: &'a Cluster,
        resource: &Resource,
        namespace: &str,
        selector: &str,
    ) -> Self {
        let path = format!(
            "{}?labelSelector={}",
            resource.collection_path(namespace),
            query_value(selector)
        );
        Self {
            cluster,
            path,
            size: PAGE,
            next: Some(String::new()),
            version: String::new(),
            bytes: 0,
        }
    }

    /// Sets how many objects a page holds at the most.
    pub(crate) fn of(mut self, size: u32) -> Self {
        self.size = size;
        self
    }

    /// Returns the next page, `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Metadata>>, Error> {
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        let mut path = format!("{}&limit={}", self.path, self.size);
        if !next.is_empty() {
            path.push_str("&continue=");
            path.push_str(&query_value(&next));
        }
        let permit = self.cluster.permit().await;
        let (_, body) = Call::get(path, METADATA_LIST)
            .send(self.cluster.client())
            .await?;
        drop(permit);
        let broken = |source| Error::Answer {
            action: "a list of metadata",
            source,
        };
        self.bytes = self.bytes.saturating_add(body.len());
        if self.bytes > LARGEST {
            return Err(broken(serde::de::Error::custom(
                "it is larger than 256 MiB",
            )));
        }
        let page: List = serde_json::from_slice(&body).map_err(broken)?;
        self.version = page.metadata.resource_version;
        self.next = Some(page.metadata.r#continue).filter(|next| !next.is_empty());
        let items = page.items.into_iter().flatten();
        Ok(Some(items.map(|item| item.metadata).collect()))
    }

    /// Returns the version that the list is of.
    pub(crate) fn into_version(self) -> String {
        self.version
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
