//! Every read before the scan: the spec itself, and the Secrets that it names.

use std::time::Duration;

use flux_core::choose::Rules;
use flux_core::conclude::{Finding, Outcome};
use flux_core::image::Name;
use flux_core::webhook::Sender;
use flux_crds::{ImagePolicy, ImagePolicySpec, Reason};
use flux_engine::registry::Access;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;

use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::secrets::{self, Data};
use crate::webhook::{self, Object};

/// What a scan works with.
pub(crate) struct Gathered {
    /// The image.
    pub(crate) name: Name,
    /// Which tag is the one.
    pub(crate) rules: Rules,
    /// What to show to the registry.
    pub(crate) access: Access,
    /// The time between two scans.
    pub(crate) interval: Duration,
    /// The time that one operation may take.
    pub(crate) timeout: Duration,
}

/// Reads everything, or says what is missing.
pub(crate) async fn gather(context: &Context, policy: &ImagePolicy) -> Result<Gathered, Outcome> {
    let spec = &policy.spec;
    let invalid =
        |error: flux_crds::duration::Error| stalled(Reason::InvalidSpec, error.to_string());
    spec.retry_interval().map_err(invalid)?;
    let name: Name = spec.image.parse().map_err(|error| {
        stalled(
            Reason::InvalidSpec,
            format!("spec.image: {}", chain(&error)),
        )
    })?;
    let rules = Rules::compile(spec.filter.as_ref(), &spec.policy)
        .map_err(|error| stalled(Reason::PolicyInvalid, chain(&error)))?;
    let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
    let hook = spec.webhook.as_ref();
    let hook = hook.map(|hook| (Sender::Registry(hook.kind), &hook.secret_ref));
    let object = Object::Policy(Key::of(&policy.metadata));
    webhook::hang(context, &object, hook).await?;
    let access = access(context, namespace, spec, &name).await?;
    Ok(Gathered {
        name,
        rules,
        access,
        interval: spec.interval().map_err(invalid)?,
        timeout: spec.timeout().map_err(invalid)?,
    })
}

/// The type of the only key that pull Secrets have.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

async fn access(
    context: &Context,
    namespace: &str,
    spec: &ImagePolicySpec,
    name: &Name,
) -> Result<Access, Outcome> {
    let mut secrets = Vec::new();
    if let Some(reference) = &spec.secret_ref {
        secrets.push(reference.name.clone());
    }
    if let Some(account) = &spec.service_account_name {
        secrets = pull_secrets(context, namespace, account).await?;
    }
    let mut access = Access::anonymous();
    for secret in secrets {
        let data = secrets::read(context, namespace, &secret).await?;
        let Some(config) = data.get(DOCKER_CONFIG) else {
            let message = format!("has no key {DOCKER_CONFIG}");
            return Err(secret_invalid(namespace, &secret, &message));
        };
        access = Access::from_docker_config(config, name)
            .map_err(|error| secret_invalid(namespace, &secret, &chain(&error)))?;
        // As the kubelet: the first Secret that knows the registry counts.
        if access != Access::anonymous() {
            break;
        }
    }
    if let Some(reference) = &spec.cert_secret_ref {
        let data: Data = secrets::read(context, namespace, &reference.name).await?;
        access = access
            .with_certificates(&data)
            .map_err(|error| secret_invalid(namespace, &reference.name, &chain(&error)))?;
    }
    Ok(access.insecure(spec.insecure.unwrap_or(false)))
}

/// Returns the names of the Secrets that pods of an account pull with.
async fn pull_secrets(
    context: &Context,
    namespace: &str,
    account: &str,
) -> Result<Vec<String>, Outcome> {
    let api: Api<ServiceAccount> = Api::namespaced(context.client.clone(), namespace);
    let found = api.get_opt(account).await.map_err(|error| {
        let message = format!(
            "failed to read ServiceAccount {namespace}/{account}: {}",
            chain(&error)
        );
        Outcome::Transient(Finding::new(Reason::ClusterUnreachable, message))
    })?;
    let Some(found) = found else {
        return Err(Outcome::Transient(Finding::new(
            Reason::ServiceAccountNotFound,
            format!("ServiceAccount {namespace}/{account} does not exist"),
        )));
    };
    let secrets = found.image_pull_secrets.unwrap_or_default();
    Ok(secrets.into_iter().map(|secret| secret.name).collect())
}

fn secret_invalid(namespace: &str, name: &str, what: &str) -> Outcome {
    Outcome::Failed(Finding::new(
        Reason::SecretInvalid,
        format!("Secret {namespace}/{name}: {what}"),
    ))
}

fn stalled(reason: Reason, message: impl Into<String>) -> Outcome {
    Outcome::Stalled(Finding::new(reason, message))
}
