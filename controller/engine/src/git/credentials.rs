//! Credentials from the data of a Secret. They stay in memory and cannot be printed.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use flux_core::git::{RepositoryUrl, Scheme};

use super::ssh::{Identity, KnownHosts};
use crate::tls::{self, Tls};

/// What a Secret lacks. Names keys, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key that is needed is not there.
    #[error("the Secret has no key {key:?}, which {why}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What needs it.
        why: &'static str,
    },
    /// Nothing in the Secret is of use.
    #[error("the Secret has none of the keys that {scheme} repositories use: {keys}")]
    Nothing {
        /// The scheme.
        scheme: &'static str,
        /// The keys that would do.
        keys: &'static str,
    },
    /// A value cannot be read.
    #[error("the value of {key:?} in the Secret {what}")]
    Malformed {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        what: &'static str,
    },
    /// A public key cannot be read.
    #[error("the value of {key:?} in the Secret {what}")]
    Key {
        /// The key of the Secret.
        key: String,
        /// What is wrong with its value.
        what: &'static str,
    },
    /// A certificate or its key cannot be used.
    #[error(transparent)]
    Certificates(#[from] tls::Error),
    /// Two ways at once.
    #[error("the Secret has both {first:?} and {second:?}: keep one of them")]
    Conflict {
        /// One key.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// SSH without a Secret.
    #[error(
        "ssh repositories need credentials: set spec.secretRef to a Secret with the keys identity and known_hosts"
    )]
    NoSecret,
}

/// What is shown to a server, and what a server has to show.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Value of the `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// Passwords and tokens, as they are and as they are sent.
    secrets: Vec<String>,
    pub(crate) tls: Tls,
    pub(crate) ssh: Option<Ssh>,
}

#[derive(Clone)]
pub(crate) struct Ssh {
    pub(crate) identity: Identity,
    pub(crate) known_hosts: KnownHosts,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

type Data = BTreeMap<String, Vec<u8>>;

impl Credentials {
    /// Reads the data of a Secret for a repository.
    pub fn from_secret(url: &RepositoryUrl, data: &Data) -> Result<Self, Error> {
        match url.scheme() {
            Scheme::Https | Scheme::Http => Self::for_http(data),
            Scheme::Ssh => Self::for_ssh(data),
            Scheme::File => Ok(Self::default()),
        }
    }

    fn for_http(data: &Data) -> Result<Self, Error> {
        let credentials = Self {
            authorization: authorization(data)?,
            secrets: secrets(data)?,
            tls: Tls::from_secret(data)?,
            ssh: None,
        };
        if credentials.authorization.is_none() && credentials.tls == Tls::default() {
            return Err(Error::Nothing {
                scheme: "https",
                keys: "username and password, bearerToken, ca.crt, tls.crt and tls.key",
            });
        }
        Ok(credentials)
    }

    fn for_ssh(data: &Data) -> Result<Self, Error> {
        let identity = data.get("identity").ok_or(Error::Missing {
            key: "identity",
            why: "holds the private key for ssh",
        })?;
        let known_hosts = data.get("known_hosts").ok_or(Error::Missing {
            key: "known_hosts",
            why: "says which host keys to trust for ssh (see ssh-keyscan)",
        })?;
        let password = text(data, "password")?;
        Ok(Self {
            ssh: Some(Ssh {
                identity: Identity::parse(identity, password.as_deref())?,
                known_hosts: KnownHosts::parse(known_hosts)?,
            }),
            ..Self::default()
        })
    }

    /// Takes out of a text what was shown to a server, should it say it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "…");
        }
        text
    }

    /// Returns what may be shown to another repository: everything if it is on the same server.
    pub(crate) fn for_other(&self, own: &RepositoryUrl, other: &RepositoryUrl) -> Self {
        if own.same_server(other) {
            return self.clone();
        }
        Self {
            tls: self.tls.without_identity(),
            ..Self::default()
        }
    }
}

fn authorization(data: &Data) -> Result<Option<String>, Error> {
    let why = "basic authentication needs";
    let header = match (
        text(data, "username")?,
        text(data, "password")?,
        text(data, "bearerToken")?,
    ) {
        (None, None, None) => return Ok(None),
        (None, None, Some(token)) => format!("Bearer {token}"),
        (Some(user), Some(password), None) => {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        (Some(_), None, None) => {
            return Err(Error::Missing {
                key: "password",
                why,
            });
        }
        (None, Some(_), None) => {
            return Err(Error::Missing {
                key: "username",
                why,
            });
        }
        (_, _, Some(_)) => {
            return Err(Error::Conflict {
                first: "bearerToken",
                second: "username",
            });
        }
    };
    Ok(Some(header))
}

fn secrets(data: &Data) -> Result<Vec<String>, Error> {
    let mut secrets: Vec<_> = [text(data, "password")?, text(data, "bearerToken")?]
        .into_iter()
        .flatten()
        .collect();
    let sent = authorization(data)?;
    let sent = sent.as_deref().and_then(|header| header.split_once(' '));
    secrets.extend(sent.map(|(_, sent)| sent.to_owned()));
    Ok(secrets)
}

/// Reads a one-line value; the line feed that `echo` leaves behind is not a part of it.
pub(crate) fn text(data: &Data, key: &'static str) -> Result<Option<String>, Error> {
    let Some(value) = data.get(key) else {
        return Ok(None);
    };
    let malformed = |what| Error::Malformed { key, what };
    let value = std::str::from_utf8(value).map_err(|_| malformed("is not UTF-8 text"))?;
    let value = value.trim_end_matches(['\r', '\n']);
    if value.chars().any(char::is_control) {
        return Err(malformed("has a control character in it"));
    }
    if value.is_empty() {
        return Err(malformed("is empty"));
    }
    Ok(Some(value.to_owned()))
}

#[cfg(test)]
mod tests;
