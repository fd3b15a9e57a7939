//! Requests to receivers of notifications: one at a time, with limits, never to where they were not meant to go.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flux_core::notify::{Method, Request};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use crate::git::chain;
use crate::registry::retry_after;
use crate::tls::{self, Tls};

const CONNECT: Duration = Duration::from_secs(5);
/// Time for one request and its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);
/// So many different sets of certificates are kept ready.
const MAX_CLIENTS: usize = 64;
/// Of an answer only so much is read.
const MAX_ANSWER: usize = 16 << 10;

/// Why a request got no answer. The address is in none of them: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one that can be called.
    #[error("the receiver's url is not a valid http:// or https:// address")]
    Address,
    /// A header holds what a header cannot hold.
    #[error("a value for the header {0} has a character that a header cannot have")]
    Header(&'static str),
    /// The certificates in the Secret cannot be used.
    #[error(transparent)]
    Certificates(#[from] tls::Error),
    /// The receiver was too slow.
    #[error("the receiver gave no answer in time")]
    Timeout,
    /// The connection failed.
    #[error("the receiver could not be reached: {0}")]
    Connection(String),
}

impl Error {
    /// Tells whether another try can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout | Self::Connection(_) => true,
            Self::Address | Self::Header(_) | Self::Certificates(_) => false,
        }
    }
}

/// What a receiver answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// Sends requests; connections stay open between them.
#[derive(Default)]
pub struct Poster(Mutex<HashMap<Tls, reqwest::Client>>);

impl Poster {
    /// Sends one request, with the `ca.crt`, `tls.crt` and `tls.key` of a Secret if they are there. Redirects are not followed.
    pub async fn send(
        &self,
        request: Request,
        certificates: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Answer, Error> {
        let Request {
            method,
            url,
            headers,
            body,
        } = request;
        let client = self.client(&Tls::from_secret(certificates)?)?;
        let url = reqwest::Url::parse(url.expose()).map_err(|_| Error::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Error::Address);
        }
        let mut asking = match method {
            Method::Post => client.post(url),
            Method::Put => client.put(url),
        };
        for (name, value) in headers {
            let mut value =
                HeaderValue::from_str(value.expose()).map_err(|_| Error::Header(name))?;
            value.set_sensitive(true);
            asking = asking.header(name, value);
        }
        let asking = asking.header(CONTENT_TYPE, "application/json").body(body);
        answer(asking.send().await.map_err(failure)?).await
    }

    fn client(&self, tls: &Tls) -> Result<reqwest::Client, Error> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(tls) {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config()?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("flux/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .no_proxy()
            .build()
            .map_err(failure)?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(tls.clone(), client.clone());
        Ok(client)
    }
}

async fn answer(mut response: reqwest::Response) -> Result<Answer, Error> {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        // A status is an answer, also when the rest of it breaks off.
        let Ok(Some(chunk)) = response.chunk().await else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_ANSWER);
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: retry_after(response.headers(), Timestamp::now()),
        body,
    })
}

fn failure(error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::Timeout;
    }
    // The causes name hosts and ports at most; the address itself may be the secret.
    Error::Connection(chain(&error.without_url()))
}
