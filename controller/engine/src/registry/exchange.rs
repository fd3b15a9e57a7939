//! One request to a registry: paced, let in, redirected, and understood.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{
    Method, RequestBuilder, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};

use super::{
    Access, Error,
    address::{self, Repository},
    answer::{Answer, failure},
    challenge::{self, Challenge, Scheme},
    clients::Clients,
    headers,
    pace::{Hosts, Pace},
    shelf::Shelf,
    token::{SchemeKey, Token, TokenKey},
};

const MAX_REDIRECTS: usize = 5;
/// How long a host that says "too many" without a time is left alone.
const DEFAULT_WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// What one client has learned about hosts and what it uses to reach them.
pub(super) struct Exchange {
    pub(super) hosts: Hosts,
    clients: Clients,
    pub(super) schemes: Shelf<SchemeKey, Scheme>,
    pub(super) tokens: Shelf<TokenKey, Token>,
}

/// What is asked of a repository.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'static str,
    /// What is asked for, in words.
    pub(super) what: String,
}

impl Exchange {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            hosts: Hosts::new(pace),
            clients: Clients::default(),
            schemes: Shelf::new(1024),
            tokens: Shelf::new(8192),
        }
    }

    /// Asks, with credentials if the registry wants any, and returns an answer of success.
    pub(super) async fn ask(
        self: &Arc<Self>,
        repository: &Repository,
        question: &Question,
    ) -> Result<Answer, Error> {
        let pass = self.pass(repository).await?;
        let answer = self
            .follow(repository, question, pass.header.as_ref())
            .await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return understand(repository, question, answer).await;
        }
        // Only the registry itself may say to whom credentials are sent, not one to whom it redirects.
        let challenge =
            challenge::read(answer.headers()).filter(|_| repository.is_own(answer.url()));
        let challenge = challenge.ok_or_else(|| refused(repository, answer.host().to_owned()))?;
        let header = self.other_pass(repository, challenge, pass).await?;
        let answer = self.follow(repository, question, Some(&header)).await?;
        understand(repository, question, answer).await
    }

    /// Sends a request and follows redirects; credentials and client certificate go to the registry alone.
    async fn follow(
        &self,
        repository: &Repository,
        question: &Question,
        header: Option<&HeaderValue>,
    ) -> Result<Answer, Error> {
        let mut url = question.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let build = |request: RequestBuilder| {
                let request = request.header(ACCEPT, question.accept);
                match header.filter(|_| repository.is_own(&url)) {
                    Some(header) => request.header(AUTHORIZATION, header.clone()),
                    None => request,
                }
            };
            let answer = self
                .send(repository, question.method.clone(), &url, build)
                .await?;
            let Some(location) = answer.location() else {
                return Ok(answer);
            };
            url = target(&url, location, &repository.access)?;
        }
        Err(Error::Redirect {
            host: address::host(&url),
            why: "there are too many redirects",
        })
    }

    /// Sends one request when its host may be asked, and takes note when the host wants peace.
    pub(super) async fn send(
        &self,
        repository: &Repository,
        method: Method,
        url: &Url,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        let host = self.hosts.get(&address::host(url));
        host.admit().await?;
        let tls = repository.access.tls();
        let client = if repository.is_own(url) {
            self.clients.get(tls)?
        } else {
            self.clients.get(&tls.without_identity())?
        };
        let request = build(client.request(method.clone(), url.clone()));
        let response = request.send().await.map_err(failure)?;
        let status = response.status();
        tracing::debug!(%method, host = host.name(), path = url.path(), status = status.as_u16(), "registry answered");
        match peace(status, response.headers()) {
            Some(wait) => Err(host.hold(wait)),
            None => Ok(Answer::new(response)),
        }
    }

    /// Returns how the registry lets us in if a first look at its API says so.
    pub(super) async fn look(&self, repository: &Repository) -> Result<Challenge, Error> {
        let api = repository.api();
        let answer = self
            .send(repository, Method::GET, api, |request| request)
            .await?;
        let status = answer.status();
        if status.is_server_error() {
            let (host, status) = (answer.host().to_owned(), status.as_u16());
            let message = answer.complaint().await;
            return Err(Error::Status {
                host,
                status,
                message,
            });
        }
        // An odd answer to this question may still be followed by a good one to the real question.
        let challenge =
            challenge::read(answer.headers()).filter(|_| status == StatusCode::UNAUTHORIZED);
        Ok(challenge.unwrap_or(Challenge {
            scheme: Scheme::Open,
            scope: None,
        }))
    }
}

/// Returns how long the host wants to be left alone.
fn peace(status: StatusCode, headers: &HeaderMap) -> Option<std::time::Duration> {
    let wait = headers::retry_after(headers, Timestamp::now());
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(wait.unwrap_or(DEFAULT_WAIT)),
        StatusCode::SERVICE_UNAVAILABLE => wait,
        _ => None,
    }
}

/// Returns the address that a redirect leads to, if we go there.
fn target(from: &Url, location: &str, access: &Access) -> Result<Url, Error> {
    let refuse = |why| Error::Redirect {
        host: address::host(from),
        why,
    };
    let next = from
        .join(location)
        .map_err(|_| refuse("the Location header is malformed"))?;
    if next.scheme() != "https" && !(next.scheme() == "http" && access.is_insecure()) {
        return Err(refuse("a redirect would leave TLS"));
    }
    Ok(next)
}

/// Turns an answer that is none into an error.
async fn understand(
    repository: &Repository,
    question: &Question,
    answer: Answer,
) -> Result<Answer, Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let host = answer.host().to_owned();
    Err(match status {
        StatusCode::UNAUTHORIZED => refused(repository, host),
        StatusCode::FORBIDDEN => Error::Forbidden {
            host,
            image: repository.image.clone(),
            message: answer.complaint().await,
        },
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound {
            what: question.what.clone(),
        },
        status => Error::Status {
            host,
            status: status.as_u16(),
            message: answer.complaint().await,
        },
    })
}

/// The registry wants to know who we are, or does not like who we are.
pub(super) fn refused(repository: &Repository, host: String) -> Error {
    let hint = match repository.access.login() {
        Some(_) => {
            "check the image's name and the credentials for it (spec.secretRef or the service account's pull secrets)"
        }
        None => {
            "check the image's name; if it is private, set spec.secretRef to a Secret of type kubernetes.io/dockerconfigjson that has an entry for it"
        }
    };
    Error::Unauthorized {
        host,
        image: repository.image.clone(),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_do_not_leave_tls() {
        let from: Url = "https://r.example/v2/a/blobs/x".parse().unwrap();
        let everyone = Access::anonymous();
        let next = target(&from, "/other?token=x", &everyone).unwrap();
        assert_eq!(next.as_str(), "https://r.example/other?token=x");
        assert!(target(&from, "https://cdn.example/x", &everyone).is_ok());
        assert!(target(&from, "http://r.example/x", &everyone).is_err());
        assert!(
            target(
                &from,
                "file:///etc/passwd",
                &everyone.clone().insecure(true)
            )
            .is_err()
        );
        assert!(target(&from, "http://r.example/x", &everyone.insecure(true)).is_ok());
    }

    #[test]
    fn two_statuses_ask_for_peace() {
        let none = HeaderMap::new();
        assert_eq!(
            peace(StatusCode::TOO_MANY_REQUESTS, &none),
            Some(DEFAULT_WAIT)
        );
        assert_eq!(peace(StatusCode::SERVICE_UNAVAILABLE, &none), None);
        let mut five = HeaderMap::new();
        five.insert("retry-after", HeaderValue::from_static("5"));
        let wait = Some(std::time::Duration::from_secs(5));
        assert_eq!(peace(StatusCode::TOO_MANY_REQUESTS, &five), wait);
        assert_eq!(peace(StatusCode::SERVICE_UNAVAILABLE, &five), wait);
        assert_eq!(peace(StatusCode::OK, &five), None);
    }
}
