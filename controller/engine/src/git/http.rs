//! Git's smart HTTP protocol over reqwest, as the backend of gix's HTTP transport.
//!
//! Caveat: the `Authorization` header is added here and only for the server of the repository's
//! own address; a redirect to another server goes there without it.

mod body;

use std::io;

use flux_core::git::RepositoryUrl;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::{
    Client, Method, Request, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, USER_AGENT},
};

use self::body::{Body, Headers, Pending, PostBody};
use super::{
    error::{Error, chain},
    line::Line,
    push::clean,
};

/// Servers look for this prefix to tell git from browsers.
const AGENT: &str = concat!("git/2 flux/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;
/// So many bytes of a refusal are read.
const MAX_SAID: usize = 1000;
type Result<T> = std::result::Result<T, gix_error::Error>;

/// Requests for one repository.
pub(crate) struct Remote {
    exchange: Exchange,
    /// The base of the address after a redirect.
    redirected: Option<String>,
}

#[derive(Clone)]
struct Exchange {
    client: Client,
    line: Line,
    url: RepositoryUrl,
    authorization: Option<HeaderValue>,
}

impl Remote {
    pub(crate) fn new(
        client: Client,
        line: Line,
        url: RepositoryUrl,
        authorization: Option<HeaderValue>,
    ) -> Self {
        Self {
            exchange: Exchange {
                client,
                line,
                url,
                authorization,
            },
            redirected: None,
        }
    }
}

impl Http for Remote {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<GetResponse<Headers, Body>> {
        let tail = url.strip_prefix(base_url).unwrap_or_default().to_owned();
        let request = request(Method::GET, url, headers)?;
        let (response, address) = self.exchange.follow(request).map_err(wrap)?;
        if let Some(base) = address.as_str().strip_suffix(&tail)
            && base != base_url
        {
            self.redirected = Some(base.to_owned());
        }
        let pending = Pending::answered(self.exchange.clone(), response);
        Ok(GetResponse {
            headers: Headers::of(&pending),
            body: Body::of(&pending),
        })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> Result<PostResponse<Headers, Body, PostBody>> {
        let request = request(Method::POST, url, headers)?;
        let pending = Pending::waiting(self.exchange.clone(), request);
        Ok(PostResponse {
            post_body: PostBody::of(&pending),
            headers: Headers::of(&pending),
            body: Body::of(&pending),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> Result<()> {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

fn wrap(error: io::Error) -> gix_error::Error {
    gix_error::Error::from_error(error)
}

fn request(
    method: Method,
    url: &str,
    headers: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Request> {
    let url = Url::parse(url).map_err(gix_error::Error::from_error)?;
    let mut request = Request::new(method, url);
    for header in headers {
        let Some((name, value)) = header.as_ref().split_once(':') else {
            continue;
        };
        let name: HeaderName = name.trim().parse().map_err(gix_error::Error::from_error)?;
        let value: HeaderValue = value.trim().parse().map_err(gix_error::Error::from_error)?;
        request.headers_mut().insert(name, value);
    }
    request
        .headers_mut()
        .insert(USER_AGENT, HeaderValue::from_static(AGENT));
    Ok(request)
}

impl Exchange {
    /// Sends a request without a body and follows redirects; returns the last address too.
    fn follow(&self, mut request: Request) -> io::Result<(Response, Url)> {
        for _ in 0..=MAX_REDIRECTS {
            let address = request.url().clone();
            let again = request.try_clone();
            let response = self.send(request)?;
            if !response.status().is_redirection() {
                return Ok((self.check(response)?, address));
            }
            let next = self.target(&response, &address)?;
            request = again.ok_or_else(|| self.redirect("the request cannot be repeated"))?;
            *request.url_mut() = next;
        }
        Err(self.redirect("there are too many redirects"))
    }

    fn send(&self, mut request: Request) -> io::Result<Response> {
        request.headers_mut().remove(AUTHORIZATION);
        if let Some(value) = &self.authorization
            && self.is_own_server(request.url())
        {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let server = server(request.url());
        let answer = self.line.wait(self.client.execute(request))?;
        // The address is left out of the text: that of a redirect may hold a token in its query.
        answer.map_err(|error| {
            let message = chain(&error.without_url());
            self.line.fail(Error::Connect { server, message })
        })
    }

    fn is_own_server(&self, url: &Url) -> bool {
        let scheme = match self.url.scheme() {
            flux_core::git::Scheme::Https => "https",
            _ => "http",
        };
        let host = url.host_str().unwrap_or_default();
        url.scheme() == scheme
            && host
                .trim_matches(['[', ']'])
                .eq_ignore_ascii_case(self.url.host())
            && url.port_or_known_default() == Some(self.url.port())
    }

    fn target(&self, response: &Response, from: &Url) -> io::Result<Url> {
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let next = location.and_then(|location| from.join(location).ok());
        let next =
            next.ok_or_else(|| self.redirect("the Location header is missing or malformed"))?;
        if from.scheme() == "https" && next.scheme() != "https"
            || !next.scheme().starts_with("http")
        {
            return Err(self.redirect("it would leave https"));
        }
        let is_ours = |url: &Url| url.path().ends_with("/info/refs") && url.query() == from.query();
        if !is_ours(&next) {
            return Err(
                self.redirect("the new address is not that of a git repository (a login page?)")
            );
        }
        Ok(next)
    }

    fn redirect(&self, why: &'static str) -> io::Error {
        let server = format!("{}:{}", self.url.host(), self.url.port());
        self.line.fail(Error::Redirect { server, why })
    }

    /// What a server writes for people beside a refusal, if that is plain text.
    fn said(&self, mut response: Response) -> io::Result<String> {
        let kind = response.headers().get(CONTENT_TYPE);
        let is_text = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        let mut said = Vec::new();
        while is_text && said.len() < MAX_SAID {
            match self.line.wait(response.chunk())? {
                Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        let said = clean(&said);
        if said.is_empty() {
            return Ok("the credentials of spec.secretRef may not write".to_owned());
        }
        Ok(said)
    }

    fn check(&self, response: Response) -> io::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let server = server(response.url());
        if status == StatusCode::FORBIDDEN && self.authorization.is_some() && is_push(&response) {
            let reason = self.said(response)?;
            return Err(self.line.fail(Error::Refused { server, reason }));
        }
        let hint = match (&self.authorization, self.is_own_server(response.url())) {
            (Some(_), true) => "check the Secret that spec.secretRef names",
            (Some(_), false) => {
                "it is another server than that of spec.url, so that no credentials were sent"
            }
            (None, _) => "set spec.secretRef to a Secret with username and password or bearerToken",
        };
        Err(self.line.fail(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Error::Unauthorized { server, hint }
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound {
                url: self.url.to_string(),
            },
            status => Error::Status {
                server,
                status: status.as_u16(),
            },
        }))
    }
}

fn is_push(response: &Response) -> bool {
    let service = "git-receive-pack";
    let query = response.url().query().unwrap_or_default();
    response.url().path().ends_with(service) || query.ends_with(service)
}

fn server(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}
