//! The cluster that a Sync writes to, and who it is there.
//!
//! At home a Sync acts as a service account of its namespace, always. On a cluster that `spec.kubeConfig` names it acts as the
//! kubeconfig's own identity, or as `spec.serviceAccountName` of the namespace of the same name there. What it reads beside
//! its files, the kubeconfig included, it reads at home and through its account at home.

use std::sync::Arc;

use flux_crds::sync::KubeConfig;
use flux_crds::{Reason, Sync};
use flux_engine::cluster::remote::Unusable;
use flux_engine::cluster::{self, Actor, Class, Cluster};
use flux_engine::inputs::{self, Reference, Version, read_kubeconfig};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PartialObjectMeta;
use kube::{Api, Client};

use super::gather::account;
use super::halt::Halt;
use crate::context::Context;
use crate::key::Key;
use crate::remotes::{Remote, Source};
use crate::report::chain;

/// Where the objects of a Sync live.
pub(crate) struct Target {
    /// The cluster through the rights that the Sync has there.
    pub(crate) cluster: Cluster,
    /// The connection to it, if it is another one.
    pub(crate) remote: Option<Arc<Remote>>,
    /// The state of the Secret that names it.
    pub(crate) read: Option<(Reference, Version)>,
}

/// Why there is no way to another cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The kubeconfig cannot be read, or is refused.
    #[error(transparent)]
    KubeConfig(inputs::Error),
    /// The kubeconfig cannot be used.
    #[error("Secret {secret} of spec.kubeConfig")]
    Unusable {
        /// The Secret.
        secret: Key,
        /// Why.
        #[source]
        source: Unusable,
    },
    /// The cluster does not know the credentials.
    #[error("the cluster of Secret {secret} does not accept its credentials")]
    Credentials {
        /// The Secret.
        secret: Key,
    },
    /// The cluster answers, but not as an API server does. What it says is left out: it may be any server.
    #[error("the server of Secret {secret} answers {code} to a question for its version")]
    Answer {
        /// The Secret.
        secret: Key,
        /// The HTTP status code.
        code: u16,
    },
    /// The cluster does not answer.
    #[error("the cluster of Secret {secret} cannot be reached")]
    Unreachable {
        /// The Secret.
        secret: Key,
        /// Why.
        #[source]
        source: cluster::Error,
    },
}

impl Target {
    /// Finds the cluster of a Sync, and asks it for its version if it is another: one that is away must be seen here, before
    /// anybody waits for it.
    pub(crate) async fn of(context: &Context, sync: &Sync) -> Result<Self, Error> {
        let Some(spec) = &sync.spec.kube_config else {
            return Ok(Self {
                cluster: context.cluster(account(context, sync)),
                remote: None,
                read: None,
            });
        };
        let source = source(sync, spec);
        let secret = source.secret.clone();
        let (remote, read) = remote(context, sync, spec, source).await?;
        let probed = remote.connection().probe().await;
        probed.map_err(|error| refused(secret, error))?;
        Ok(Self {
            cluster: remote.cluster(actor(sync)),
            remote: Some(remote),
            read: Some(read),
        })
    }

    /// Tells whether the account to act as does not exist where the objects live. Any doubt means that it does.
    pub(crate) async fn lacks_account(&self, context: &Context) -> bool {
        let client = self
            .remote
            .as_ref()
            .map_or(&context.client, |remote| remote.connection().client());
        is_gone(client, self.cluster.actor()).await
    }
}

/// Tells whether a service account does not exist. Any doubt means that it does.
pub(crate) async fn is_gone(client: &Client, account: &Actor) -> bool {
    let Actor::ServiceAccount { namespace, name } = account else {
        return false;
    };
    let api: Api<PartialObjectMeta<ServiceAccount>> = Api::namespaced(client.clone(), namespace);
    matches!(api.get_metadata_opt(name).await, Ok(None))
}

/// Returns the kubeconfig that a Sync names.
fn source(sync: &Sync, KubeConfig { secret_ref }: &KubeConfig) -> Source {
    let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
    Source {
        secret: Key::new(namespace, &secret_ref.name),
        key: secret_ref.key.clone(),
    }
}

/// Returns the kubeconfig that a Sync names, if its objects live on another cluster.
pub(crate) fn place(sync: &Sync) -> Option<Source> {
    let spec = sync.spec.kube_config.as_ref()?;
    Some(source(sync, spec))
}

/// Returns who a Sync is on another cluster.
fn actor(sync: &Sync) -> Actor {
    let named = sync.spec.service_account_name.clone();
    named.map_or(Actor::Own, |name| Actor::ServiceAccount {
        namespace: sync.metadata.namespace.clone().unwrap_or_default(),
        name,
    })
}

async fn remote(
    context: &Context,
    sync: &Sync,
    spec: &KubeConfig,
    source: Source,
) -> Result<(Arc<Remote>, (Reference, Version)), Error> {
    let home = context.cluster(account(context, sync));
    let read = read_kubeconfig(home.client(), &source.secret.namespace, spec).await;
    let (kubeconfig, read) = read.map_err(Error::KubeConfig)?;
    let secret = source.secret.clone();
    let remote = context.remotes.of(source, read.1.clone(), &kubeconfig);
    match remote.await {
        Ok(remote) => Ok((remote, read)),
        Err(source) => Err(Error::Unusable { secret, source }),
    }
}

fn refused(secret: Key, error: cluster::Error) -> Error {
    match error.rejection().map(|rejection| rejection.code) {
        Some(401) => Error::Credentials { secret },
        Some(code) => Error::Answer { secret, code },
        None => Error::Unreachable {
            secret,
            source: error,
        },
    }
}

impl Error {
    /// Tells whether the Secret does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::KubeConfig(inputs::Error::Missing { .. }))
    }

    /// Tells whether the account at home may not read the Secret.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(
            self,
            Self::KubeConfig(inputs::Error::Read { source: kube::Error::Api(status), .. }) if status.code == 403
        )
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        let message = chain(&error);
        match &error {
            Error::KubeConfig(error) => super::inputs::explain(error),
            Error::Unusable { .. } | Error::Credentials { .. } => {
                Self::failed(Reason::SecretInvalid, message)
            }
            Error::Answer { code, .. } if !(*code == 429 || *code >= 500) => {
                Self::failed(Reason::ClusterUnreachable, message)
            }
            Error::Answer { .. } => Self::transient(Reason::ClusterUnreachable, message),
            Error::Unreachable { source, .. } => match source.class() {
                Class::Transient => Self::transient(Reason::ClusterUnreachable, message),
                Class::Permanent => Self::failed(Reason::ClusterUnreachable, message),
            },
        }
    }
}
