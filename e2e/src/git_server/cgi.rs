//! The bridge from HTTP to `git http-backend`.

use std::{io, process::Stdio, sync::Arc};

use anyhow::{Context, Result};
use futures::Stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{
    Conduct, Shared,
    conduct::Pace,
    http::Body,
    traffic::{Counters, add},
};
use crate::git_repo::hermetic_environment;

/// Runs the backend for one request and streams both bodies.
pub(super) async fn run(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
    conduct: Conduct,
) -> Result<Response<Body>> {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .envs(hermetic_environment());
    describe(&request, &mut command);
    command
        .env("GIT_PROJECT_ROOT", &shared.repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().context("start git http-backend")?;
    let input = child.stdin.take().context("write to git http-backend")?;
    let mut output = BufReader::new(child.stdout.take().context("read from git http-backend")?);
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if path.ends_with("/info/refs")
        && !is_version_2(request.headers())
        && query.contains("git-upload-pack")
    {
        add(&shared.counters.listings, 1);
    }
    let mut pace = Pace::new(conduct);
    if path.ends_with("/git-receive-pack") {
        pace.begin_answer();
    }
    tokio::spawn(feed(request, input, path, Arc::clone(shared)));
    let mut response = Response::new(());
    *response.status_mut() = read_headers(&mut output, response.headers_mut()).await?;
    let body = StreamBody::new(body(child, output, pace, Arc::clone(shared)));
    Ok(response.map(|()| body.boxed_unsync()))
}

/// Says in the variables of CGI (RFC 3875) what is asked.
fn describe(request: &Request<Incoming>, command: &mut Command) {
    let headers = request.headers();
    let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    command.env("REQUEST_METHOD", request.method().as_str());
    command.env("PATH_INFO", request.uri().path());
    command.env("QUERY_STRING", request.uri().query().unwrap_or_default());
    command
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", "git");
    let variables = [
        ("CONTENT_TYPE", CONTENT_TYPE),
        ("CONTENT_LENGTH", CONTENT_LENGTH),
        ("HTTP_CONTENT_ENCODING", CONTENT_ENCODING),
        ("GIT_PROTOCOL", HeaderName::from_static("git-protocol")),
    ];
    for (variable, name) in variables {
        if let Some(value) = header(&name) {
            command.env(variable, value);
        }
    }
}

fn is_version_2(headers: &HeaderMap) -> bool {
    headers
        .get("git-protocol")
        .is_some_and(|value| value.as_bytes().windows(9).any(|part| part == b"version=2"))
}

/// Copies the request's body to the backend.
async fn feed(
    request: Request<Incoming>,
    mut input: ChildStdin,
    path: String,
    shared: Arc<Shared>,
) {
    let compressed = request.headers().contains_key(CONTENT_ENCODING);
    let mut body = request.into_body();
    let mut first = true;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if std::mem::take(&mut first) {
            count(&path, &data, compressed, &shared.counters);
        }
        add(&shared.counters.received, data.len());
        // The backend may stop reading early, for instance when it refuses.
        if input.write_all(&data).await.is_err() {
            break;
        }
    }
}

fn count(path: &str, data: &[u8], compressed: bool, counters: &Counters) {
    if path.ends_with("/git-receive-pack") {
        add(&counters.pushes, 1);
    } else if !compressed
        && data
            .windows(15)
            .take(8)
            .any(|part| part == b"command=ls-refs")
    {
        add(&counters.listings, 1);
    } else {
        add(&counters.fetches, 1);
    }
}

/// Reads the head of the backend's answer; its status is 200 unless it says another.
async fn read_headers(
    output: &mut BufReader<ChildStdout>,
    headers: &mut HeaderMap,
) -> Result<StatusCode> {
    let mut status = StatusCode::OK;
    loop {
        let mut line = String::new();
        output
            .read_line(&mut line)
            .await
            .context("read the head of the backend's answer")?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok(status);
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value
                .split(' ')
                .next()
                .and_then(|code| code.parse().ok())
                .unwrap_or(500);
            status = StatusCode::from_u16(code).context("read the backend's status")?;
        } else {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes())?,
                HeaderValue::from_str(value)?,
            );
        }
    }
}

/// Streams the rest of the backend's answer; the child lives as long as somebody reads.
fn body(
    child: Child,
    output: BufReader<ChildStdout>,
    pace: Pace,
    shared: Arc<Shared>,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    futures::stream::unfold(Some((child, output, pace, shared)), |state| async move {
        let (child, mut output, mut pace, shared) = state?;
        let mut buffer = vec![0; 16 << 10];
        match output.read(&mut buffer).await {
            Ok(0) => None,
            Ok(length) => {
                let admitted = pace.admit(length).await;
                buffer.truncate(admitted);
                add(&shared.counters.sent, admitted);
                if admitted < length {
                    let cut = io::Error::new(
                        io::ErrorKind::ConnectionReset,
                        "the answer is cut short on purpose",
                    );
                    return Some((Err(cut), None));
                }
                Some((
                    Ok(Frame::data(Bytes::from(buffer))),
                    Some((child, output, pace, shared)),
                ))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}
