//! Finds workloads and image policies in a cluster.

use flux_crds::ImagePolicy;
use kube::{Api, api::ListParams, core::DynamicObject};

use super::{Workload, WorkloadKind, elsewhere::api_resource};
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
        let resource = api_resource(kind);
        let api: Api<DynamicObject> = match scope {
            Scope::All => Api::all_with(cluster.client.clone(), &resource),
            Scope::Namespace => {
                Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &resource)
            }
        };
        let list = api.list(&ListParams::default()).await;
        if kind.is_optional() && list.as_ref().is_err_and(is_not_there) {
            continue;
        }
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

/// Tells whether a kind is not served, or not to this person: who may not list it is refused before anybody looks.
fn is_not_there(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if [403, 404].contains(&status.code))
}

/// Returns all image policies that the caller may see.
pub(crate) async fn image_policies(cluster: &Cluster) -> Result<Vec<ImagePolicy>, Error> {
    let objects = cluster.list_visible(Kind::ImagePolicy).await?;
    let mut policies = Vec::with_capacity(objects.len());
    for object in objects {
        if let Resource::ImagePolicy(policy) = Resource::read(Kind::ImagePolicy, &object)? {
            policies.push(*policy);
        }
    }
    Ok(policies)
}
