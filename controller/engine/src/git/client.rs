//! The way to git servers: one per process, with connections that stay open between calls.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flux_core::git::Scheme;
use gix_transport::{Protocol, Service, client::blocking_io};
use reqwest::header::HeaderValue;
use tokio::runtime::{Builder, Runtime};

use super::{
    credentials::Error as CredentialsError,
    deadline::Deadline,
    error::{Error, chain},
    file, http,
    line::Line,
    push::Push,
    remote::{Proxy, Remote},
    session::Session,
    ssh,
};
use crate::tls::Tls;

/// Connections that no one used for this long are closed.
const IDLE: Duration = Duration::from_mins(2);
const CONNECT: Duration = Duration::from_secs(15);
/// So many different sets of certificates and proxies are kept ready.
const MAX_CLIENTS: usize = 64;

/// What the operator of the controller allows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether `http://` repositories are allowed: everyone on the way can read and change them.
    pub allow_http: bool,
    /// Whether `file://` repositories are allowed: they can be any directory of the machine.
    pub allow_file: bool,
    /// How many bytes a server may send in one conversation.
    pub max_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_file: false,
            max_bytes: 1 << 30,
        }
    }
}

/// The way to git servers.
///
/// Its calls block: from asynchronous code, make them within `spawn_blocking`.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    options: Options,
    /// Taken out on drop only: a runtime must not be dropped within asynchronous code.
    runtime: Option<Runtime>,
    clients: Mutex<HashMap<(Tls, Option<Proxy>), reqwest::Client>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Starts the one thread that moves bytes between sockets and callers.
    pub fn new(options: Options) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("git-network")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Shared {
            options,
            runtime: Some(runtime),
            clients: Mutex::default(),
        })))
    }

    /// Begins a conversation with the server of a repository; it may go on until the deadline.
    pub fn connect(&self, remote: &Remote, deadline: &Deadline) -> Result<Session, Error> {
        self.check_scheme(remote)?;
        if remote.url.scheme() == Scheme::File {
            let source = file::Source::open(remote.url.path(), deadline.clone())?;
            return Ok(Session::file(source));
        }
        let line = self.line(deadline)?;
        Session::open(self.transport(remote, &line, Service::UploadPack)?, line)
    }

    /// Begins a conversation in which a branch of the repository is moved.
    pub(crate) fn connect_to_push(
        &self,
        remote: &Remote,
        deadline: &Deadline,
    ) -> Result<Push, Error> {
        self.check_scheme(remote)?;
        if remote.url.scheme() == Scheme::File {
            let target = file::Target::open(remote.url.path(), deadline.clone())?;
            return Ok(Push::file(target));
        }
        let line = self.line(deadline)?;
        Push::open(self.transport(remote, &line, Service::ReceivePack)?, line)
    }

    /// Waits, but not past the deadline.
    pub(crate) fn pause(&self, time: Duration, deadline: &Deadline) -> Result<(), Error> {
        let line = self.line(deadline)?;
        let waited = line.wait(async { tokio::time::sleep(time).await });
        waited.map_err(|error| line.explain("waiting for the next try", &error))
    }

    fn check_scheme(&self, remote: &Remote) -> Result<(), Error> {
        let options = &self.0.options;
        let (allowed, scheme, option) = match remote.url.scheme() {
            Scheme::File => (options.allow_file, "file", "--allow-file-repositories"),
            Scheme::Http => (options.allow_http, "http", "--allow-http-repositories"),
            Scheme::Https | Scheme::Ssh => return Ok(()),
        };
        if allowed {
            return Ok(());
        }
        Err(Error::SchemeNotAllowed { scheme, option })
    }

    fn transport(
        &self,
        remote: &Remote,
        line: &Line,
        service: Service,
    ) -> Result<Box<dyn blocking_io::Transport + Send>, Error> {
        if remote.url.scheme() != Scheme::Ssh {
            return Ok(Box::new(self.http(remote, line)?));
        }
        let ssh = remote.credentials.ssh.as_ref();
        let ssh = ssh.ok_or(CredentialsError::NoSecret)?;
        Ok(Box::new(ssh::connect(line, &remote.url, ssh, service)?))
    }

    fn line(&self, deadline: &Deadline) -> Result<Line, Error> {
        let runtime = self.0.runtime.as_ref().ok_or(Error::Cancelled {
            doing: "shutting down",
        })?;
        Ok(Line::new(
            runtime.handle().clone(),
            deadline.clone(),
            self.0.options.max_bytes,
        ))
    }

    fn http(
        &self,
        remote: &Remote,
        line: &Line,
    ) -> Result<blocking_io::http::Transport<http::Remote>, Error> {
        let client = self.http_client(remote)?;
        let header = remote.credentials.authorization.as_deref().map(|text| {
            let header = HeaderValue::from_str(text);
            header.map(|mut header| {
                header.set_sensitive(true);
                header
            })
        });
        let what = "cannot be sent in an HTTP header";
        let key = "password or bearerToken";
        let header = header
            .transpose()
            .map_err(|_| CredentialsError::Malformed { key, what })?;
        let backend = http::Remote::new(client, line.clone(), remote.url.clone(), header);
        let text = remote.url.to_string();
        let address = text
            .as_str()
            .try_into()
            .map_err(|error: gix_error::Error| Error::Protocol {
                doing: "reading the address",
                message: chain(&error),
            })?;
        Ok(blocking_io::http::Transport::new_http(
            backend,
            address,
            Protocol::V2,
            false,
        ))
    }

    fn http_client(&self, remote: &Remote) -> Result<reqwest::Client, Error> {
        let key = (remote.credentials.tls.clone(), remote.proxy.clone());
        let mut clients = self
            .0
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = Self::build_http_client(&key.0, key.1.as_ref())?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn build_http_client(tls: &Tls, proxy: Option<&Proxy>) -> Result<reqwest::Client, Error> {
        let failed = |message| Error::Protocol {
            doing: "setting up TLS",
            message,
        };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config().map_err(CredentialsError::from)?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(4)
            .tcp_nodelay(true)
            .no_proxy();
        if let Some(proxy) = proxy {
            builder = builder.proxy(http_proxy(proxy)?);
        }
        builder
            .build()
            .map_err(|error| failed(chain(&error.without_url())))
    }
}

fn http_proxy(proxy: &Proxy) -> Result<reqwest::Proxy, Error> {
    let what = "is not the address of a proxy";
    let built = reqwest::Proxy::all(&proxy.address);
    let built = built.map_err(|_| CredentialsError::Malformed {
        key: "address",
        what,
    })?;
    Ok(match &proxy.login {
        Some((user, password)) => built.basic_auth(user, password),
        None => built,
    })
}
