//! `version`.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::json;

use crate::{
    args::{Connection, VersionArgs},
    cluster::Cluster,
    error::Error,
    output::{self, Format},
    streams::Streams,
};

/// The version of this plugin.
pub(crate) const CLIENT: &str = env!("CARGO_PKG_VERSION");
/// The name of the controller's Deployment.
pub(crate) const DEPLOYMENT: &str = "flux-controller";

/// Prints the versions of this plugin and of the controller.
pub(crate) async fn run(
    args: &VersionArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let controller = if args.client {
        None
    } else {
        Some(controller(&Cluster::connect(connection).await?).await?)
    };
    let client = format!("v{CLIENT}");
    match args.output {
        Format::Json | Format::Yaml => {
            let mut value = json!({"client": client});
            if let Some(controller) = controller {
                value["controller"] = json!(controller);
            }
            streams.data(&if args.output == Format::Json {
                output::json(&value)
            } else {
                flux_kustomize::to_yaml(&value)
            })
        }
        Format::Table | Format::Wide | Format::Name => {
            streams.line(format_args!("client: {client}"))?;
            match controller {
                Some(Some(version)) => streams.line(format_args!("controller: {version}")),
                Some(None) => {
                    streams.say("the controller is not installed");
                    streams.hint("install it: kubectl flux install");
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }
}

/// Returns the tag or digest of the image that the installed controller runs.
async fn controller(cluster: &Cluster) -> Result<Option<String>, Error> {
    let api: Api<Deployment> = Api::namespaced(
        cluster.client.clone(),
        flux_crds::names::CONTROLLER_NAMESPACE,
    );
    let deployment = api
        .get_opt(DEPLOYMENT)
        .await
        .map_err(Error::api("get the controller's Deployment"))?;
    Ok(deployment
        .as_ref()
        .and_then(image)
        .map(|image| tag(&image).to_owned()))
}

/// Returns the image of the controller's container.
pub(crate) fn image(deployment: &Deployment) -> Option<String> {
    deployment
        .spec
        .template
        .spec
        .as_ref()?
        .containers
        .first()?
        .image
        .clone()
}

fn tag(image: &str) -> &str {
    let after_registry = image.rfind('/').map_or(0, |slash| slash + 1);
    let (_, name) = image.split_at(after_registry);
    name.split_once(['@', ':']).map_or("latest", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_what_follows_the_name_of_the_image() {
        assert_eq!(tag("ghcr.io/flux-rs/flux-controller:v0.1.0"), "v0.1.0");
        assert_eq!(tag("localhost:5000/flux-controller"), "latest");
        assert_eq!(tag("flux@sha256:00"), "sha256:00");
    }
}
