//! Decryption of the values of one file, and the MAC over them.

use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::cipher::{Clear, DataKey, Kind, is_sealed};
use super::keys::Keyring;
use super::metadata::Metadata;
use super::rules::Rules;
use super::{Error, Plain};

/// With what a MAC over encrypted values alone begins: the SHA-256 of `sops`.
const ENCRYPTED_ONLY: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A decrypted value as the format writes it.
pub(super) enum Value {
    Text(Zeroizing<String>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl Value {
    /// Returns the value as SOPS writes it into formats without types.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Text(text) => return text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Boolean(value) => value.to_string(),
        })
    }
}

/// The values of one file, from the first to the last.
pub(super) struct Session {
    metadata: Metadata,
    rules: Rules,
    key: DataKey,
    mac: Sha512,
    of_encrypted: bool,
    secrets: Vec<Zeroizing<String>>,
}

impl Session {
    pub(super) fn new(metadata: Metadata, keyring: &Keyring) -> Result<Self, Error> {
        let of_encrypted = metadata.is_mac_of_encrypted();
        let mut mac = Sha512::new();
        if of_encrypted {
            mac.update(ENCRYPTED_ONLY);
        }
        Ok(Self {
            rules: metadata.rules()?,
            key: metadata.data_key(keyring)?,
            metadata,
            mac,
            of_encrypted,
            secrets: Vec::new(),
        })
    }

    /// Takes a text; returns what it is when decrypted, `None` if it stays as it is.
    pub(super) fn text(&mut self, path: &[String], text: &str) -> Result<Option<Value>, Error> {
        let Some(bytes) = self.bytes(path, text)? else {
            return Ok(None);
        };
        let wrong = || Error::Value { path: name(path) };
        let text = std::str::from_utf8(&bytes.bytes).map_err(|_| wrong())?;
        let value = match bytes.kind {
            Kind::Text | Kind::Bytes | Kind::Time | Kind::Comment => {
                self.secrets.push(Zeroizing::new(text.to_owned()));
                Value::Text(Zeroizing::new(text.to_owned()))
            }
            Kind::Integer => Value::Integer(text.parse().map_err(|_| wrong())?),
            Kind::Float => Value::Float(text.parse().map_err(|_| wrong())?),
            Kind::Boolean => Value::Boolean(text.eq_ignore_ascii_case("true")),
        };
        Ok(Some(value))
    }

    /// As [`Self::text`], for what need not be text.
    pub(super) fn bytes(&mut self, path: &[String], text: &str) -> Result<Option<Clear>, Error> {
        let is_encrypted = self.rules.is_encrypted(path);
        if !is_encrypted.unwrap_or_else(|| is_sealed(text)) {
            self.open_value(text.as_bytes());
            return Ok(None);
        }
        // SOPS leaves empty text empty.
        if text.is_empty() {
            return Ok(None);
        }
        if !is_sealed(text) {
            return Err(Error::Open { path: name(path) });
        }
        let place = format!("{}:", path.join(":"));
        let clear = self.key.open(text, &place);
        let clear = clear.ok_or_else(|| Error::Value { path: name(path) })?;
        match (clear.kind, std::str::from_utf8(&clear.bytes)) {
            (Kind::Float, Ok(text)) if let Ok(value) = text.parse::<f64>() => {
                self.mac.update(value.to_string());
            }
            (Kind::Boolean, Ok(text)) => {
                let is_true = text.eq_ignore_ascii_case("true");
                self.mac.update(if is_true { "True" } else { "False" });
            }
            _ => self.mac.update(&clear.bytes),
        }
        Ok(Some(clear))
    }

    /// Takes a value that is no text, in the words of the MAC.
    pub(super) fn other(&mut self, path: &[String], words: &str) -> Result<(), Error> {
        if self.rules.is_encrypted(path) == Some(true) {
            return Err(Error::Open { path: name(path) });
        }
        self.open_value(words.as_bytes());
        Ok(())
    }

    fn open_value(&mut self, bytes: &[u8]) {
        if !self.of_encrypted {
            self.mac.update(bytes);
        }
    }

    /// Decrypts a comment that may stand at one of many places. Comments are not part of the MAC.
    pub(super) fn comment(&self, text: &str, places: &[String]) -> Option<Zeroizing<String>> {
        if !is_sealed(text) {
            return None;
        }
        let clear = places.iter().find_map(|place| self.key.open(text, place))?;
        let text = String::from_utf8(clear.bytes.to_vec()).ok()?;
        Some(Zeroizing::new(text.replace(['\n', '\r'], " ")))
    }

    /// Checks the MAC; returns the decrypted texts.
    pub(super) fn finish(self) -> Result<Vec<Zeroizing<String>>, Error> {
        let (sealed, place) = self.metadata.mac();
        let expected = self.key.open(sealed, place).ok_or(Error::Mac)?;
        let found = self.mac.finalize();
        let found = format!("{found:X}");
        if !found.as_bytes().eq_ignore_ascii_case(&expected.bytes) {
            return Err(Error::Mac);
        }
        Ok(self.secrets)
    }

    /// Checks the MAC and returns the file.
    pub(super) fn plain(self, bytes: Vec<u8>) -> Result<Option<Plain>, Error> {
        let secrets = self.finish()?;
        Ok(Some(Plain { bytes, secrets }))
    }
}

/// Returns a path for a person.
pub(super) fn name(path: &[String]) -> String {
    path.join(".")
}
