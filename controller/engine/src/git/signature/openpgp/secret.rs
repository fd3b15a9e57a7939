//! A private key that signs.

use pgp::{
    composed::{ArmorOptions, Deserializable, DetachedSignature, SignedSecretKey},
    crypto::hash::HashAlgorithm,
    types::{KeyDetails, Password, SigningKey, Timestamp},
};
use rand_core::OsRng;

use super::{check_primary, check_primary_valid, check_subkey};
use crate::git::credentials::Error;

/// A private key, and which of its parts signs.
pub(in crate::git::signature) struct Secret {
    key: SignedSecretKey,
    password: Password,
    /// The place of the subkey that signs; `None` is the primary key.
    subkey: Option<usize>,
}

impl Secret {
    pub(in crate::git::signature) fn parse(
        text: &[u8],
        password: Option<&str>,
    ) -> Result<Self, Error> {
        let malformed = |what| Error::Malformed {
            key: "git.asc",
            what,
        };
        let what = "is not an armored OpenPGP private key";
        let text = std::str::from_utf8(text).map_err(|_| malformed(what))?;
        let (key, _) = SignedSecretKey::from_string(text.trim()).map_err(|_| malformed(what))?;
        let subkey = choose(&key).map_err(malformed)?;
        let secret = Self {
            key,
            password: password.map(Password::from).unwrap_or_default(),
            subkey,
        };
        if secret.sign(b"").is_some() {
            return Ok(secret);
        }
        Err(match password {
            None if secret.is_locked() => Error::Missing {
                key: "password",
                why: "opens the encrypted private key in git.asc",
            },
            None => malformed("has a signing key whose private part is missing or unusable"),
            Some(_) => malformed("cannot be opened with the password, or cannot sign"),
        })
    }

    pub(in crate::git::signature) fn sign(&self, payload: &[u8]) -> Option<String> {
        match self.subkey {
            None => self.sign_with(&self.key.primary_key, payload),
            Some(at) => self.sign_with(&self.key.secret_subkeys.get(at)?.key, payload),
        }
    }

    fn sign_with(&self, key: &impl SigningKey, payload: &[u8]) -> Option<String> {
        // What git and its hosts accept everywhere; the recommendation of a strong key is kept.
        let hash = match key.hash_alg() {
            strong @ (HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => strong,
            _ => HashAlgorithm::Sha256,
        };
        let signed =
            DetachedSignature::sign_binary_data(OsRng, key, &self.password, hash, payload).ok()?;
        signed.to_armored_string(ArmorOptions::default()).ok()
    }

    fn is_locked(&self) -> bool {
        let parts = match self.subkey {
            None => self.key.primary_key.secret_params(),
            Some(at) => match self.key.secret_subkeys.get(at) {
                Some(subkey) => subkey.key.secret_params(),
                None => return false,
            },
        };
        parts.is_encrypted()
    }
}

/// Chooses as gpg does: the newest subkey that may sign, or else the primary key.
fn choose(key: &SignedSecretKey) -> Result<Option<usize>, &'static str> {
    let public = key.to_public_key();
    let now = Timestamp::now();
    check_primary_valid(&public, now)
        .map_err(|_| "is an OpenPGP key that is expired or revoked")?;
    let may_sign = |(at, subkey): (usize, &pgp::composed::SignedSecretSubKey)| {
        check_subkey(&public, &subkey.signed_public_key(), now).ok()?;
        Some((subkey.key.created_at().as_secs(), at))
    };
    let subkeys = key.secret_subkeys.iter().enumerate();
    if let Some((_, at)) = subkeys.filter_map(may_sign).max() {
        return Ok(Some(at));
    }
    check_primary(&public, now).map_err(|_| "is an OpenPGP key that may not sign")?;
    Ok(None)
}
