//! `install`: the controller, its kinds and its permissions.

use k8s_openapi::{
    api::apps::v1::Deployment,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api,
    runtime::{conditions, wait::await_condition},
};

use super::{create::write::Written, version::DEPLOYMENT};
use crate::{
    args::{Connection, DryRun, InstallArgs, Patience},
    cluster::Cluster,
    error::Error,
    manifests, output,
    streams::Streams,
};

/// Applies the installation and waits until the controller is ready.
pub(crate) async fn run(
    args: &InstallArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let manifests = manifests::render(args.image.as_deref())?;
    if args.export {
        return streams.data(&output::yaml_stream(&manifests));
    }
    let objects = manifests.into_iter().map(Written::manifest);
    if args.dry_run == Some(DryRun::Client) {
        let mut objects = objects;
        return objects.try_for_each(|object| {
            streams.line(format_args!("{} created (dry run)", object.reference()))
        });
    }
    let cluster = Cluster::connect(connection).await?;
    if args.dry_run.is_some() {
        return try_out(objects, &cluster, streams).await;
    }
    for object in objects {
        let change = object.apply(&cluster).await?;
        streams.line(format_args!("{} {change}", object.reference()))?;
    }
    if args.patience.no_wait {
        return Ok(());
    }
    ready(&cluster, args.patience, streams).await?;
    streams.say("the controller is ready");
    streams.hint("say where the desired state is: kubectl flux create git NAME --url …");
    Ok(())
}

/// Says what the API server would do with each object.
async fn try_out(
    objects: impl Iterator<Item = Written>,
    cluster: &Cluster,
    streams: &mut Streams,
) -> Result<(), Error> {
    for object in objects {
        // What is in the namespace of the installation cannot be tried before that is there.
        let change = object.try_out(cluster).await?.unwrap_or("created");
        streams.line(format_args!(
            "{} {change} (server dry run)",
            object.reference()
        ))?;
    }
    Ok(())
}

async fn ready(cluster: &Cluster, patience: Patience, streams: &mut Streams) -> Result<(), Error> {
    streams.say("waiting for the controller to be ready");
    let waiting = async {
        let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
        for definition in flux_crds::definitions() {
            let name = definition.metadata.name.unwrap_or_default();
            await_condition(definitions.clone(), &name, conditions::is_crd_established()).await?;
        }
        let deployments: Api<Deployment> = Api::namespaced(
            cluster.client.clone(),
            flux_crds::names::CONTROLLER_NAMESPACE,
        );
        await_condition(
            deployments,
            DEPLOYMENT,
            conditions::is_deployment_completed(),
        )
        .await
    };
    match tokio::time::timeout(patience.timeout, waiting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Failed(format!(
            "cannot wait for the controller: {error}"
        ))),
        Err(_) => Err(Error::NotReady {
            what: "the controller".into(),
            limit: crate::age::limit(patience.timeout),
            hint: "see why: kubectl -n flux-system describe pods".into(),
        }),
    }
}
