//! Finds workloads and image policies in a cluster.

use flux_crds::ImagePolicy;
use kube::{
    Api,
    api::ListParams,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};

use super::{Workload, WorkloadKind};
use crate::{
    cluster::{Cluster, Scope},
    error::Error,
    kind::Kind,
    resource::{self, Resource},
};

/// Returns all workloads, sorted by their names.
pub(crate) async fn workloads(cluster: &Cluster, scope: Scope) -> Result<Vec<Workload>, Error> {
    let mut found = Vec::new();
    for kind in WorkloadKind::ALL {
        let name = kind.in_manifests();
        let mut resource = ApiResource::from_gvk(&GroupVersionKind::gvk(kind.group(), "v1", name));
        resource.plural = name.to_ascii_lowercase() + "s";
        let api: Api<DynamicObject> = match scope {
            Scope::All => Api::all_with(cluster.client.clone(), &resource),
            Scope::Namespace => {
                Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &resource)
            }
        };
        let list = api.list(&ListParams::default()).await;
        let list = list.map_err(Error::api(format!("list the {}", resource.plural)))?;
        for mut object in list.items {
            object.types.get_or_insert(kube::core::TypeMeta {
                api_version: resource.api_version.clone(),
                kind: resource.kind.clone(),
            });
            let value = resource::value(&object).map_err(|source| Error::Decode {
                object: format!(
                    "{}/{}",
                    resource.plural,
                    object.metadata.name.unwrap_or_default()
                ),
                source,
            })?;
            found.push(Workload::read(kind, value));
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Returns all image policies that the caller may see.
pub(crate) async fn image_policies(cluster: &Cluster) -> Result<Vec<ImagePolicy>, Error> {
    let objects = match cluster.list(Kind::ImagePolicy, Scope::All, None).await {
        Err(Error::Api {
            source: kube::Error::Api(status),
            ..
        }) if status.code == 403 => {
            cluster
                .list(Kind::ImagePolicy, Scope::Namespace, None)
                .await?
        }
        objects => objects?,
    };
    let mut policies = Vec::with_capacity(objects.len());
    for object in objects {
        if let Resource::ImagePolicy(policy) = Resource::read(Kind::ImagePolicy, &object)? {
            policies.push(*policy);
        }
    }
    Ok(policies)
}
