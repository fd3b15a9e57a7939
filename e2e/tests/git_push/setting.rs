//! A git server with one repository, a store, and a hand that edits files.

use std::{convert::Infallible, time::Duration};

use flux_core::git::{Reference, Resolved};
use flux_e2e::{GitRepo, GitServer};
use flux_engine::git::{
    Client, Credentials, Deadline, Destination, Draft, GitTree, Options, Person, Pushed, Remote,
    Signer, Store, WriteError, write_back,
};
use flux_kustomize::FileTree;
use tempfile::TempDir;

pub(crate) type Outcome = Result<Option<Pushed>, WriteError<Infallible>>;

pub(crate) const FILE: &str = "deploy/app.yaml";

/// A server with one repository of one commit.
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
        repo.push_files(&[(FILE, "image: app:1\n"), ("README", "hello\n")], "first")
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            allow_http: true,
            allow_file: true,
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

    pub(crate) fn file(&self) -> Remote {
        let path = self.repo.bare().to_str().unwrap();
        Remote::anonymous(format!("file://{path}").parse().unwrap())
    }

    pub(crate) fn ssh(&self) -> Remote {
        let url = self.server.ssh_url("team/app").parse().unwrap();
        let secret = [
            ("identity", self.server.ssh_identity().unwrap()),
            ("known_hosts", self.server.known_hosts().unwrap()),
        ];
        let data = secret.map(|(key, value)| (key.to_owned(), value.into_bytes()));
        Remote {
            credentials: Credentials::from_secret(&url, &data.into()).unwrap(),
            ..Remote::anonymous(url)
        }
    }

    /// Writes the files to the branch that the repository's HEAD is.
    pub(crate) fn write(&self, remote: &Remote, files: &[(&str, &[u8])]) -> Outcome {
        self.write_with(remote, None, |_, _| draft(files))
    }

    pub(crate) fn write_with<'d>(
        &self,
        remote: &Remote,
        branch: Option<&str>,
        mut edit: impl FnMut(&GitTree, &Resolved) -> Draft<'d>,
    ) -> Outcome {
        let destination = Destination {
            client: &self.client,
            remote,
            store: &self.store,
            source: &Reference::Default,
            branch,
            deadline: &Deadline::after(Duration::from_secs(30)),
        };
        write_back(&destination, |tree, resolved| {
            Ok(Some(edit(tree, resolved)))
        })
    }

    /// Whether git finds nothing wrong with any object on the server.
    pub(crate) fn is_sound(&self) {
        let said = self
            .repo
            .git_bare(&["fsck", "--strict", "--full", "--no-dangling"])
            .unwrap();
        assert_eq!(said, "", "git fsck --strict");
    }
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        email: format!("{}@example.com", name.to_ascii_lowercase()),
    }
}

pub(crate) fn draft(files: &[(&str, &[u8])]) -> Draft<'static> {
    signed_draft(files, None)
}

pub(crate) fn signed_draft<'a>(files: &[(&str, &[u8])], signer: Option<&'a Signer>) -> Draft<'a> {
    Draft {
        files: files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
            .collect(),
        message: "Update app\n\nfrom 1 to 2".to_owned(),
        author: person("Jane"),
        committer: person("Flux"),
        time: "2026-01-01T12:00:00+02:00[+02:00]".parse().unwrap(),
        signer,
    }
}

/// Whether the pushed commit can be read from the store with no server.
pub(crate) fn read(store: &Store, pushed: &Pushed, path: &str) -> Vec<u8> {
    let tree = GitTree::open(store, pushed.resolved.commit_id, None).unwrap();
    tree.read(path).unwrap()
}
