//! What a controller out of the cluster needs in it: the namespace, the kinds, the permissions.

use anyhow::{Context, Result, bail};
use flux_kustomize::{DirectoryTree, Options, build};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    discovery,
};

use crate::{binaries::workspace, wait};

/// The namespace of the controller.
pub const NAMESPACE: &str = "flux-system";

/// The user that the controller's pod is to the API server.
pub const CONTROLLER_USER: &str = "system:serviceaccount:flux-system:flux-controller";

/// Applies the namespace, the kinds and the permissions of `config/`, and waits until the kinds are served.
pub async fn prerequisites(client: &Client) -> Result<()> {
    apply_base(client, "config/namespace").await?;
    definitions(client).await?;
    apply_base(client, "config/rbac").await
}

/// Applies the definitions of the three kinds and waits until they are served.
pub async fn definitions(client: &Client) -> Result<()> {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    let definitions = flux_crds::definitions();
    for definition in &definitions {
        let name = definition.metadata.name.as_deref().unwrap_or_default();
        let applied = api
            .patch(name, &parameters(), &Patch::Apply(definition))
            .await;
        applied.with_context(|| format!("apply the definition {name}"))?;
    }
    for definition in &definitions {
        let name = definition.metadata.name.as_deref().unwrap_or_default();
        wait::until(&api, name, "is established", |found| {
            wait::condition(found, "Established").is_some_and(|c| c.holds)
        })
        .await?;
    }
    Ok(())
}

/// Builds one of the repository's own kustomizations and applies it in order.
async fn apply_base(client: &Client, path: &str) -> Result<()> {
    let built = match build(&DirectoryTree::new(workspace()), path, &Options::default()) {
        Ok(built) => built,
        Err(failure) => bail!("build {path}: {failure}"),
    };
    for object in built.objects {
        let object: DynamicObject =
            serde_json::from_value(object.value).with_context(|| format!("read {path}"))?;
        apply(client, &object).await?;
    }
    Ok(())
}

/// Applies any object by server-side apply.
pub async fn apply(client: &Client, object: &DynamicObject) -> Result<DynamicObject> {
    let types = object.types.clone().context("the object has no kind")?;
    let kind = (&types)
        .try_into()
        .with_context(|| format!("read the kind {}", types.kind))?;
    let found = discovery::pinned_kind(client, &kind).await;
    let (resource, _): (ApiResource, _) =
        found.with_context(|| format!("find the kind {}", types.kind))?;
    let api: Api<DynamicObject> = match object.metadata.namespace.as_deref() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let applied = api.patch(name, &parameters(), &Patch::Apply(object)).await;
    applied.with_context(|| format!("apply {} {name}", types.kind))
}

fn parameters() -> PatchParams {
    PatchParams::apply("flux-e2e").force()
}
