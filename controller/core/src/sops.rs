//! Files encrypted by SOPS, decrypted in memory.
//!
//! ```text
//!  bytes ─► format, metadata ─► data key (Keyring: age, OpenPGP) ─► every value ─► MAC ─► bytes
//! ```
//!
//! - Formats: YAML (also several documents), JSON, dotenv, ini, and binary, which is what SOPS makes of anything else.
//! - Keys: age (X25519 and SSH) and OpenPGP; several key groups with Shamir's scheme. Keys of cloud services and of Vault are
//!   not asked: a file that has no other recipient is an error that names them.
//! - Which values are encrypted follows the rules in the file (`encrypted_regex`, `unencrypted_suffix`, …), as in SOPS: a value
//!   that should be encrypted and is not is an error. With rules about comments, a value is encrypted if it looks so.
//! - The MAC is always checked, also with `mac_only_encrypted`. Flux v2 does not check it.
//! - Of a YAML file only the values change: lines, order and comments stay as they are, so that what is wrong is found in the
//!   right line.
//! - An object annotated `flux.rs/decrypt: disabled` (or with Flux v2's name of it) stays encrypted, for a controller in the
//!   cluster that decrypts it.
//!
//! Nothing decrypted is in an error, and nothing is written anywhere.

mod cipher;
mod dotenv;
mod ini;
mod json;
mod keys;
mod metadata;
mod objects;
mod rules;
mod session;
mod shamir;
mod tree;
mod yaml;

use zeroize::Zeroizing;

pub use self::keys::{KeyError, Keyring};
pub use self::objects::{decrypt_data, refuse_encrypted};
pub use self::tree::Decrypting;

#[cfg(test)]
mod tests;

/// How the MAC of every file of SOPS begins.
const MARK: &[u8] = b"ENC[AES256_GCM,";
/// Bytes of an encrypted file.
const LIMIT: usize = 8 << 20;

/// Why a file cannot be decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// What SOPS wrote into the file is not what it should be.
    #[error("the metadata of SOPS cannot be read: {0}")]
    Metadata(&'static str),
    /// No key fits.
    #[error(
        "no key of spec.decryption.secretRef decrypts it; its recipients are {}{}",
        recipients.join(", "),
        if *foreign { " (keys of cloud services and Vault are not supported: add an age or OpenPGP recipient)" } else { "" }
    )]
    NoKey {
        /// Whom it is encrypted for.
        recipients: Vec<String>,
        /// Whether some are of a kind that is not supported.
        foreign: bool,
    },
    /// The data key that came out is not one.
    #[error("the decrypted data key is not one of SOPS")]
    DataKey,
    /// A value should be encrypted and is not.
    #[error(
        "{path} should be encrypted by the rules in the file, and is not: encrypt the file again with sops"
    )]
    Open {
        /// The path of the value.
        path: String,
    },
    /// A value was changed or moved after it was encrypted.
    #[error("{path} cannot be decrypted: it was changed or moved without sops")]
    Value {
        /// The path of the value.
        path: String,
    },
    /// Something in the file was changed after it was encrypted.
    #[error(
        "the MAC does not fit: the file was changed without sops; encrypt it again, or undo the change"
    )]
    Mac,
    /// The text around the values has a form that is not supported.
    #[error("line {line}: {what}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What is not supported.
        what: &'static str,
    },
    /// The file is too large.
    #[error("the encrypted file is larger than 8 MiB")]
    TooLarge,
}

/// What came out of an encrypted file.
pub struct Plain {
    /// The content.
    pub bytes: Vec<u8>,
    /// Every decrypted text, to keep it out of messages.
    pub secrets: Vec<Zeroizing<String>>,
}

impl Plain {
    /// A binary file is one secret as a whole, if it is text at all.
    fn with_content_as_secret(mut self) -> Self {
        if let Ok(text) = std::str::from_utf8(&self.bytes) {
            self.secrets.push(Zeroizing::new(text.to_owned()));
        }
        self
    }
}

/// The formats that SOPS writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Json,
    Dotenv,
    Ini,
    Binary,
}

/// Decrypts a file; `None` if it is not encrypted. `path` decides the format where the content does not.
pub fn decrypt(path: &str, bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    if !looks_encrypted(bytes) {
        return Ok(None);
    }
    if bytes.len() > LIMIT {
        return Err(Error::TooLarge);
    }
    match format(path, bytes) {
        Format::Yaml => yaml::decrypt(bytes, keyring),
        Format::Json => json::decrypt(bytes, keyring),
        Format::Binary => json::decrypt_binary(bytes, keyring),
        Format::Dotenv => dotenv::decrypt(bytes, keyring),
        Format::Ini => ini::decrypt(bytes, keyring),
    }
}

/// Tells in no time that a file is certainly not encrypted.
fn looks_encrypted(bytes: &[u8]) -> bool {
    holds(bytes, MARK) && holds(bytes, b"sops")
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn format(path: &str, bytes: &[u8]) -> Format {
    let path = path.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    if is_json && ends(&[".yaml", ".yml", ".json", ".dockerconfigjson"]) {
        Format::Json
    } else if is_json {
        json::format(bytes)
    } else if ends(&[".yaml", ".yml"]) {
        Format::Yaml
    } else if ends(&[".env"]) || holds(bytes, b"sops_mac=") {
        Format::Dotenv
    } else if ends(&[".ini"]) || holds(bytes, b"[sops]") {
        Format::Ini
    } else {
        Format::Yaml
    }
}
