//! Every read before the fetch: the spec itself, and the Secrets that it names.

use std::time::Duration;

use flux_core::conclude::{Finding, Outcome};
use flux_core::git::{Mode, Reference, RepositoryUrl, Scheme};
use flux_core::message;
use flux_core::webhook::Sender;
use flux_crds::git_repository::VerifyMode;
use flux_crds::{GitRepository, GitRepositorySpec, Reason, SecretReference};
use flux_engine::git::{Credentials, Keyring, Proxy, Remote};

use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::secrets;
use crate::webhook::{self, Object};

/// What a fetch works with.
pub(crate) struct Gathered {
    /// The repository and the way there.
    pub(crate) remote: Remote,
    /// The reference to follow.
    pub(crate) reference: Reference,
    /// The time that it may take.
    pub(crate) timeout: Duration,
    /// What has to be signed, and by whom.
    pub(crate) verification: Option<Verification>,
    /// Whether submodules are fetched too.
    pub(crate) submodules: bool,
}

impl Gathered {
    /// Returns the host and port of the server.
    pub(crate) fn server(&self) -> String {
        let url = &self.remote.url;
        format!("{}:{}", url.host(), url.port())
    }
}

/// What has to be signed, and by whom.
pub(crate) struct Verification {
    /// What.
    pub(crate) mode: Mode,
    /// By whom.
    pub(crate) keyring: Keyring,
}

/// Reads everything, or says what is missing.
pub(crate) async fn gather(
    context: &Context,
    repository: &GitRepository,
) -> Result<Gathered, Outcome> {
    let spec = &repository.spec;
    check(spec)?;
    let invalid =
        |error: flux_crds::duration::Error| stalled(Reason::InvalidSpec, error.to_string());
    spec.interval().map_err(invalid)?;
    spec.retry_interval().map_err(invalid)?;
    let timeout = spec.timeout().map_err(invalid)?;
    let url: RepositoryUrl = spec
        .url
        .parse()
        .map_err(|error| stalled(Reason::UrlInvalid, chain(&error)))?;
    let reference = Reference::of_spec(spec.reference.as_ref())
        .map_err(|error| stalled(Reason::InvalidSpec, format!("spec.ref: {}", chain(&error))))?;
    let namespace = repository.metadata.namespace.as_deref().unwrap_or_default();
    let secret_invalid = |reference: &SecretReference, error| {
        Outcome::Failed(Finding::new(
            Reason::SecretInvalid,
            format!("Secret {namespace}/{}: {}", reference.name, chain(&error)),
        ))
    };
    let hook = spec.webhook.as_ref();
    let hook = hook.map(|hook| (Sender::Git(hook.kind), &hook.secret_ref));
    let object = Object::Repository(Key::of(&repository.metadata));
    webhook::hang(context, &object, hook).await?;
    let mut remote = Remote::anonymous(url);
    if let Some(reference) = &spec.secret_ref {
        let data = secrets::read(context, namespace, &reference.name).await?;
        remote.credentials = Credentials::from_secret(&remote.url, &data)
            .map_err(|error| secret_invalid(reference, error))?;
    }
    if let Some(reference) = &spec.proxy_secret_ref {
        if !matches!(remote.url.scheme(), Scheme::Http | Scheme::Https) {
            let message = "spec.proxySecretRef works with http and https URLs only; remove it";
            return Err(stalled(Reason::InvalidSpec, message));
        }
        let data = secrets::read(context, namespace, &reference.name).await?;
        remote.proxy =
            Some(Proxy::from_secret(&data).map_err(|error| secret_invalid(reference, error))?);
    }
    let mut verification = None;
    if let Some(verify) = &spec.verify {
        let mode = mode(verify.mode());
        mode.check(&reference)
            .map_err(|error| stalled(Reason::InvalidSpec, chain(&error)))?;
        let data = secrets::read(context, namespace, &verify.secret_ref.name).await?;
        let keyring = Keyring::from_secret(&data)
            .map_err(|error| secret_invalid(&verify.secret_ref, error))?;
        verification = Some(Verification { mode, keyring });
    }
    Ok(Gathered {
        remote,
        reference,
        timeout,
        verification,
        submodules: spec.recurse_submodules.unwrap_or(false),
    })
}

/// Refuses what cannot be followed before anything is read.
fn check(spec: &GitRepositorySpec) -> Result<(), Outcome> {
    if let Some(template) = spec
        .write
        .as_ref()
        .and_then(|write| write.message.as_deref())
    {
        message::check(template).map_err(|error| {
            stalled(
                Reason::InvalidSpec,
                format!("spec.write.message: {}", chain(&error)),
            )
        })?;
    }
    Ok(())
}

fn mode(mode: VerifyMode) -> Mode {
    match mode {
        VerifyMode::Head => Mode::Head,
        VerifyMode::Tag => Mode::Tag,
        VerifyMode::TagAndHead => Mode::TagAndHead,
        VerifyMode::FirstParent => Mode::FirstParent,
    }
}

fn stalled(reason: Reason, message: impl Into<String>) -> Outcome {
    Outcome::Stalled(Finding::new(reason, message))
}
