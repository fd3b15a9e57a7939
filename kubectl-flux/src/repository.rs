//! Commits to the repository behind a Sync, as the person who asks for them.

use std::{convert::Infallible, time::Duration};

use flux_core::{git::Reference, message};
use flux_crds::git_repository::{Author, Write};
use flux_engine::git::{
    Client, Credentials, Deadline, Destination, Draft, GitTree, Options, Person, Proxy, Pushed,
    Remote, Signer, Store, write_back,
};
use tempfile::TempDir;

use crate::{
    change::{Plan, Request},
    cluster::Cluster,
    error::{self, Error},
    kind::Kind,
    registry::read_secret,
    resource::Resource,
};

/// A repository that may be written to.
pub(crate) struct Repository {
    remote: Remote,
    reference: Reference,
    write: Write,
    signer: Option<Signer>,
}

/// A commit to make.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// Who makes it.
    pub(crate) author: Author,
    /// The first line of its message.
    pub(crate) subject: String,
    /// What shall change.
    pub(crate) requests: Vec<Request>,
    /// How long it may take.
    pub(crate) timeout: Duration,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

impl Repository {
    /// Reads a GitRepository and its Secrets, with the rights of the caller.
    pub(crate) async fn open(
        cluster: &Cluster,
        namespace: &str,
        name: &str,
    ) -> Result<Self, Error> {
        let cluster = &cluster.in_namespace(namespace);
        let object = cluster.get(Kind::GitRepository, name).await?;
        let Resource::GitRepository(repository) = Resource::read(Kind::GitRepository, &object)?
        else {
            return Err(Error::Failed(format!("{name} is no GitRepository")));
        };
        let spec = &repository.spec;
        let failed = |what: &str, error: &(dyn std::error::Error + 'static)| {
            Error::Failed(format!(
                "GitRepository {namespace}/{name}: {what}: {}",
                error::chain(error)
            ))
        };
        let Some(write) = spec.write.clone() else {
            return Err(Error::ReadOnly {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            });
        };
        let url = spec
            .url
            .parse()
            .map_err(|error| failed("spec.url", &error))?;
        let mut remote = Remote::anonymous(url);
        if let Some(secret) = &spec.secret_ref {
            let data = required(cluster, &secret.name).await?;
            remote.credentials = Credentials::from_secret(&remote.url, &data)
                .map_err(|error| failed("spec.secretRef", &error))?;
        }
        if let Some(secret) = &spec.proxy_secret_ref {
            let data = required(cluster, &secret.name).await?;
            let proxy =
                Proxy::from_secret(&data).map_err(|error| failed("spec.proxySecretRef", &error))?;
            remote.proxy = Some(proxy);
        }
        let mut signer = None;
        if let Some(key) = &write.signing_key {
            let data = required(cluster, &key.secret_ref.name).await?;
            signer = Some(
                Signer::from_secret(&data)
                    .map_err(|error| failed("spec.write.signingKey", &error))?,
            );
        }
        // What the repository follows: edits start from there.
        let reference = Reference::of_spec(repository.spec.reference.as_ref());
        let reference = reference.map_err(|error| failed("spec.ref", &error))?;
        Ok(Self {
            remote,
            reference,
            write,
            signer,
        })
    }

    /// Works out what the requests mean for the newest files, commits that and pushes it.
    ///
    /// Who is slower than someone else starts again from their commit.
    pub(crate) async fn commit(self, commit: Commit) -> Result<(Plan, Option<Pushed>), Error> {
        let deadline = Deadline::after(commit.timeout);
        let _stop = Stop(deadline.clone());
        let working = tokio::task::spawn_blocking(move || self.commit_now(&commit, &deadline));
        working
            .await
            .map_err(|error| Error::Failed(error.to_string()))?
    }

    fn commit_now(
        &self,
        commit: &Commit,
        deadline: &Deadline,
    ) -> Result<(Plan, Option<Pushed>), Error> {
        let io = |source| Error::File {
            path: std::env::temp_dir(),
            source,
        };
        let directory = TempDir::new().map_err(io)?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Error::Failed(format!(
                "cannot write to {}: {}",
                self.remote.url,
                error::chain(error)
            ))
        };
        let store = Store::open(directory.path()).map_err(|error| failed(&error))?;
        let options = Options {
            allow_http: true,
            ..Options::default()
        };
        let client = Client::new(options).map_err(io)?;
        let destination = Destination {
            client: &client,
            remote: &self.remote,
            store: &store,
            source: &self.reference,
            branch: Some(&self.write.branch),
            deadline,
        };
        let mut plan = Plan::default();
        let pushed = write_back(&destination, |tree: &GitTree, _| {
            plan = Plan::make(tree, &commit.requests);
            Ok::<_, Infallible>(self.draft(commit, &plan))
        });
        let pushed = pushed.map_err(|error| failed(&error))?;
        Ok((plan, pushed))
    }

    fn draft(&self, commit: &Commit, plan: &Plan) -> Option<Draft<'_>> {
        if plan.files.is_empty() || commit.dry_run {
            return None;
        }
        let person = Person {
            name: commit.author.name.clone(),
            email: commit.author.email.clone(),
        };
        Some(Draft {
            files: plan.files.clone().into_iter().collect(),
            message: self.message(commit, plan),
            author: person.clone(),
            committer: person,
            time: jiff::Zoned::now(),
            signer: self.signer.as_ref(),
        })
    }

    /// The template of the repository holds for people too: it may say that a build is not to be started.
    fn message(&self, commit: &Commit, plan: &Plan) -> String {
        let author = format!("{} <{}>", commit.author.name, commit.author.email);
        let context = message::Context {
            author: &author,
            branch: &self.write.branch,
            subject: Some(&commit.subject),
            changes: &plan.changes,
        };
        let rendered = message::render(self.write.message.as_deref(), &context);
        let rendered = rendered.or_else(|_| message::render(None, &context));
        rendered.unwrap_or_else(|_| commit.subject.clone())
    }
}

/// Stops the work when nobody waits for it any more.
struct Stop(Deadline);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

type Data = std::collections::BTreeMap<String, Vec<u8>>;

async fn required(cluster: &Cluster, name: &str) -> Result<Data, Error> {
    let namespace = &cluster.namespace;
    let data = read_secret(cluster, namespace, name).await?;
    data.ok_or_else(|| Error::Failed(format!("there is no Secret {namespace}/{name}")))
}
