//! Which kinds of a build live in a namespace.

use flux_core::desire::{self, Scope, Scopes};
use flux_kustomize::Object;

use super::{Cluster, Error};

/// Returns the scope of each kind of a build: what its own definitions say, else what the cluster serves. A kind that nobody
/// knows has none; its dry-run is refused with the right words.
pub async fn scopes(cluster: &Cluster, objects: &[Object]) -> Result<Scopes, Error> {
    let mut scopes = desire::brought_scopes(objects);
    for (api_version, kind) in desire::kinds(objects) {
        if scopes.contains_key(&(api_version.clone(), kind.clone())) {
            continue;
        }
        match cluster.resolve(&api_version, &kind).await {
            Ok(resource) => {
                let scope = if resource.namespaced {
                    Scope::Namespaced
                } else {
                    Scope::Cluster
                };
                scopes.insert((api_version, kind), scope);
            }
            Err(Error::UnknownKind { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(scopes)
}
