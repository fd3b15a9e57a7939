//! Hashes that say whether an object must be touched, and the record of them in the status.
//!
//! They are persisted and compared by later versions of the controller, so that the algorithm is
//! fixed: the first eight bytes (big endian) of SHA-256 over a canonical form. SHA-256 because a
//! committer must not be able to craft a change that the controller does not see.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha2::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::managed_fields::{self, ManagedField};

#[cfg(test)]
mod tests;

/// Returns the hash of a manifest, independent of the order of its keys.
pub fn desired_hash(value: &Value) -> u64 {
    let mut hasher = Hasher::default();
    hasher.value(value);
    hasher.finish()
}

/// A key without which a hash in a status tells nothing about what was hashed.
///
/// Manifests of Secrets are hashed as well: with a plain hash, whoever may read a Sync could try passwords.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Returns the hash that stands for `hash` in a status: the first eight bytes of its HMAC with SHA-256.
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn seal(&self, hash: u64) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(&hash.to_be_bytes());
        first_eight(&mac.finalize().into_bytes())
    }
}

fn first_eight(digest: &[u8]) -> u64 {
    let bytes = digest.iter().take(8);
    bytes.fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Returns the hash of our own Apply entry, or none when the object has no such entry.
///
/// Every write by anyone else that changes or removes a field that we applied changes this hash;
/// status writes and fields that are not ours leave it alone.
pub fn owned_hash(entries: &[ManagedField]) -> Option<u64> {
    let entry = managed_fields::own_entry(entries)?;
    let fields = entry.fields_v1.as_ref().map_or("", |fields| fields.get());
    let mut hasher = Hasher::default();
    hasher.text(entry.time.as_deref().unwrap_or_default());
    // Go writes `<` as `\u003c` and serde does not; both spellings must give one hash, whether
    // the bytes come from the server or were held as a value in between.
    match fields.contains("\\u").then(|| reprint(fields)).flatten() {
        Some(reprinted) => hasher.text(&reprinted),
        None => hasher.text(fields),
    }
    Some(hasher.finish())
}

fn reprint(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    serde_json::to_string(&value).ok()
}

/// Feeds a canonical form (a tag, a length and the content of each value) to SHA-256.
#[derive(Default)]
struct Hasher(Sha256);

impl Hasher {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.update(b"n"),
            Value::Bool(true) => self.0.update(b"t"),
            Value::Bool(false) => self.0.update(b"f"),
            Value::Number(number) => {
                self.0.update(b"#");
                // Writing into a hasher cannot fail.
                write!(self, "{number};").unwrap_or_default();
            }
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                self.head(b"[", items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(key, _)| *key);
                self.head(b"{", fields.len());
                for (key, value) in fields {
                    self.text(key);
                    self.value(value);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.head(b"\"", text.len());
        self.0.update(text.as_bytes());
    }

    fn head(&mut self, tag: &[u8], length: usize) {
        self.0.update(tag);
        self.0.update((length as u64).to_be_bytes());
    }

    fn finish(self) -> u64 {
        first_eight(&self.0.finalize())
    }
}

impl fmt::Write for Hasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// What was applied last, and how our ownership looked right after it.
///
/// Its text form is 22 characters of URL-safe base64, kept in each inventory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record {
    /// [`desired_hash`] of the manifest that was applied, sealed by the controller's key.
    pub desired: u64,
    /// [`owned_hash`] of the API server's answer to that apply.
    pub owned: u64,
}

/// A record in the status cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a record of hashes: expected 22 characters of URL-safe base64")]
pub struct RecordError {
    text: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let both = u128::from(self.desired) << 64 | u128::from(self.owned);
        f.write_str(&URL_SAFE_NO_PAD.encode(both.to_be_bytes()))
    }
}

impl FromStr for Record {
    type Err = RecordError;

    #[expect(clippy::cast_possible_truncation, reason = "each half is one hash")]
    fn from_str(text: &str) -> Result<Self, RecordError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes: Option<[u8; 16]> = bytes.and_then(|bytes| bytes.try_into().ok());
        let both = bytes
            .map(u128::from_be_bytes)
            .ok_or_else(|| RecordError { text: text.into() })?;
        Ok(Self {
            desired: (both >> 64) as u64,
            owned: both as u64,
        })
    }
}
