//! One HTTP request for one notice.

use std::collections::BTreeMap;
use std::fmt;

use flux_crds::Notification;
use flux_crds::notification::{NotificationEvent as Event, NotificationKind};

use super::{Kind, Notice, alertmanager, chat, commit_status, flux_v1, matrix, webhook};
use crate::redact::{Redacted, scrub};

/// Why a notice cannot be sent to a receiver. Names keys of Secrets, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key that the kind needs is missing.
    #[error("{kind} needs {key:?} in the Secret that secretRef names")]
    Missing {
        /// The kind of receiver.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// The address is none.
    #[error("the url of {kind} is not one of http:// or https:// without a user and blanks")]
    Address {
        /// The kind of receiver.
        kind: &'static str,
    },
    /// A value cannot stand in a header.
    #[error("the value of {key:?} in the Secret holds a line break or another control character")]
    Header {
        /// The key.
        key: &'static str,
    },
    /// The address of the repository does not tell where commit statuses go.
    #[error(
        "the repository's address does not tell the API for commit statuses; put it into the Secret as \"url\""
    )]
    Forge,
    /// The template is wrong.
    #[error("the template of the notification, line {line}: {reason}")]
    Template {
        /// The line of the template, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As something new.
    Post,
    /// Under a name of ours, so that sending it again changes nothing.
    Put,
}

/// An HTTP request. Its address and its headers may hold secrets, and print as `***`.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: Redacted<String>,
    /// What stands above the body.
    pub headers: Vec<(&'static str, Redacted<String>)>,
    /// The body, which is JSON.
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn post(url: impl Into<String>, body: &serde_json::Value) -> Self {
        Self {
            method: Method::Post,
            url: Redacted::new(url.into()),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, Redacted::new(value)));
        self
    }
}

/// A receiver, with the secrets that it needs.
#[derive(Clone)]
pub struct Sink {
    pub(super) kind: NotificationKind,
    pub(super) template: Option<String>,
    url: Option<Redacted<String>>,
    token: Option<Redacted<String>>,
    channel: Option<Redacted<String>>,
    /// Whether the repository's address may say where the token goes.
    pub(super) trusts_repository: bool,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Sink {
    /// Returns the receiver that a spec names, with what its Secret holds.
    ///
    /// A token goes to the server of the repository only if `trusts_repository`: who owns the repository chooses that address.
    pub fn new(
        notification: &Notification,
        secret: &BTreeMap<String, Vec<u8>>,
        trusts_repository: bool,
    ) -> Self {
        let get = |key: &str| {
            let text = String::from_utf8_lossy(secret.get(key)?).trim().to_owned();
            (!text.is_empty()).then(|| Redacted::new(text))
        };
        Self {
            kind: notification.kind,
            template: notification.template.clone(),
            url: notification
                .url
                .clone()
                .map(Redacted::new)
                .or_else(|| get("url").or_else(|| get("address"))),
            token: get("token"),
            channel: get("channel"),
            trusts_repository,
        }
    }

    /// Returns the address without a slash at its end, if there is one.
    pub(super) fn address(&self) -> Result<Option<&str>, Error> {
        let Some(url) = &self.url else {
            return Ok(None);
        };
        let url = url.expose().trim_end_matches('/');
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\';
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_host = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
        if !is_host || !url.chars().all(is_plain) {
            let kind = self.kind.as_str();
            return Err(Error::Address { kind });
        }
        Ok(Some(url))
    }

    /// Returns the address, which has to be there.
    pub(super) fn url(&self) -> Result<&str, Error> {
        self.address()?.ok_or_else(|| self.missing("url"))
    }

    /// Returns the token, which has to be there.
    pub(super) fn token(&self) -> Result<&str, Error> {
        self.maybe_token()?.ok_or_else(|| self.missing("token"))
    }

    /// Returns the token, if there is one.
    pub(super) fn maybe_token(&self) -> Result<Option<&str>, Error> {
        let token = self.token.as_ref().map(|token| token.expose().as_str());
        if token.is_some_and(|token| token.contains(char::is_control)) {
            return Err(Error::Header { key: "token" });
        }
        Ok(token)
    }

    /// Returns the channel or room, which has to be there.
    pub(super) fn channel(&self) -> Result<&str, Error> {
        let channel = self.channel.as_ref();
        channel
            .map(|channel| channel.expose().as_str())
            .ok_or_else(|| self.missing("channel"))
    }

    /// Returns a key as bytes, also one that cannot stand in a header.
    pub(super) fn key(&self) -> Option<&[u8]> {
        self.token.as_ref().map(|token| token.expose().as_bytes())
    }

    /// Returns the same receiver with an address that `http` speaks, for those whose users write `ws`.
    pub(super) fn with_http(&self) -> Self {
        let http = |url: &Redacted<String>| {
            let url = url.expose();
            let rest = url.strip_prefix("ws").unwrap_or(url);
            let is_ws = rest.len() < url.len();
            Redacted::new(if is_ws {
                format!("http{rest}")
            } else {
                url.clone()
            })
        };
        Self {
            url: self.url.as_ref().map(http),
            ..self.clone()
        }
    }

    /// Returns a text without the secrets of this receiver, and without credentials in addresses.
    pub(super) fn scrub(&self, text: &str) -> String {
        let secrets: Vec<&String> = [&self.url, &self.token]
            .into_iter()
            .flatten()
            .map(Redacted::expose)
            .collect();
        scrub(text, &secrets)
    }

    fn missing(&self, key: &'static str) -> Error {
        let kind = self.kind.as_str();
        Error::Missing { kind, key }
    }
}

/// Tells whether a receiver is to hear of this.
pub fn wants(notification: &Notification, notice: &Notice) -> bool {
    let asked = |event| notification.on.contains(&event);
    let is_asked = match notice.kind {
        // Who does not hear of each end would see it begin and never end.
        Kind::Progressing => {
            asked(Event::Applied) && asked(Event::Failed) && asked(Event::RolledBack)
        }
        Kind::Applied => asked(Event::Applied),
        Kind::Failed => asked(Event::Failed),
        Kind::RolledBack => asked(Event::RolledBack),
        // Who waits for a revision hears that it is there, though it ended a failure too.
        Kind::Recovered => {
            asked(Event::Failed) || asked(Event::RolledBack) || asked(Event::Applied)
        }
        Kind::Drift => asked(Event::Drift),
        Kind::ImageUpdate => asked(Event::ImageUpdate),
    };
    if !notification.on.is_empty() && !is_asked {
        return false;
    }
    match notification.kind {
        NotificationKind::GitHubStatus
        | NotificationKind::GitLabStatus
        | NotificationKind::GiteaStatus => commit_status::is_for(notice),
        NotificationKind::Alertmanager => alertmanager::is_for(notice, is_asked),
        // A revision in which nothing changed here is news for its commit alone.
        _ if notice.kind == Kind::Progressing => false,
        _ => notice.kind != Kind::Applied || notice.changed > 0,
    }
}

/// Returns the request that tells a receiver.
pub fn render(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    match sink.kind {
        NotificationKind::Slack => chat::slack(sink, notice),
        NotificationKind::MsTeams => chat::teams(sink, notice),
        NotificationKind::Discord => chat::discord(sink, notice),
        NotificationKind::Matrix => matrix::request(sink, notice),
        NotificationKind::Webhook => webhook::request(sink, notice),
        NotificationKind::GitHubStatus => commit_status::on_github(sink, notice),
        NotificationKind::GitLabStatus => commit_status::on_gitlab(sink, notice),
        NotificationKind::GiteaStatus => commit_status::on_gitea(sink, notice),
        NotificationKind::Alertmanager => alertmanager::request(sink, notice),
        NotificationKind::FluxV1 => flux_v1::request(sink, notice),
    }
}
