//! The HTTP endpoints: `/metrics`, and `/healthz` with `/readyz` on an address of their own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::metrics::Metrics;

/// What the endpoints tell.
pub(crate) struct Endpoints {
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether all objects have been listed once.
    pub(crate) ready: watch::Receiver<bool>,
}

/// Answers requests on `listener` until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, endpoints: Arc<Endpoints>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                continue;
            }
        };
        let endpoints = Arc::clone(&endpoints);
        let service = service_fn(move |request| {
            let endpoints = Arc::clone(&endpoints);
            async move { Ok::<_, Infallible>(answer(&request, &endpoints)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
}

/// Binds an address, with the address in the error.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    use anyhow::Context as _;
    TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}"))
}

fn answer(request: &Request<Incoming>, endpoints: &Endpoints) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/metrics" => text(
            StatusCode::OK,
            endpoints.metrics.encode(),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        "/healthz" => text(StatusCode::OK, "ok\n".to_owned(), "text/plain"),
        "/readyz" if *endpoints.ready.borrow() => {
            text(StatusCode::OK, "ok\n".to_owned(), "text/plain")
        }
        "/readyz" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "objects not listed yet\n".to_owned(),
            "text/plain",
        ),
        _ => text(
            StatusCode::NOT_FOUND,
            "not found\n".to_owned(),
            "text/plain",
        ),
    }
}

fn text(code: StatusCode, body: String, content_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = code;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}
