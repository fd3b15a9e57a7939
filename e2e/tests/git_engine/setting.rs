//! A git server with one repository, and a store to fetch it into.

use std::{collections::BTreeMap, time::Duration};

use flux_core::git::{ObjectId, Reference, Resolved};
use flux_e2e::{GitRepo, GitServer};
use flux_engine::git::{
    Client, Credentials, Deadline, Error, Fetched, GitTree, Options, Remote, Store,
};
use flux_kustomize::FileTree;
use tempfile::TempDir;

pub(crate) type Secret<'a> = &'a [(&'a str, &'a str)];

/// A server with one repository of one commit, and a store.
pub(crate) struct Setting {
    pub(crate) server: GitServer,
    pub(crate) repo: GitRepo,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) directory: TempDir,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let server = GitServer::start().unwrap();
        let repo = server.create_repository("team/app").unwrap();
        repo.push_files(&[("deploy/app.yaml", "kind: ConfigMap\n")], "first")
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            allow_http: true,
            ..Options::default()
        };
        Self {
            client: Client::new(options).unwrap(),
            store: Store::open(directory.path().join("store")).unwrap(),
            server,
            repo,
            directory,
        }
    }

    pub(crate) fn http(&self) -> Remote {
        Remote::anonymous(self.server.http_url("team/app").parse().unwrap())
    }

    pub(crate) fn ssh(&self) -> Remote {
        let identity = self.server.ssh_identity().unwrap();
        let known_hosts = self.server.known_hosts().unwrap();
        let secret = [
            ("identity", identity.as_str()),
            ("known_hosts", &known_hosts),
        ];
        with_secret(&self.server.ssh_url("team/app"), &secret)
    }

    pub(crate) fn fetch(
        &self,
        remote: &Remote,
        reference: &Reference,
    ) -> Result<(Resolved, Fetched), Error> {
        let deadline = Deadline::after(Duration::from_secs(20));
        let mut session = self.client.connect(remote, &deadline)?;
        let resolved = session.resolve(reference)?;
        let fetched = session.fetch(&self.store, &resolved)?;
        Ok((resolved, fetched))
    }

    pub(crate) fn tree(&self, remote: &Remote) -> GitTree {
        let (resolved, _) = self.fetch(remote, &Reference::Default).unwrap();
        GitTree::open(&self.store, resolved.commit_id, None).unwrap()
    }

    /// Whether the one file of the first commit arrives.
    pub(crate) fn arrives(&self, remote: &Remote) {
        let tree = self.tree(remote);
        assert_eq!(tree.read("deploy/app.yaml").unwrap(), b"kind: ConfigMap\n");
    }

    pub(crate) fn packs(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.store.path().join("objects/pack")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

pub(crate) fn data(secret: Secret<'_>) -> BTreeMap<String, Vec<u8>> {
    let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    secret.iter().map(entry).collect()
}

pub(crate) fn with_secret(url: &str, secret: Secret<'_>) -> Remote {
    let url = url.parse().unwrap();
    Remote {
        credentials: Credentials::from_secret(&url, &data(secret)).unwrap(),
        ..Remote::anonymous(url)
    }
}

pub(crate) fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

/// Text that does not compress well, so that bytes tell whether it is sent again.
pub(crate) fn noise() -> String {
    let word = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..40_000).map(word).collect()
}
