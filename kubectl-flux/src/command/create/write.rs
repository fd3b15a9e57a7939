//! Where created objects go: to stdout, or to the API server.

use std::{collections::BTreeMap, time::Duration};

use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::{conditions, wait::await_condition},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{Connection, DryRun, WriteArgs},
    cluster::{Cluster, FIELD_MANAGER},
    error::Error,
    output,
    streams::Streams,
};

#[cfg(test)]
mod tests;

/// An object that is about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    resource: ApiResource,
    is_namespaced: bool,
    manifest: Value,
}

impl Written {
    /// Takes an object that lives in a namespace.
    pub(crate) fn namespaced<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Self {
        Self::of(object, true)
    }

    /// Takes an object that lives in none.
    pub(crate) fn cluster_wide<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Self {
        Self::of(object, false)
    }

    fn of<K: Resource<DynamicType = ()> + Serialize>(object: &K, is_namespaced: bool) -> Self {
        // Typed objects have string keys throughout, which is all that their serialisation can fail on.
        let manifest = serde_json::to_value(object).unwrap_or_default();
        Self {
            resource: ApiResource::erase::<K>(&()),
            is_namespaced,
            manifest,
        }
    }

    /// Takes a manifest of one of the kinds that Kubernetes or this project has; they follow the rule of plurals.
    pub(crate) fn manifest(manifest: Value) -> Self {
        let text = |field: &str| {
            manifest
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (group, version) = text("apiVersion")
            .split_once('/')
            .unwrap_or(("", text("apiVersion")));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
        let is_namespaced = manifest.pointer("/metadata/namespace").is_some();
        Self {
            resource,
            is_namespaced,
            manifest,
        }
    }

    /// Returns whether it is of this kind.
    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        self.resource.kind == kind
    }

    /// Fills in what flags say about every object.
    fn complete(&mut self, namespace: Option<&str>, labels: &[(String, String)]) {
        let Some(metadata) = self
            .manifest
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        if let Some(namespace) = namespace.filter(|_| self.is_namespaced) {
            metadata
                .entry("namespace")
                .or_insert_with(|| namespace.into());
        }
        if !labels.is_empty() {
            let pairs = metadata
                .entry("labels")
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            for (key, value) in labels {
                pairs[key] = Value::from(value.as_str());
            }
        }
    }

    fn text(&self, field: &str) -> &str {
        self.manifest
            .pointer(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns `kind.group/name`.
    pub(crate) fn reference(&self) -> String {
        let kind = self.resource.kind.to_ascii_lowercase();
        let name = self.text("/metadata/name");
        if self.resource.group.is_empty() {
            format!("{kind}/{name}")
        } else {
            format!("{kind}.{}/{name}", self.resource.group)
        }
    }

    fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        if self.is_namespaced {
            Api::namespaced_with(
                cluster.client.clone(),
                self.text("/metadata/namespace"),
                &self.resource,
            )
        } else {
            Api::all_with(cluster.client.clone(), &self.resource)
        }
    }

    /// Applies it and says what that changed.
    pub(crate) async fn apply(&self, cluster: &Cluster) -> Result<&'static str, Error> {
        self.write(cluster, false).await
    }

    /// Lets the API server say what applying it would change; `None` if its namespace is not there yet.
    pub(crate) async fn try_out(&self, cluster: &Cluster) -> Result<Option<&'static str>, Error> {
        match self.write(cluster, true).await {
            Err(Error::Api {
                source: kube::Error::Api(status),
                ..
            }) if status.code == 404 && self.is_namespaced => Ok(None),
            result => result.map(Some),
        }
    }

    async fn write(&self, cluster: &Cluster, dry_run: bool) -> Result<&'static str, Error> {
        let api = self.api(cluster);
        let name = self.text("/metadata/name");
        let before = api
            .get_metadata_opt(name)
            .await
            .map_err(Error::api(format!("get {}", self.reference())))?;
        // What earlier flags set and these do not must go again, so the whole object is ours.
        let parameters = PatchParams {
            dry_run,
            force: true,
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let after = api
            .patch(name, &parameters, &Patch::Apply(&self.manifest))
            .await;
        let after = after.map_err(Error::api(format!("apply {}", self.reference())))?;
        Ok(match before {
            None => "created",
            Some(before) if before.resource_version() == after.resource_version() => "unchanged",
            Some(_) => "configured",
        })
    }

    /// Deletes it and tells whether it was there.
    pub(crate) async fn delete(&self, cluster: &Cluster) -> Result<bool, Error> {
        match self
            .api(cluster)
            .delete(self.text("/metadata/name"), &DeleteParams::background())
            .await
        {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(source) => Err(Error::Api {
                action: format!("delete {}", self.reference()),
                source,
            }),
        }
    }

    /// Waits until it is gone.
    pub(crate) async fn gone(&self, cluster: &Cluster, limit: Duration) -> Result<(), Error> {
        let api = self.api(cluster);
        let name = self.text("/metadata/name");
        let found = api
            .get_metadata_opt(name)
            .await
            .map_err(Error::api(format!("get {}", self.reference())))?;
        let Some(uid) = found.and_then(|object| object.metadata.uid) else {
            return Ok(());
        };
        let what = format!("the deletion of {}", self.reference());
        match tokio::time::timeout(
            limit,
            await_condition(api, name, conditions::is_deleted(&uid)),
        )
        .await
        {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::Failed(format!("cannot wait for {what}: {error}"))),
            Err(_) => Err(Error::TimedOut {
                what,
                limit: crate::age::limit(limit),
            }),
        }
    }
}

/// Writes the objects where the flags say.
pub(crate) async fn objects(
    mut objects: Vec<Written>,
    write: &WriteArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    if write.export {
        complete_all(&mut objects, connection.namespace.as_deref(), &write.labels);
        let manifests: Vec<_> = objects
            .into_iter()
            .map(|object| output::in_reading_order(object.manifest))
            .collect();
        return streams.data(&output::yaml_stream(&manifests));
    }
    if write.dry_run == Some(DryRun::Client) {
        return objects.iter().try_for_each(|object| {
            streams.line(format_args!("{} created (dry run)", object.reference()))
        });
    }
    let cluster = Cluster::connect(connection).await?;
    complete_all(&mut objects, Some(&cluster.namespace), &write.labels);
    for object in &objects {
        let change = object.write(&cluster, write.dry_run.is_some()).await?;
        let suffix = if write.dry_run.is_some() {
            " (server dry run)"
        } else {
            ""
        };
        streams.line(format_args!("{} {change}{suffix}", object.reference()))?;
    }
    Ok(())
}

fn complete_all(objects: &mut [Written], namespace: Option<&str>, labels: &[(String, String)]) {
    let labels: Vec<_> = labels
        .iter()
        .cloned()
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect();
    for object in objects {
        object.complete(namespace, &labels);
    }
}
