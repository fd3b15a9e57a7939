//! Secrets that our objects name, read one by one with the controller's own rights.

use std::collections::BTreeMap;

use flux_core::conclude::{Finding, Outcome};
use flux_crds::Reason;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::context::Context;
use crate::report::chain;

/// The keys of a Secret.
pub(crate) type Data = BTreeMap<String, Vec<u8>>;

/// Returns what a Secret holds, or the outcome of an object that cannot go on without it.
pub(crate) async fn read(context: &Context, namespace: &str, name: &str) -> Result<Data, Outcome> {
    read_with(&context.client, namespace, name).await
}

/// As [`read`], for those who work without a context.
pub(crate) async fn read_with(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Data, Outcome> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    match api.get_opt(name).await {
        Ok(Some(secret)) => Ok(secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, value.0))
            .collect()),
        Ok(None) => {
            let message = format!("Secret {namespace}/{name} does not exist");
            Err(Outcome::Transient(Finding::new(
                Reason::SecretNotFound,
                message,
            )))
        }
        Err(error) => {
            let message = format!(
                "failed to read Secret {namespace}/{name}: {}",
                chain(&error)
            );
            Err(Outcome::Transient(Finding::new(
                Reason::ClusterUnreachable,
                message,
            )))
        }
    }
}
