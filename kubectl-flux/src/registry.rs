//! The way to registries, with what the caller may read of the cluster's credentials.

use std::collections::BTreeMap;

use flux_core::image::Name;
use flux_crds::ImagePolicy;
use flux_engine::registry::{Access, Client, Login, Options};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::Api;

use crate::{
    cluster::Cluster,
    error::{self, Error},
    workload::{TagFilter, Workload},
};

/// Registries, as workloads and policies of a cluster reach them.
pub(crate) struct Registries<'a> {
    /// What talks to registries.
    pub(crate) client: Client,
    /// Where image policies are.
    cluster: &'a Cluster,
    /// Where workloads are.
    pods: &'a Cluster,
}

type Data = BTreeMap<String, Vec<u8>>;

impl<'a> Registries<'a> {
    /// Starts with no connection.
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self {
            client: Client::new(Options::default()),
            cluster,
            pods: cluster,
        }
    }

    /// Returns the way of workloads that run in another cluster and pull with its Secrets.
    pub(crate) fn of_pods_in(&self, pods: &'a Cluster) -> Self {
        Self {
            client: self.client.clone(),
            cluster: self.cluster,
            pods,
        }
    }

    /// Returns the way to an image: that of its policy, or else with the pull secrets of the workload.
    pub(crate) async fn access(
        &self,
        workload: &Workload,
        image: &Name,
        filter: TagFilter<'_>,
    ) -> Result<Access, Error> {
        match filter {
            TagFilter::Policy(policy) => self.access_of_policy(policy, image).await,
            TagFilter::Annotation(_) | TagFilter::None => {
                let (secrets, account) = workload.pull_secrets();
                let namespace = &workload.id.namespace;
                let place = (self.pods, namespace.as_str());
                let access = pulled(place, secrets, Some(&account), image).await?;
                Ok(access.insecure(is_local(image)))
            }
        }
    }

    async fn access_of_policy(&self, policy: &ImagePolicy, image: &Name) -> Result<Access, Error> {
        let spec = &policy.spec;
        let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
        let secrets = spec
            .secret_ref
            .iter()
            .map(|secret| secret.name.clone())
            .collect();
        let account = spec.service_account_name.as_deref();
        let mut access = pulled((self.cluster, namespace), secrets, account, image).await?;
        if let Some(certificates) = &spec.cert_secret_ref {
            let data = read_secret(self.cluster, namespace, &certificates.name).await?;
            let data = data.unwrap_or_default();
            access = access.with_certificates(&data).map_err(|error| {
                Error::Failed(format!(
                    "Secret {namespace}/{}: {}",
                    certificates.name,
                    error::chain(&error)
                ))
            })?;
        }
        Ok(access.insecure(spec.insecure.unwrap_or(false)))
    }
}

/// The first of the pull secrets with an entry for the image counts.
async fn pulled(
    (cluster, namespace): (&Cluster, &str),
    mut secrets: Vec<String>,
    account: Option<&str>,
    image: &Name,
) -> Result<Access, Error> {
    if let Some(account) = account {
        secrets.extend(secrets_of(cluster, namespace, account).await?);
    }
    for name in secrets {
        let Some(data) = read_secret(cluster, namespace, &name).await? else {
            continue;
        };
        let Some(config) = data
            .get(".dockerconfigjson")
            .or_else(|| data.get(".dockercfg"))
        else {
            continue;
        };
        let login = Login::from_docker_config(config, image);
        let login = login.map_err(|error| {
            Error::Failed(format!(
                "Secret {namespace}/{name}: {}",
                error::chain(&error)
            ))
        })?;
        if let Some(login) = login {
            return Ok(Access::anonymous().with_login(login));
        }
    }
    Ok(Access::anonymous())
}

async fn secrets_of(
    cluster: &Cluster,
    namespace: &str,
    account: &str,
) -> Result<Vec<String>, Error> {
    let api: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), namespace);
    let found = api.get_opt(account).await;
    let found = found.map_err(Error::api(format!("get the serviceaccount \"{account}\"")))?;
    let secrets = found.and_then(|account| account.image_pull_secrets);
    Ok(secrets
        .into_iter()
        .flatten()
        .map(|secret| secret.name)
        .collect())
}

/// Reads a Secret with the rights of the caller.
pub(crate) async fn read_secret(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Option<Data>, Error> {
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
    let secret = api.get_opt(name).await;
    let secret = secret.map_err(Error::api(format!("get the secret \"{name}\"")))?;
    let bytes = |secret: Secret| {
        secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, value.0))
    };
    Ok(secret.map(|secret| bytes(secret).collect()))
}

/// Container runtimes speak to registries of the own machine without TLS.
fn is_local(image: &Name) -> bool {
    let host = image
        .registry()
        .rsplit_once(':')
        .map_or(image.registry(), |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
