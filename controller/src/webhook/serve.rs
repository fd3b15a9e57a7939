//! The server itself.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flux_core::image::Name;
use flux_core::webhook::{self, Call, News, Pushed};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::bucket::Bucket;
use super::hooks::{Hook, Object};
use crate::context::Context;
use crate::key::Key;

/// Largest body, in bytes.
const BODY: usize = 1 << 20;
/// How much of the body of a refused call is read and thrown away, in bytes: more than GitHub, which sends the largest,
/// puts in one (<https://docs.github.com/webhooks/webhook-events-and-payloads>).
const DISCARDED: usize = 32 << 20;
/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 64;
/// Time that the head of a call may take.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Time that its body may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Time that is spent on throwing one away.
const DISCARD_TIME: Duration = Duration::from_secs(2);
/// Calls at once and a second, of all paths together.
const ALL: (f64, f64) = (200.0, 100.0);
/// The same of paths that nobody has: they must not cost the others theirs.
const STRANGERS: (f64, f64) = (50.0, 10.0);

/// What all connections share.
struct Server {
    context: Arc<Context>,
    leads: watch::Receiver<bool>,
    all: Mutex<Bucket>,
    strangers: Mutex<Bucket>,
}

/// Answers calls on `listener` until the task is dropped; with 503 until this instance `leads`.
pub(crate) async fn serve(
    listener: TcpListener,
    context: Arc<Context>,
    leads: watch::Receiver<bool>,
) {
    let full = |(burst, per_second)| Mutex::new(Bucket::full(burst, per_second, Instant::now()));
    let server = Arc::new(Server {
        context,
        leads,
        all: full(ALL),
        strangers: full(STRANGERS),
    });
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "webhook connection not accepted");
                continue;
            }
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "webhook connection ended");
            }
            drop(permit);
        });
    }
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        let handled = self.handle(&head, &mut body).await;
        if handled.is_err() {
            discard(&mut body).await;
        }
        let (Ok(code) | Err(code)) = handled;
        self.context.metrics.called(code.as_u16());
        let words = code.canonical_reason().unwrap_or_default().to_lowercase();
        let mut response = Response::new(Full::from(format!("{words}\n")));
        *response.status_mut() = code;
        response
    }

    async fn handle(&self, head: &Parts, body: &mut Incoming) -> Result<StatusCode, StatusCode> {
        if !*self.leads.borrow() {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let hook = self.admit(head.uri.path(), Instant::now())?;
        if head.method != Method::POST {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let body = receive(body).await?;
        let header = |name: &str| head.headers.get(name)?.to_str().ok();
        let call = Call {
            header: &header,
            body: &body,
        };
        let object = &hook.object;
        if let Err(error) = webhook::verify(hook.sender, &hook.token, &call) {
            tracing::warn!(?object, %error, "webhook call refused");
            return Err(StatusCode::UNAUTHORIZED);
        }
        let news = webhook::read(hook.sender, &call).map_err(|error| {
            tracing::warn!(?object, %error, "webhook call refused");
            StatusCode::BAD_REQUEST
        })?;
        tracing::debug!(?object, ?news, "webhook called");
        Ok(wake(&self.context, object, &news))
    }

    /// Returns what is behind a path, if it may be called just now.
    fn admit(&self, path: &str, now: Instant) -> Result<Arc<Hook>, StatusCode> {
        let take = |bucket: &Mutex<Bucket>| {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(now)
        };
        let Some(hook) = self.context.hooks.find(path) else {
            return Err(if take(&self.strangers) {
                StatusCode::NOT_FOUND
            } else {
                StatusCode::TOO_MANY_REQUESTS
            });
        };
        if hook.admits(now) && take(&self.all) {
            Ok(hook)
        } else {
            Err(StatusCode::TOO_MANY_REQUESTS)
        }
    }
}

/// Reads a body that is neither too large nor too slow.
async fn receive(body: &mut Incoming) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > BODY as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let whole = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await;
    match whole {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Reads what is left of a body and forgets it: the caller of a connection that is closed before all was read may be told
/// that it was reset, and never see the answer.
async fn discard(body: &mut Incoming) {
    let mut left = DISCARDED;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else {
                return;
            };
            left = rest;
        }
    };
    // Whoever is slower than that may miss the answer.
    let _too_slow = tokio::time::timeout(DISCARD_TIME, read).await;
}

/// Wakes whom the news concern.
fn wake(context: &Context, object: &Object, news: &News) -> StatusCode {
    match (object, news) {
        (Object::Repository(key), News::Refs(refs)) => {
            let repository = context.repositories.get(key);
            let follows = repository.and_then(|repository| repository.spec.reference.clone());
            if !webhook::concerns(follows.as_ref(), refs) {
                return StatusCode::OK;
            }
            context.repositories.wake(key);
            StatusCode::ACCEPTED
        }
        (Object::Policy(key), News::Images(pushed)) => {
            context.policies.wake(key);
            for other in sharers(context, key, pushed) {
                context.policies.wake(&other);
            }
            StatusCode::ACCEPTED
        }
        (_, News::Nothing | News::Refs(_) | News::Images(_)) => StatusCode::OK,
    }
}

/// Returns the other policies of the namespace that watch one of these images.
fn sharers(context: &Context, key: &Key, pushed: &[Pushed]) -> Vec<Key> {
    let policies = context.policies.all();
    policies
        .iter()
        .filter(|policy| policy.metadata.namespace.as_deref() == Some(&*key.namespace))
        .filter(|policy| {
            let name: Result<Name, _> = policy.spec.image.parse();
            name.is_ok_and(|name| pushed.iter().any(|pushed| pushed.path == name.path()))
        })
        .map(|policy| Key::of(&policy.metadata))
        .filter(|other| other != key)
        .collect()
}
