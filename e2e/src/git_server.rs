//! A git server for tests: the real `git http-backend` over HTTP and HTTPS, the real `git upload-pack` over SSH.
//!
//! ```text
//!  client ──http, https, https with client certificate──► access? ─► conduct ─► git http-backend (CGI)
//!         ──ssh────────────────────────────────────────► key? ───► conduct ─► git upload-pack | receive-pack
//! ```
//!
//! It can be slow, fail, hang, cut answers short, or go away and come back on the same ports. It lives on threads of
//! its own, so that a test may call git and wait for it.

mod access;
mod cgi;
mod conduct;
mod http;
mod listen;
mod ssh;
mod traffic;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::{runtime::Runtime, sync::watch};

pub use access::Access;
pub use conduct::Conduct;
pub(crate) use ssh::random_key;
pub use traffic::Traffic;

use crate::{
    certificates::{Authority, Identity},
    git_repo::GitRepo,
    scratch::Scratch,
};
use listen::Door;
use traffic::Counters;

/// A running git server; it stops when it is dropped.
#[derive(Debug)]
pub struct GitServer {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    ports: Ports,
    authority: Authority,
    keys: ssh::Keys,
    directory: Scratch,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    http: u16,
    https: u16,
    mutual: u16,
    ssh: u16,
}

/// What the listeners and the owner of the server have in common.
#[derive(Debug)]
struct Shared {
    repositories: PathBuf,
    access: Mutex<Access>,
    conduct: watch::Sender<Conduct>,
    open: watch::Sender<bool>,
    counters: Counters,
}

impl Shared {
    fn access(&self) -> Access {
        self.access
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl GitServer {
    /// Starts a server without repositories, open to everybody.
    pub fn start() -> Result<Self> {
        let directory = Scratch::fresh("git")?;
        let repositories = directory.path().join("repositories");
        std::fs::create_dir_all(&repositories).context("create the directory of repositories")?;
        let shared = Arc::new(Shared {
            repositories,
            access: Mutex::default(),
            conduct: watch::Sender::new(Conduct::Good),
            open: watch::Sender::new(true),
            counters: Counters::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let mut server = Self {
            runtime: Some(runtime.context("start the git server's threads")?),
            shared,
            ports: Ports {
                http: crate::ports::free()?,
                https: crate::ports::free()?,
                mutual: crate::ports::free()?,
                ssh: crate::ports::free()?,
            },
            authority: Authority::new("flux-e2e git")?,
            keys: ssh::Keys::generate()?,
            directory,
        };
        server.listen()?;
        Ok(server)
    }

    fn listen(&mut self) -> Result<()> {
        let identity = self.authority.server("git", &["127.0.0.1", "localhost"])?;
        let plain_tls = identity.acceptor(None)?;
        let mutual_tls = identity.acceptor(Some(self.authority.certificate()))?;
        let doors = [
            (self.ports.http, Door::Http),
            (self.ports.https, Door::Https(plain_tls)),
            (self.ports.mutual, Door::Https(mutual_tls)),
            (
                self.ports.ssh,
                Door::Ssh(self.keys.server_config(), self.keys.authorised()),
            ),
        ];
        let runtime = self
            .runtime
            .as_ref()
            .context("the git server has stopped")?;
        for (port, door) in doors {
            runtime.spawn(listen::keep(port, door, Arc::clone(&self.shared)));
        }
        self.wait_for_listeners(4)
    }

    /// Creates an empty bare repository `<name>.git`, with a work tree to fill it.
    pub fn create_repository(&self, name: &str) -> Result<GitRepo> {
        GitRepo::create(
            &self.shared.repositories,
            &self.directory.path().join("work"),
            name,
        )
    }

    /// The address of a repository over plain HTTP.
    pub fn http_url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}.git", self.ports.http)
    }

    /// The address of a repository over HTTPS, signed by [`Self::authority`].
    pub fn https_url(&self, name: &str) -> String {
        format!("https://127.0.0.1:{}/{name}.git", self.ports.https)
    }

    /// The address of a repository over HTTPS where a client must show a certificate of [`Self::client_identity`].
    pub fn mutual_url(&self, name: &str) -> String {
        format!("https://127.0.0.1:{}/{name}.git", self.ports.mutual)
    }

    /// The address of a repository over SSH.
    pub fn ssh_url(&self, name: &str) -> String {
        format!("ssh://git@127.0.0.1:{}/{name}.git", self.ports.ssh)
    }

    /// The certificate that signs the server's, as PEM (`ca.crt`).
    pub fn authority(&self) -> &str {
        self.authority.certificate()
    }

    /// Issues a client certificate for [`Self::mutual_url`].
    pub fn client_identity(&self, name: &str) -> Result<Identity> {
        self.authority.client(name, None)
    }

    /// The private key that SSH clients are let in with, in OpenSSH's format (`identity`).
    pub fn ssh_identity(&self) -> Result<String> {
        self.keys.client_private()
    }

    /// The line of `known_hosts` for the server's SSH port.
    pub fn known_hosts(&self) -> Result<String> {
        Ok(format!(
            "[127.0.0.1]:{} {}\n",
            self.ports.ssh,
            self.keys.host_public()?
        ))
    }

    /// Says who may come in from now on.
    pub fn set_access(&self, access: Access) {
        *self
            .shared
            .access
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = access;
    }

    /// Says how the server behaves from now on.
    pub fn set_conduct(&self, conduct: Conduct) {
        self.shared.conduct.send_replace(conduct);
    }

    /// Closes all ports and connections: clients are refused.
    pub fn go_away(&self) -> Result<()> {
        self.shared.open.send_replace(false);
        self.wait_for_listeners(0)
    }

    /// Opens the same ports again.
    pub fn come_back(&self) -> Result<()> {
        self.shared.open.send_replace(true);
        self.wait_for_listeners(4)
    }

    /// Returns what has gone over the wire since the start.
    pub fn traffic(&self) -> Traffic {
        self.shared.counters.read()
    }

    fn wait_for_listeners(&self, wanted: usize) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.shared.counters.listeners.load(Ordering::SeqCst) != wanted {
            if Instant::now() > deadline {
                bail!(
                    "the git server could not open or close its ports ({:?})",
                    self.ports
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        // Waiting for the threads would be a panic inside a test's own runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
