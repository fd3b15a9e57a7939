//! Git over SSH, in this process.

mod connection;
mod known_hosts;

use std::{fmt, sync::Arc};

pub(crate) use connection::connect;
pub(crate) use known_hosts::KnownHosts;
use russh::keys::{PrivateKey, decode_secret_key};

use super::credentials::Error;

/// A private key. It is never written anywhere.
#[derive(Clone)]
pub(crate) struct Identity(Arc<PrivateKey>);

impl Identity {
    /// Reads a key in OpenSSH or PEM form, encrypted or not.
    pub(crate) fn parse(text: &[u8], password: Option<&str>) -> Result<Self, Error> {
        let malformed = |what| Error::Malformed {
            key: "identity",
            what,
        };
        let text = std::str::from_utf8(text).map_err(|_| malformed("is not a private key"))?;
        let read = decode_secret_key(text, None);
        let read = match (read, password) {
            (Err(russh::keys::Error::KeyIsEncrypted), None) => {
                let why = "opens the encrypted private key in identity";
                return Err(Error::Missing {
                    key: "password",
                    why,
                });
            }
            (Err(_), Some(password)) => decode_secret_key(text, Some(password)),
            (read, _) => read,
        };
        let key = read.map_err(|_| match password {
            Some(_) => malformed("is not a private key, or its password is another one"),
            None => malformed("is not a private key in OpenSSH or PEM form"),
        })?;
        Ok(Self(Arc::new(key)))
    }

    pub(crate) fn key(&self) -> Arc<PrivateKey> {
        self.0.clone()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}
