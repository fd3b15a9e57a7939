//! Every write to a target object: server-side apply, its dry-run, deletion.

use flux_core::live::Metadata;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::live::{self, MetadataOnly};
use super::request::{APPLY_PATCH, Call, JSON, JSON_PATCH, METADATA};
use super::{Cluster, Error, Rejection, Resource};

/// One object as it goes over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// How to address it.
    pub resource: &'a Resource,
    /// Namespace, empty for a cluster-scoped object.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// The object as JSON.
    pub body: &'a [u8],
}

/// What the API server made, or would make, of an applied object.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the object did not exist before.
    pub created: bool,
    /// Its metadata afterwards.
    pub metadata: Metadata,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Dry,
    Real,
}

/// Asks the API server, admission included, what an apply would do. Writes nothing.
pub async fn dry_run(cluster: &Cluster, payload: Payload<'_>) -> Result<Outcome, Error> {
    let body = patch(cluster, payload, Mode::Dry, METADATA).await?;
    outcome(body)
}

/// Like [`dry_run`], but returns the whole object as it would become.
pub async fn preview(cluster: &Cluster, payload: Payload<'_>) -> Result<Value, Error> {
    let (_, body) = patch(cluster, payload, Mode::Dry, JSON).await?;
    serde_json::from_slice(&body).map_err(|source| Error::Answer {
        action: "a dry-run",
        source,
    })
}

/// Applies the object as manager `flux` and takes the fields from whoever has them.
pub async fn apply(cluster: &Cluster, payload: Payload<'_>) -> Result<Outcome, Error> {
    let body = patch(cluster, payload, Mode::Real, METADATA).await?;
    outcome(body)
}

fn outcome((code, body): (StatusCode, Vec<u8>)) -> Result<Outcome, Error> {
    let object: MetadataOnly = serde_json::from_slice(&body).map_err(|source| Error::Answer {
        action: "an apply",
        source,
    })?;
    Ok(Outcome {
        created: code == StatusCode::CREATED,
        metadata: object.metadata,
    })
}

async fn patch(
    cluster: &Cluster,
    payload: Payload<'_>,
    mode: Mode,
    accept: &'static str,
) -> Result<(StatusCode, Vec<u8>), Error> {
    let dry = if mode == Mode::Dry { "&dryRun=All" } else { "" };
    let path = format!(
        "{}?fieldManager={}&force=true&fieldValidation=Strict{dry}",
        payload
            .resource
            .object_path(payload.namespace, payload.name),
        flux_crds::names::FIELD_MANAGER,
    );
    let call = Call {
        method: Method::PATCH,
        path,
        accept,
        content_type: APPLY_PATCH,
        body: payload.body.to_vec(),
    };
    let _permit = cluster.permit().await;
    match call.send(cluster.client()).await {
        Err(error) if error.is_not_found() && !is_missing_namespace(&error) => {
            // An apply creates what does not exist, so what is missing is the kind: its definition went since we learned it.
            cluster.kinds().forget(payload.resource);
            Err(Error::UnknownKind {
                api_version: payload.resource.api_version(),
                kind: payload.resource.kind.to_string(),
            })
        }
        answer => answer,
    }
}

fn is_missing_namespace(error: &Error) -> bool {
    error
        .rejection()
        .is_some_and(Rejection::is_missing_namespace)
}

/// Changes metadata by a JSON patch: folds the fields of other managers into ours before an apply.
pub async fn patch_metadata(
    cluster: &Cluster,
    payload: Payload<'_>,
    operations: &Value,
) -> Result<Metadata, Error> {
    let path = format!(
        "{}?fieldManager={}",
        payload
            .resource
            .object_path(payload.namespace, payload.name),
        flux_crds::names::FIELD_MANAGER
    );
    let body = operations.to_string().into_bytes();
    let call = Call {
        method: Method::PATCH,
        path,
        accept: METADATA,
        content_type: JSON_PATCH,
        body,
    };
    let _permit = cluster.permit().await;
    let answer = call.send(cluster.client()).await?;
    outcome(answer).map(|outcome| outcome.metadata)
}

/// What became of an object that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The API server accepted the deletion.
    Deleted,
    /// There was nothing to delete, or another object has the name by now.
    Gone,
}

/// Deletes exactly the object with this uid; its dependents follow in the background.
///
/// An object that is gone already, also together with its kind, counts as deleted.
pub async fn delete(
    cluster: &Cluster,
    resource: &Resource,
    metadata: &Metadata,
) -> Result<Deletion, Error> {
    let options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        "preconditions": {"uid": metadata.uid},
    });
    let call = Call {
        method: Method::DELETE,
        path: resource.object_path(&metadata.namespace, &metadata.name),
        accept: JSON,
        content_type: JSON,
        body: options.to_string().into_bytes(),
    };
    let permit = cluster.permit().await;
    let answer = call.send(cluster.client()).await;
    drop(permit);
    match answer {
        Ok(_) => Ok(Deletion::Deleted),
        Err(error) if error.is_not_found() => Ok(Deletion::Gone),
        Err(error) if error.is_conflict() && has_gone(cluster, resource, metadata).await? => {
            Ok(Deletion::Gone)
        }
        Err(error) => Err(error),
    }
}

/// Tells whether a deletion met a conflict because the object that we knew is gone; its successor is not ours to delete.
///
/// Webhooks refuse with the same code, and so does an API server that is busy with the object: taken for gone, it would be
/// forgotten and stay for ever.
async fn has_gone(
    cluster: &Cluster,
    resource: &Resource,
    metadata: &Metadata,
) -> Result<bool, Error> {
    let live = live::get(cluster, resource, &metadata.namespace, &metadata.name).await?;
    Ok(live.is_none_or(|live| live.uid != metadata.uid))
}
