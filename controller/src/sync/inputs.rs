//! Reads what a Sync builds with beside its files, once a reconcile and through the account of the Sync: what the account may
//! not read, nobody can make a Sync show.

use std::collections::BTreeMap;

use flux_core::inputs::Inputs;
use flux_crds::sync::VariableSourceKind;
use flux_crds::{Reason, Sync};
use flux_engine::cluster::Cluster;
use flux_engine::inputs::{self, Error, Reference, Version};

use super::halt::Halt;
use crate::report::chain;

/// Reads the inputs, and which states of the ConfigMaps and Secrets they are.
pub(crate) async fn read(
    sync: &Sync,
    cluster: &Cluster,
) -> Result<(Inputs, BTreeMap<Reference, Version>), Halt> {
    let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
    let read = inputs::read(cluster.client(), namespace, &sync.spec).await;
    read.map_err(|error| explain(&error))
}

/// Says what to do about inputs that cannot be read.
pub(crate) fn explain(error: &Error) -> Halt {
    let message = chain(error);
    match error {
        Error::Missing { reference, .. } => {
            let reason = match reference.kind {
                VariableSourceKind::ConfigMap => Reason::ConfigMapNotFound,
                VariableSourceKind::Secret => Reason::SecretNotFound,
            };
            Halt::transient(reason, message)
        }
        Error::Read { source, .. } => match source {
            kube::Error::Api(status) if status.code == 403 => {
                Halt::failed(Reason::AccessDenied, message)
            }
            _ => Halt::transient(Reason::ClusterUnreachable, message),
        },
        Error::Keys { .. } | Error::KubeConfig { .. } => {
            Halt::failed(Reason::SecretInvalid, message)
        }
        Error::Variable(_) => Halt::stalled(Reason::InvalidSpec, message),
    }
}
