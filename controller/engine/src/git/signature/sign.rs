//! The key that signs commits.

use std::{collections::BTreeMap, fmt};

use super::{openpgp, ssh};
use crate::git::{
    credentials::{Error as CredentialsError, text},
    ssh::Identity,
};

/// A private key that signs commits. It stays in memory and cannot be printed.
pub struct Signer(Key);

enum Key {
    OpenPgp(Box<openpgp::Secret>),
    Ssh(Identity),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// Reads a Secret: `git.asc`, an armored OpenPGP private key, or `identity`, an SSH private key;
    /// and `password`, if the key is encrypted.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, CredentialsError> {
        let password = text(data, "password")?;
        let password = password.as_deref();
        match (data.get("git.asc"), data.get("identity")) {
            (Some(_), Some(_)) => Err(CredentialsError::Conflict {
                first: "git.asc",
                second: "identity",
            }),
            (Some(key), None) => {
                let key = openpgp::Secret::parse(key, password)?;
                Ok(Self(Key::OpenPgp(Box::new(key))))
            }
            (None, Some(key)) => Ok(Self(Key::Ssh(Identity::parse(key, password)?))),
            (None, None) => Err(CredentialsError::Missing {
                key: "git.asc or identity",
                why: "holds the private key that signs commits: armored OpenPGP, or SSH",
            }),
        }
    }

    /// Signs bytes as git does for commits; `None` if the key cannot sign after all.
    pub(crate) fn sign(&self, payload: &[u8]) -> Option<String> {
        match &self.0 {
            Key::OpenPgp(key) => key.sign(payload),
            Key::Ssh(key) => ssh::sign(&key.key(), payload),
        }
    }
}
