//! A receiver of notifications: keeps what it is sent, and answers as it is told.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{LOCATION, RETRY_AFTER},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

use crate::{wait::PATIENCE, webhook};

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Conduct {
    /// 200.
    #[default]
    Good,
    /// With this status.
    Failing(u16),
    /// 429, once for each path, with this `Retry-After`; then as it should.
    BusyOnce(u32),
    /// Not at all.
    Hanging,
    /// By closing the connection.
    Closing,
    /// 307 to this address.
    Redirecting(String),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it was read.
    pub at: Instant,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns the body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Tells whether a header is the HMAC-SHA-256 of the body, behind `sha256=`.
    pub fn is_signed(&self, header: &str, token: &str) -> bool {
        self.header(header) == format!("sha256={}", webhook::hmac(token, &self.body))
    }
}

/// A server that receives; it stops when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    port: u16,
}

#[derive(Debug, Default)]
struct Shared {
    conducts: Mutex<Vec<(String, Conduct)>>,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
}

impl Receiver {
    /// Starts one on a thread of its own.
    pub fn start() -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let port = crate::ports::free()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("start the receiver's thread")?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = listener.context("open the receiver's port")?;
        listener.set_nonblocking(true)?;
        runtime.spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self {
            runtime: Some(runtime),
            shared,
            port,
        })
    }

    /// The address of a path, such as `http://127.0.0.1:12345/slack`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Says how requests whose path begins so are answered from now on.
    pub fn set_conduct(&self, path: &str, conduct: Conduct) {
        lock(&self.shared.conducts).push((path.to_owned(), conduct));
    }

    /// Returns what came to paths that begin so, whatever was answered.
    pub fn received(&self, path: &str) -> Vec<Received> {
        let received = lock(&self.shared.received);
        let here = received.iter().filter(|one| one.path.starts_with(path));
        here.cloned().collect()
    }

    /// Waits until so many requests came to paths that begin so, and returns them.
    pub async fn wait_for(&self, path: &str, count: usize) -> Result<Vec<Received>> {
        let mut counts = self.shared.count.subscribe();
        let came = async {
            loop {
                let received = self.received(path);
                if received.len() >= count {
                    return received;
                }
                if counts.changed().await.is_err() {
                    return received;
                }
            }
        };
        let Ok(received) = tokio::time::timeout(PATIENCE, came).await else {
            let paths: Vec<String> = self.received("").into_iter().map(|one| one.path).collect();
            bail!("{count} requests to {path} did not come; there were {paths:?}");
        };
        Ok(received)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Waiting for the threads would be a panic inside a test's own runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // A broken connection is what some of the tests are about.
            connection.await.ok();
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) => return Err(std::io::Error::other(error)),
    };
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    };
    let path = head.uri.path().to_owned();
    lock(&shared.received).push(Received {
        at: Instant::now(),
        method: head.method.to_string(),
        path: path.clone(),
        headers: head.headers.iter().map(header).collect(),
        body,
    });
    shared.count.send_modify(|count| *count += 1);
    reply(shared.conduct(&path)).await
}

impl Shared {
    fn conduct(&self, path: &str) -> Conduct {
        let mut conducts = lock(&self.conducts);
        let found = conducts
            .iter_mut()
            .rev()
            .find(|(start, _)| path.starts_with(start.as_str()));
        match found {
            None => Conduct::Good,
            Some((_, conduct @ Conduct::BusyOnce(_))) => std::mem::take(conduct),
            Some((_, conduct)) => conduct.clone(),
        }
    }
}

async fn reply(conduct: Conduct) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (status, header) = match conduct {
        Conduct::Good => (200, None),
        Conduct::Failing(status) => (status, None),
        Conduct::BusyOnce(seconds) => (429, Some((RETRY_AFTER, seconds.to_string()))),
        Conduct::Redirecting(address) => (307, Some((LOCATION, address))),
        Conduct::Closing => return Err(std::io::Error::other("closed as asked")),
        Conduct::Hanging => {
            let never = std::future::pending::<Result<_, Infallible>>();
            return never.await.map_err(std::io::Error::other);
        }
    };
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response
        .body(Full::default())
        .map_err(std::io::Error::other)
}

/// Time in which a request that must not come would have come.
pub const QUIET: Duration = Duration::from_secs(2);
