//! The answer to one request.

use std::{convert::Infallible, sync::Arc};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
        LINK, LOCATION, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
    },
};
use serde_json::Value;

use super::{Conduct, Entrance, Front, Seen, lock};
use crate::registry::{IDENTITY_TOKEN, PASSWORD, USER};

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// What an HTML page of a proxy or login looks like.
const HTML: &str = "<!DOCTYPE html><html><body>Please sign in</body></html>";

/// Answers as the conduct for the path demands, and takes note.
pub(super) async fn answer(
    front: Arc<Front>,
    request: Request<Incoming>,
    entrance: Entrance,
) -> Result<Response<Body>, Infallible> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let mut seen = Seen {
        method: request.method().to_string(),
        authorization: scheme(request.headers()),
        status: None,
        path,
    };
    let conduct = front.conduct_of(&seen.path);
    if conduct == Conduct::Hanging {
        lock(&front.seen).push(seen);
        return std::future::pending().await;
    }
    if let Conduct::Slow(delay) = conduct {
        tokio::time::sleep(delay).await;
    }
    let response = match made_up(&conduct) {
        Some(response) => response,
        None => match genuine(&front, request, entrance).await {
            Ok(response) => spoil(response, &conduct),
            Err(error) => plain(StatusCode::BAD_GATEWAY, &format!("{error:#}\n")),
        },
    };
    seen.status = Some(response.status().as_u16());
    lock(&front.seen).push(seen);
    Ok(response)
}

fn scheme(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.split(' ').next().map(str::to_owned)
}

/// Returns the answer of a conduct that does not ask the registry.
fn made_up(conduct: &Conduct) -> Option<Response<Body>> {
    let with = |status, name: HeaderName, value: &str| {
        let mut response = plain(status, "");
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
        response
    };
    Some(match conduct {
        Conduct::Failing(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(
                status,
                r#"{"errors": [{"code": "UNKNOWN", "message": "as it was told"}]}"#,
            )
        }
        Conduct::Busy(wait) => with(StatusCode::TOO_MANY_REQUESTS, RETRY_AFTER, wait),
        Conduct::Challenging(challenge) => {
            with(StatusCode::UNAUTHORIZED, WWW_AUTHENTICATE, challenge)
        }
        Conduct::Redirecting(location) => with(StatusCode::TEMPORARY_REDIRECT, LOCATION, location),
        Conduct::Garbage => plain(StatusCode::OK, HTML),
        Conduct::Saying(text) => plain(StatusCode::OK, text),
        Conduct::Good
        | Conduct::Slow(_)
        | Conduct::Hanging
        | Conduct::Cutting
        | Conduct::Halving
        | Conduct::Linking(_)
        | Conduct::AbsoluteLinks
        | Conduct::WithoutDigest => return None,
    })
}

/// Changes a genuine answer as the conduct demands.
fn spoil(response: Response<Bytes>, conduct: &Conduct) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let half = body.len() / 2;
    let body = match conduct {
        Conduct::Cutting => {
            // The length of the whole stays in the head.
            let broken = Err(std::io::Error::other("cut off"));
            let frames = [Ok(Frame::data(body.slice(..half))), broken];
            return Response::from_parts(
                head,
                StreamBody::new(stream::iter(frames)).boxed_unsync(),
            );
        }
        Conduct::Halving => {
            head.headers.remove(CONTENT_LENGTH);
            body.slice(..half)
        }
        Conduct::Linking(next) => {
            if let Ok(link) = HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")) {
                head.headers.insert(LINK, link);
            }
            body
        }
        Conduct::AbsoluteLinks => {
            absolute(&mut head.headers);
            body
        }
        Conduct::WithoutDigest => {
            head.headers.remove("docker-content-digest");
            body
        }
        Conduct::Good
        | Conduct::Slow(_)
        | Conduct::Failing(_)
        | Conduct::Busy(_)
        | Conduct::Challenging(_)
        | Conduct::Hanging
        | Conduct::Garbage
        | Conduct::Saying(_)
        | Conduct::Redirecting(_) => body,
    };
    Response::from_parts(head, whole(body))
}

fn absolute(headers: &mut HeaderMap) {
    let link = headers.get(LINK).and_then(|link| link.to_str().ok());
    let target = link.and_then(|link| link.strip_prefix("<"));
    let absolute = target.map(|target| format!("<http://127.0.0.1{target}"));
    if let Some(link) = absolute.and_then(|link| HeaderValue::from_str(&link).ok()) {
        headers.insert(LINK, link);
    }
}

async fn genuine(
    front: &Front,
    request: Request<Incoming>,
    entrance: Entrance,
) -> Result<Response<Bytes>> {
    match entrance {
        Entrance::Registry => forward(front, request).await,
        Entrance::Tokens => token(front, request).await,
    }
}

async fn forward(front: &Front, request: Request<Incoming>) -> Result<Response<Bytes>> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("http://127.0.0.1:{}{path}", front.ports.backend);
    let authorization = head.headers.get(AUTHORIZATION);
    if authorization
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| front.tokens.is_void(value))
    {
        head.headers.remove(AUTHORIZATION);
    }
    head.headers.remove(HOST);
    let body = body.collect().await.context("read a request")?.to_bytes();
    let sent = front
        .client
        .request(head.method, url)
        .headers(head.headers)
        .body(body)
        .send()
        .await
        .context("ask distribution")?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = sent.status();
    *response.headers_mut() = sent.headers().clone();
    for name in [TRANSFER_ENCODING, CONNECTION] {
        response.headers_mut().remove(name);
    }
    *response.body_mut() = sent.bytes().await.context("read distribution's answer")?;
    Ok(response)
}

/// Answers as a token server does, to user and password or to an identity token.
async fn token(front: &Front, request: Request<Incoming>) -> Result<Response<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.context("read a request")?.to_bytes();
    let form = match head.method {
        Method::POST => String::from_utf8_lossy(&body).into_owned(),
        _ => head.uri.query().unwrap_or_default().to_owned(),
    };
    let url: reqwest::Url = format!("http://form/?{form}").parse()?;
    let value = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let scope = value("scope");
    let repository = scope
        .split(':')
        .nth(1)
        .context("a token needs a scope of the form repository:<name>:pull")?;
    let is_known = match head.method {
        Method::POST => value("refresh_token") == IDENTITY_TOKEN,
        _ => is_jane(&head.headers),
    };
    let is_anonymous = !head.headers.contains_key(AUTHORIZATION) && head.method == Method::GET;
    let is_public = is_anonymous && repository.starts_with("public/");
    if !is_known && !is_public {
        let mut refused = Response::new(Bytes::new());
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(refused);
    }
    let answer: Value = front.tokens.answer(repository)?;
    Ok(Response::new(Bytes::from(answer.to_string())))
}

fn is_jane(headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    headers
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes() == expected.as_bytes())
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::from(text.to_owned())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn whole(bytes: Bytes) -> Body {
    Full::from(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}
