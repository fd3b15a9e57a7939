//! How we are let in: what the registry wants is found out once for each host, and a token is used until it expires.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Method, RequestBuilder, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;

use super::{
    Access, Error, Login,
    address::{self, Repository},
    answer::Answer,
    challenge::{Challenge, Realm, Scheme},
    exchange::{Exchange, refused},
    shelf::{Kept, Wanted},
};
use crate::tls::Tls;

/// How long it is believed that a registry still wants what it wanted.
const REMEMBER_SCHEME: Duration = Duration::from_hours(1);
/// How long a token holds that does not say so: what the token protocol prescribes.
const DEFAULT_LIFE: u64 = 60;
const LONGEST_LIFE: Duration = Duration::from_hours(12);
const MAX_TOKEN: usize = 1 << 20;
/// How long a token server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API of a registry, as someone who trusts these authorities.
pub(super) type SchemeKey = (Url, Tls);

/// What a token is for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    realm: Realm,
    scope: String,
    access: Access,
}

/// A token as a header, and when it was got.
#[derive(Clone)]
pub(super) struct Token {
    header: HeaderValue,
    got: Instant,
}

/// What a request shows to be let in.
pub(super) struct Pass {
    pub(super) header: Option<HeaderValue>,
    /// The token in it, and when it was got.
    token: Option<(TokenKey, Instant)>,
    asked: Instant,
}

impl Exchange {
    /// Returns what the registry will probably want to see.
    pub(super) async fn pass(self: &Arc<Self>, repository: &Repository) -> Result<Pass, Error> {
        let asked = Instant::now();
        let pass = |header| Pass {
            header,
            token: None,
            asked,
        };
        if let Some(Login::Registry(token)) = repository.access.login() {
            return Ok(pass(Some(header(repository, &format!("Bearer {token}"))?)));
        }
        Ok(match self.scheme(repository).await? {
            Scheme::Open => pass(None),
            Scheme::Basic => pass(basic(repository)?),
            Scheme::Bearer(realm) => {
                let key = TokenKey::new(repository, realm, None);
                let token = self.token(repository, &key).await?;
                Pass {
                    header: Some(token.header),
                    token: Some((key, token.got)),
                    asked,
                }
            }
        })
    }

    /// Returns what to show after the registry refused `pass` and said what it wants.
    pub(super) async fn other_pass(
        self: &Arc<Self>,
        repository: &Repository,
        challenge: Challenge,
        pass: Pass,
    ) -> Result<HeaderValue, Error> {
        let own = address::host(repository.api());
        let until = Instant::now() + REMEMBER_SCHEME;
        let value = challenge.scheme.clone();
        self.schemes
            .put(scheme_key(repository), Kept { value, until });
        match challenge.scheme {
            Scheme::Open => Err(refused(repository, own)),
            Scheme::Basic => match basic(repository)? {
                // The same password twice helps nobody, and can lock an account.
                Some(header) if pass.header.as_ref() != Some(&header) => Ok(header),
                Some(_) | None => Err(refused(repository, own)),
            },
            Scheme::Bearer(realm) => {
                let key = TokenKey::new(repository, realm, challenge.scope);
                if let Some((used, got)) = &pass.token
                    && *used == key
                {
                    // A token that is as new as the question is not refused for its age.
                    if *got >= pass.asked {
                        return Err(refused(repository, own));
                    }
                    self.tokens.forget(&key);
                }
                Ok(self.token(repository, &key).await?.header)
            }
        }
    }

    async fn scheme(self: &Arc<Self>, repository: &Repository) -> Result<Scheme, Error> {
        let key = scheme_key(repository);
        let (exchange, repository) = (Arc::clone(self), repository.clone());
        let look = || async move {
            let looking = exchange.look(&repository);
            let challenge = within(PATIENCE, repository.api(), looking).await?;
            Ok(Kept {
                value: challenge.scheme,
                until: Instant::now() + REMEMBER_SCHEME,
            })
        };
        self.schemes.get(key, Wanted::Any, look).await
    }

    async fn token(
        self: &Arc<Self>,
        repository: &Repository,
        key: &TokenKey,
    ) -> Result<Token, Error> {
        let (exchange, repository, owned) = (Arc::clone(self), repository.clone(), key.clone());
        let fetch = || async move {
            let fetching = exchange.fetch_token(&repository, &owned);
            within(PATIENCE, &owned.realm.url, fetching).await
        };
        self.tokens.get(key.clone(), Wanted::Any, fetch).await
    }

    async fn fetch_token(
        &self,
        repository: &Repository,
        key: &TokenKey,
    ) -> Result<Kept<Token>, Error> {
        let url = &key.realm.url;
        let host = address::host(url);
        if url.scheme() != "https" && !repository.access.is_insecure() {
            let why = "its token server is not spoken to over TLS";
            return Err(Error::Redirect { host, why });
        }
        let answer = match repository.access.login() {
            Some(Login::Identity(token)) => self.refresh(repository, key, token).await?,
            Some(Login::Password { .. } | Login::Registry(_)) | None => {
                self.request(repository, key).await?
            }
        };
        match answer.status() {
            status if status.is_success() => read(&answer.bytes(MAX_TOKEN).await?, host),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                Err(refused(repository, host))
            }
            status => Err(Error::Status {
                host,
                status: status.as_u16(),
                message: answer.complaint().await,
            }),
        }
    }

    /// Asks for a token as a user, or as nobody.
    async fn request(&self, repository: &Repository, key: &TokenKey) -> Result<Answer, Error> {
        let mut url = key.realm.url.clone();
        if let Some(service) = &key.realm.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &key.scope);
        let login = basic(repository)?;
        let build = |request: RequestBuilder| match login {
            Some(login) => request.header(AUTHORIZATION, login),
            None => request,
        };
        self.send(repository, Method::GET, &url, build).await
    }

    /// Asks for a token with an identity token.
    async fn refresh(
        &self,
        repository: &Repository,
        key: &TokenKey,
        token: &str,
    ) -> Result<Answer, Error> {
        // A query and a form are written alike.
        let mut form = key.realm.url.clone();
        form.set_query(None);
        form.query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", token)
            .append_pair("client_id", "flux")
            .append_pair("service", key.realm.service.as_deref().unwrap_or_default())
            .append_pair("scope", &key.scope);
        let body = form.query().unwrap_or_default().to_owned();
        let build = |request: RequestBuilder| {
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(body)
        };
        self.send(repository, Method::POST, &key.realm.url, build)
            .await
    }
}

impl TokenKey {
    fn new(repository: &Repository, realm: Realm, scope: Option<String>) -> Self {
        Self {
            realm,
            scope: scope.unwrap_or_else(|| repository.scope()),
            access: repository.access.clone(),
        }
    }
}

fn scheme_key(repository: &Repository) -> SchemeKey {
    (repository.api().clone(), repository.access.tls().clone())
}

async fn within<T>(
    limit: Duration,
    url: &Url,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let host = address::host(url);
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or(Err(Error::TimedOut { host }))
}

/// Returns the header with user and password, if we have them.
fn basic(repository: &Repository) -> Result<Option<HeaderValue>, Error> {
    let login = repository.access.login().and_then(Login::basic);
    login.map(|login| header(repository, &login)).transpose()
}

fn header(repository: &Repository, value: &str) -> Result<HeaderValue, Error> {
    let host = address::host(repository.api());
    secret_header(value).ok_or(Error::Credentials { host })
}

fn secret_header(value: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(value).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Reads the answer of a token server.
fn read(body: &[u8], host: String) -> Result<Kept<Token>, Error> {
    let granted: Option<Granted> = serde_json::from_slice(body).ok();
    let life = granted.as_ref().and_then(|granted| granted.expires_in);
    let token = granted
        .and_then(|granted| granted.token.or(granted.access_token))
        .filter(|token| !token.is_empty());
    let header = token.and_then(|token| secret_header(&format!("Bearer {token}")));
    let Some(header) = header else {
        let message = "its token server sends no token".to_owned();
        return Err(Error::Protocol { host, message });
    };
    let got = Instant::now();
    Ok(Kept {
        value: Token { header, got },
        until: got + useful(life.unwrap_or(DEFAULT_LIFE)),
    })
}

/// Returns how long a token is used that holds for so many seconds: its last quarter minute is for requests under way.
fn useful(life: u64) -> Duration {
    let life = Duration::from_secs(life).min(LONGEST_LIFE);
    life.saturating_sub((life / 4).min(Duration::from_secs(15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &str) -> Option<String> {
        let kept = read(body.as_bytes(), "auth.example".to_owned()).ok()?;
        Some(kept.value.header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_token_has_one_of_two_names() {
        assert_eq!(token(r#"{"token": "a"}"#).as_deref(), Some("Bearer a"));
        assert_eq!(
            token(r#"{"access_token": "b", "expires_in": 300}"#).as_deref(),
            Some("Bearer b")
        );
        for wrong in [
            "",
            "{}",
            r#"{"token": ""}"#,
            r#"{"token": "a\nb"}"#,
            "[]",
            "<html>",
        ] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_is_not_used_to_its_last_second() {
        for (life, expected) in [(0, 0), (4, 3), (60, 45), (300, 285), (u64::MAX, 43_185)] {
            assert_eq!(useful(life).as_secs(), expected, "{life}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let header = secret_header("Bearer hunter2").unwrap();
        assert!(!format!("{header:?}").contains("hunter2"));
        assert!(secret_header("Bearer a\nX: b").is_none());
    }
}
