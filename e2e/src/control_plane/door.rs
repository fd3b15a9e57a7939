//! A door before the API server, which lets requests through as it is told.

use std::{
    convert::Infallible,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use futures::{StreamExt as _, stream};
use http::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::Client;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use super::ControlPlane;

type Body = UnsyncBoxBody<Bytes, io::Error>;
type Judge = Box<dyn FnMut(&Asked) -> Fault + Send>;

/// A request that is about to be let through.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
}

impl Asked {
    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && !self.path.contains("dryRun=All")
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// It is let through.
    #[default]
    None,
    /// It waits this long before.
    Delay(Duration),
    /// The connection breaks before anybody has read it.
    Reset,
    /// It is done, and the connection breaks before the answer.
    LoseAnswer,
    /// It is done, and the connection breaks in the middle of the answer.
    Truncate,
    /// It is refused with this status: 409, 429 or 500.
    Refuse(u16),
    /// It is answered by somebody else, with this status and body.
    Answer(u16, &'static str),
    /// It is done, and no answer comes as long as the connection lasts.
    Hang,
}

/// A door before the API server; it closes when it is dropped.
///
/// Who comes in by its kubeconfig is one user, whatever certificate he shows.
pub struct Door {
    kubeconfig: PathBuf,
    judge: Arc<Mutex<Judge>>,
    _listener: JoinSet<()>,
}

impl ControlPlane {
    /// Opens a door for a user; it works on the current runtime.
    pub async fn door(&self, user: &str, group: Option<&str>) -> Result<Door> {
        let own = self.kubeconfig_as(user, group)?;
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("open a door")?;
        let port = listener.local_addr().context("find the door")?.port();
        let text = std::fs::read_to_string(&own).context("read the kubeconfig")?;
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = own.with_extension(format!("door-{port}"));
        std::fs::write(&kubeconfig, text.replace(&self.url(), &url))
            .context("write the door's kubeconfig")?;
        let identity = self.files.authority.server("door", &["127.0.0.1"])?;
        let judge: Arc<Mutex<Judge>> = Arc::new(Mutex::new(Box::new(|_| Fault::None)));
        let inside = Inside {
            client: super::client(&own).await?,
            judge: Arc::clone(&judge),
        };
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, identity.acceptor(None)?, inside));
        Ok(Door {
            kubeconfig,
            judge,
            _listener: listening,
        })
    }
}

impl Door {
    /// The kubeconfig of who comes in by it.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// From now on, `judge` says what becomes of each request.
    pub fn set(&self, judge: impl FnMut(&Asked) -> Fault + Send + 'static) {
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(judge);
    }

    /// From now on, the write of this number is done and not answered, and nothing after it is done; tells when it comes.
    pub fn hang_at(&self, number: usize) -> watch::Receiver<bool> {
        let (hangs, told) = watch::channel(false);
        let mut writes = 0;
        self.set(move |asked| {
            writes += usize::from(asked.is_write());
            if writes < number {
                Fault::None
            } else if hangs.send_replace(true) {
                Fault::Delay(Duration::from_hours(1))
            } else {
                Fault::Hang
            }
        });
        told
    }

    /// From now on, everything is let through.
    pub fn open(&self) {
        self.set(|_| Fault::None);
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("kubeconfig", &self.kubeconfig)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Inside {
    client: Client,
    judge: Arc<Mutex<Judge>>,
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, inside: Inside) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let (acceptor, inside) = (acceptor.clone(), inside.clone());
                connections.spawn(async move {
                    stream.set_nodelay(true).ok();
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| inside.clone().answer(request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // To break connections is what the door is for.
                    connection.await.ok();
                });
            }
            // Ended connections are forgotten as they come.
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Inside {
    async fn answer(self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let asked = Asked {
            method: request.method().clone(),
            path: request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        };
        let fault = {
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            judge(&asked)
        };
        match fault {
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
            Fault::Refuse(status) => return refusal(status),
            Fault::Answer(status, body) => return foreign(status, body),
            Fault::None | Fault::LoseAnswer | Fault::Truncate | Fault::Hang => {}
        }
        let response = self.pass(request).await.map_err(io::Error::other)?;
        match fault {
            Fault::LoseAnswer => Err(io::ErrorKind::ConnectionReset.into()),
            Fault::Hang => std::future::pending().await,
            Fault::Truncate => Ok(response.map(truncated)),
            _ => Ok(response),
        }
    }

    /// Asks the API server itself.
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Body>> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        head.headers.remove(HOST);
        head.headers.remove(ACCEPT_ENCODING);
        let request = Request::from_parts(head, kube::client::Body::from(body));
        let mut response = self.client.send(request).await?;
        response.headers_mut().remove(TRANSFER_ENCODING);
        Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync()))
    }
}

/// Half of the first piece of a body.
fn truncated(body: Body) -> Body {
    let half = body.into_data_stream().take(1).map(|piece| {
        piece.map(|bytes| {
            let half = bytes.len() / 2;
            Frame::data(bytes.slice(..half))
        })
    });
    let broken = stream::iter([Err(io::ErrorKind::ConnectionReset.into())]);
    StreamBody::new(half.chain(broken)).boxed_unsync()
}

/// What a server answers that is none of ours.
fn foreign(code: u16, body: &'static str) -> io::Result<Response<Body>> {
    let never = |never: Infallible| match never {};
    Response::builder()
        .status(StatusCode::from_u16(code).map_err(io::Error::other)?)
        .body(Full::from(body).map_err(never).boxed_unsync())
        .map_err(io::Error::other)
}

/// A refusal in the words of the API server.
fn refusal(code: u16) -> io::Result<Response<Body>> {
    let (reason, message) = match code {
        409 => (
            "Conflict",
            "the object has been modified; please apply your changes to the latest version",
        ),
        429 => ("TooManyRequests", "too many requests, try again later"),
        _ => ("InternalError", "the server could not do what was asked"),
    };
    let status = serde_json::json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {},
        "status": "Failure", "reason": reason, "message": message, "code": code,
    });
    let never = |never: Infallible| match never {};
    let body = Full::from(status.to_string()).map_err(never).boxed_unsync();
    let mut response = Response::builder()
        .status(StatusCode::from_u16(code).map_err(io::Error::other)?)
        .header(CONTENT_TYPE, "application/json");
    if code == 429 {
        response = response.header(RETRY_AFTER, "1");
    }
    response.body(body).map_err(io::Error::other)
}
