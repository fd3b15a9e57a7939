//! Where a repository is and how to get there.

use std::{collections::BTreeMap, fmt};

use flux_core::git::RepositoryUrl;

use super::credentials::{Credentials, Error as CredentialsError};

/// A repository on some server, with what is needed to be let in.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its address.
    pub url: RepositoryUrl,
    /// What to show to the server.
    pub credentials: Credentials,
    /// The way there, if it is not a direct one. Only for http and https.
    pub proxy: Option<Proxy>,
}

/// A proxy: `http://`, `https://` or `socks5://`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub(crate) address: String,
    pub(crate) login: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(…)")
    }
}

impl Remote {
    /// A repository that everyone may read.
    pub fn anonymous(url: RepositoryUrl) -> Self {
        Self {
            url,
            credentials: Credentials::default(),
            proxy: None,
        }
    }
}

impl Proxy {
    /// Reads the keys `address`, `username` and `password` of a Secret.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, CredentialsError> {
        let address = text(data, "address")?.ok_or(CredentialsError::Missing {
            key: "address",
            why: "says where the proxy is, for example http://proxy.example.com:3128",
        })?;
        let schemes = ["http://", "https://", "socks5://", "socks5h://"];
        let malformed = |what| CredentialsError::Malformed {
            key: "address",
            what,
        };
        if !schemes.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(malformed(
                "does not start with http://, https:// or socks5://",
            ));
        }
        if address.contains('@') {
            return Err(malformed(
                "holds credentials: put them under the keys username and password",
            ));
        }
        let login = match (text(data, "username")?, text(data, "password")?) {
            (Some(user), password) => Some((user, password.unwrap_or_default())),
            (None, _) => None,
        };
        Ok(Self { address, login })
    }
}

fn text(
    data: &BTreeMap<String, Vec<u8>>,
    key: &'static str,
) -> Result<Option<String>, CredentialsError> {
    let Some(value) = data.get(key) else {
        return Ok(None);
    };
    let what = "is not UTF-8 text";
    let value =
        std::str::from_utf8(value).map_err(|_| CredentialsError::Malformed { key, what })?;
    Ok(Some(value.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        entries.iter().map(entry).collect()
    }

    #[test]
    fn a_proxy_needs_an_address_without_credentials() {
        assert!(Proxy::from_secret(&data(&[("address", "http://proxy:3128\n")])).is_ok());
        assert!(Proxy::from_secret(&data(&[])).is_err());
        assert!(Proxy::from_secret(&data(&[("address", "ftp://proxy")])).is_err());
        let error =
            Proxy::from_secret(&data(&[("address", "http://me:hunter2@proxy")])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_proxy_cannot_be_printed() {
        let secret = data(&[
            ("address", "http://proxy"),
            ("username", "me"),
            ("password", "hunter2"),
        ]);
        assert!(!format!("{:?}", Proxy::from_secret(&secret).unwrap()).contains("hunter2"));
    }
}
