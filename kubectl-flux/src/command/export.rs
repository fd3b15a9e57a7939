//! `export`: objects as YAML that can be committed and applied again.

use flux_crds::names;
use serde_json::Value;

use crate::{
    args::{Connection, ExportArgs},
    cluster::{Cluster, Scope},
    error::Error,
    kind::Selection,
    output,
    resource::Resource,
    streams::Streams,
};

/// Prints what a person wrote of the selected objects, and nothing that the cluster added.
pub(crate) async fn run(
    args: &ExportArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let selection = Selection::read(&args.resources)?;
    let cluster = &Cluster::connect(connection).await?;
    let objects = cluster
        .select(
            &selection,
            Scope::of(args.all_namespaces),
            args.selector.as_deref(),
        )
        .await?;
    let mut values = Vec::with_capacity(objects.len());
    for (kind, object) in &objects {
        let resource = Resource::read(*kind, object)?;
        values.push(manifest(&resource).map_err(|source| Error::Decode {
            object: kind.reference(resource.name()),
            source,
        })?);
    }
    if values.is_empty() {
        streams.say("no objects found");
    }
    streams.data(&output::yaml_stream(&values))
}

/// Returns the manifest of an object: its type, name, labels, annotations and spec.
pub(crate) fn manifest(resource: &Resource) -> Result<Value, serde_json::Error> {
    let whole = match resource {
        Resource::GitRepository(repository) => serde_json::to_value(repository),
        Resource::Sync(sync) => serde_json::to_value(sync),
        Resource::ImagePolicy(policy) => serde_json::to_value(policy),
    }?;
    Ok(written(whole))
}

/// Keeps what a person writes, in the order that people write it.
fn written(mut whole: Value) -> Value {
    let Some(object) = whole.as_object_mut() else {
        return whole;
    };
    object.remove("status");
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        retain(metadata, "labels", |key| {
            key != names::LABEL_SYNC && key != names::LABEL_SYNC_NAMESPACE
        });
        retain(metadata, "annotations", |key| {
            key != names::RECONCILE && key != names::FULL && key != LAST_APPLIED
        });
        metadata.retain(|key, _| {
            matches!(
                key.as_str(),
                "name" | "namespace" | "labels" | "annotations"
            )
        });
    }
    output::in_reading_order(whole)
}

/// What `kubectl apply` writes down for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn retain(
    metadata: &mut serde_json::Map<String, Value>,
    field: &str,
    is_kept: impl Fn(&str) -> bool,
) {
    let Some(pairs) = metadata.get_mut(field).and_then(Value::as_object_mut) else {
        return;
    };
    pairs.retain(|key, _| is_kept(key));
    if pairs.is_empty() {
        metadata.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::{Sync, SyncStatus};

    use super::*;

    #[test]
    fn only_what_a_person_wrote_is_exported() {
        let mut sync = Sync::test().with_path("./deploy");
        sync.metadata.uid = Some("1f".into());
        sync.metadata.generation = Some(3);
        sync.metadata.annotations = Some(
            [
                ("flux.rs/reconcile".into(), "now".into()),
                ("team".into(), "shop".into()),
            ]
            .into(),
        );
        sync.metadata.labels = Some([("flux.rs/sync".into(), "parent".into())].into());
        sync.status = Some(SyncStatus::default());
        let manifest = manifest(&Resource::Sync(Box::new(sync))).expect("a manifest");
        insta::assert_snapshot!(flux_kustomize::to_yaml(&manifest), @r"
        apiVersion: flux.rs/v1alpha1
        kind: Sync
        metadata:
          name: apps
          namespace: default
          annotations:
            team: shop
        spec:
          sourceRef:
            name: fleet
          path: ./deploy
        ");
    }
}
