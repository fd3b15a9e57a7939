//! What stands before the registry: counts, and answers as it is told.

mod answer;

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{Conduct, Door, settings::Ports, tokens::Tokens};
use crate::certificates::Authority;

/// A request and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The word that its `Authorization` header begins with: `Basic`, `Bearer`.
    pub authorization: Option<String>,
    /// The status of the answer; none for an answer that never came.
    pub status: Option<u16>,
}

/// What the listeners and the owner have in common.
#[derive(Debug)]
pub(super) struct Front {
    ports: Ports,
    client: reqwest::Client,
    tokens: Arc<Tokens>,
    conducts: Mutex<Vec<(String, Conduct)>>,
    seen: Mutex<Vec<Seen>>,
    open: watch::Sender<bool>,
    listening: watch::Sender<usize>,
}

/// Where a request came in.
#[derive(Clone, Copy)]
enum Entrance {
    Registry,
    Tokens,
}

/// A client for the loopback interface.
pub(crate) fn http_client() -> Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("make an HTTP client")
}

impl Front {
    /// Opens the ports of registry and token server.
    pub(super) fn open(
        runtime: &Runtime,
        authority: &Authority,
        door: Door,
        ports: Ports,
        tokens: Arc<Tokens>,
    ) -> Result<Arc<Self>> {
        let front = Arc::new(Self {
            ports,
            client: http_client()?,
            tokens,
            conducts: Mutex::default(),
            seen: Mutex::default(),
            open: watch::Sender::new(true),
            listening: watch::Sender::new(0),
        });
        let identity = authority.server("registry", &["127.0.0.1", "localhost"])?;
        let plain = || identity.acceptor(None).map(Some);
        let (registry, tokens) = match door {
            Door::Http => (None, None),
            Door::Https => (plain()?, plain()?),
            Door::Mutual => {
                let mutual = identity.acceptor(Some(authority.certificate()))?;
                (Some(mutual), plain()?)
            }
        };
        let listeners = [
            (ports.front, registry, Entrance::Registry),
            (ports.tokens, tokens, Entrance::Tokens),
        ];
        for (port, acceptor, entrance) in listeners {
            runtime.spawn(keep(Arc::clone(&front), port, acceptor, entrance));
        }
        front.wait_for_listeners(2)?;
        Ok(front)
    }

    pub(super) fn port(&self) -> u16 {
        self.ports.front
    }

    pub(super) fn token_port(&self) -> u16 {
        self.ports.tokens
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn set_conduct(&self, part: &str, conduct: Conduct) {
        let mut conducts = lock(&self.conducts);
        conducts.retain(|(other, _)| other != part);
        conducts.push((part.to_owned(), conduct));
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    pub(super) fn forget(&self) {
        lock(&self.seen).clear();
    }

    pub(super) fn set_open(&self, open: bool) -> Result<()> {
        self.open.send_replace(open);
        self.wait_for_listeners(if open { 2 } else { 0 })
    }

    fn wait_for_listeners(&self, wanted: usize) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while *self.listening.borrow() != wanted {
            if Instant::now() > deadline {
                bail!(
                    "the registry could not open or close its ports ({:?})",
                    self.ports
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn conduct_of(&self, path: &str) -> Conduct {
        let conducts = lock(&self.conducts);
        let found = conducts.iter().rev().find(|(part, _)| path.contains(part));
        found
            .map(|(_, conduct)| conduct.clone())
            .unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves a port as long as the registry is open; closes it and cuts its connections while it is not.
async fn keep(front: Arc<Front>, port: u16, acceptor: Option<TlsAcceptor>, entrance: Entrance) {
    let mut open = front.open.subscribe();
    while open.wait_for(|open| *open).await.is_ok() {
        // The port can still be in the hands of a connection that is being closed.
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        front.listening.send_modify(|count| *count += 1);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    let (front, acceptor) = (Arc::clone(&front), acceptor.clone());
                    connections.spawn(admit(front, stream, acceptor, entrance));
                }
                // Ended connections are forgotten as they come.
                Some(_) = connections.join_next() => {}
                closed = open.wait_for(|open| !*open) => {
                    drop(closed);
                    break;
                }
            }
        }
        connections.shutdown().await;
        drop(listener);
        front.listening.send_modify(|count| *count -= 1);
    }
}

async fn admit(
    front: Arc<Front>,
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    entrance: Entrance,
) {
    stream.set_nodelay(true).ok();
    match acceptor {
        None => serve(front, stream, entrance).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(front, stream, entrance).await;
            }
        }
    }
}

async fn serve(front: Arc<Front>, stream: impl AsyncRead + AsyncWrite + Unpin, entrance: Entrance) {
    let service = service_fn(|request| answer::answer(Arc::clone(&front), request, entrance));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A broken connection is what half of the tests are about.
    connection.await.ok();
}
