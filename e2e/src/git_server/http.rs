//! HTTP: who may come in, how the server behaves, and what is counted.

use std::{convert::Infallible, sync::Arc};

use http_body_util::{BodyExt as _, Empty, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Conduct, Shared, cgi, conduct, traffic::add};

pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Serves one connection until the client closes it.
pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A broken connection is what half of the tests are about.
    connection.await.ok();
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    add(&shared.counters.requests, 1);
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if !shared.access().admits(authorization) {
        add(&shared.counters.denied, 1);
        let mut denied = status(StatusCode::UNAUTHORIZED);
        denied.headers_mut().insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"git\""),
        );
        return Ok(denied);
    }
    let is_push = is_push(&request);
    if is_push && let Some(why) = shared.access().read_only() {
        return Ok(forbidden(why));
    }
    let conduct = conduct::before_answer(shared.conduct.subscribe()).await;
    if let Conduct::Failing(code) = conduct {
        return Ok(status(
            StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        ));
    }
    Ok(match cgi::run(request, &shared, conduct).await {
        Ok(response) => response,
        Err(error) => failure(&error),
    })
}

fn is_push(request: &Request<Incoming>) -> bool {
    let service = "git-receive-pack";
    let query = request.uri().query().unwrap_or_default();
    request.uri().path().ends_with(service) || query.ends_with(service)
}

fn forbidden(why: &str) -> Response<Body> {
    let text = http_body_util::Full::from(format!("{why}\n"));
    let mut response = Response::new(text.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::FORBIDDEN;
    let kind = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = code;
    response
}

fn failure(error: &anyhow::Error) -> Response<Body> {
    let text = http_body_util::Full::from(format!("{error:#}\n"));
    let mut response = Response::new(text.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
