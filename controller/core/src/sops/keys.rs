//! The private keys of a Sync.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;

use pgp::composed::{DecryptionOptions, Deserializable as _, Message, SignedSecretKey, TheRing};
use pgp::types::Password;
use zeroize::Zeroizing;

/// Bytes that a data key may have, and more than any has.
const DATA_KEY: u64 = 4096;
const PGP_BEGIN: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";

/// A Secret without usable keys. Names the key of the Secret and the line, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There are no keys.
    #[error(
        "has no keys: put age identities under a name that ends in .agekey, or armored OpenPGP private keys under one that ends in .asc"
    )]
    Empty,
    /// Something is not a key.
    #[error("{name}: {what}")]
    Invalid {
        /// The key of the Secret.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// The private keys that decrypt files; prints none of them.
#[derive(Default)]
pub struct Keyring {
    age: Vec<Box<dyn age::Identity + Send + Sync>>,
    pgp: Vec<SignedSecretKey>,
    passwords: Vec<Password>,
    print: u64,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("age", &self.age.len())
            .field("pgp", &self.pgp.len())
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Takes the keys of a Secret: age and SSH identities under `*.agekey`, armored OpenPGP keys under `*.asc` with their
    /// passphrase, if they have one, under `*.asc.passphrase`. Other names are left alone.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, KeyError> {
        let mut ring = Self::default();
        let mut hasher = DefaultHasher::new();
        for (name, value) in data {
            let ends = |end: &str| name.to_ascii_lowercase().ends_with(end);
            let invalid = |what: String| KeyError::Invalid {
                name: name.clone(),
                what,
            };
            if !(ends(".agekey") || ends(".asc") || ends(".asc.passphrase")) {
                continue;
            }
            (name, value).hash(&mut hasher);
            let text = std::str::from_utf8(value).map_err(|_| invalid("is not text".to_owned()))?;
            if ends(".agekey") {
                ring.add_age(text).map_err(invalid)?;
            } else if ends(".asc") {
                ring.add_pgp(text).map_err(invalid)?;
            } else {
                ring.passwords
                    .push(Password::from(text.trim_end_matches(['\r', '\n'])));
            }
        }
        ring.passwords.push(Password::empty());
        ring.print = hasher.finish();
        if ring.age.is_empty() && ring.pgp.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(ring)
    }

    /// Returns one number for all keys: equal numbers, equal keys.
    pub fn print(&self) -> u64 {
        self.print
    }

    fn add_age(&mut self, text: &str) -> Result<(), String> {
        if text.trim_start().starts_with("-----BEGIN") {
            return self.add_ssh(text);
        }
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let what = if line.starts_with("AGE-PLUGIN-") {
                "age plugins are not supported"
            } else if line.starts_with("AGE-SECRET-KEY-PQ-") {
                "post-quantum identities are not supported"
            } else {
                "is not an age identity (AGE-SECRET-KEY-1…)"
            };
            let identity: age::x25519::Identity = line
                .parse()
                .map_err(|_| format!("line {}: {what}", index + 1))?;
            self.age.push(Box::new(identity));
        }
        Ok(())
    }

    fn add_ssh(&mut self, text: &str) -> Result<(), String> {
        let read = age::ssh::Identity::from_buffer(text.as_bytes(), None);
        match read.map_err(|_| "is not an SSH private key".to_owned())? {
            identity @ age::ssh::Identity::Unencrypted(_) => {
                self.age.push(Box::new(identity));
                Ok(())
            }
            age::ssh::Identity::Encrypted(_) => {
                Err("the SSH key has a passphrase: remove it with ssh-keygen -p".to_owned())
            }
            age::ssh::Identity::Unsupported(_) => {
                Err("SSH keys must be of the type ed25519 or rsa".to_owned())
            }
        }
    }

    fn add_pgp(&mut self, text: &str) -> Result<(), String> {
        let wrong = || "is not an armored OpenPGP private key".to_owned();
        let blocks = text.split(PGP_BEGIN).skip(1);
        let mut found = false;
        for block in blocks {
            let armored = Zeroizing::new(format!("{PGP_BEGIN}{block}"));
            let (keys, _) = SignedSecretKey::from_string_many(&armored).map_err(|_| wrong())?;
            for key in keys {
                self.pgp.push(key.map_err(|_| wrong())?);
                found = true;
            }
        }
        if found { Ok(()) } else { Err(wrong()) }
    }

    /// Decrypts a part of a data key that was encrypted for an age recipient.
    pub(super) fn open_age(&self, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let armored = age::armor::ArmoredReader::new(sealed.as_bytes());
        let decryptor = age::Decryptor::new_buffered(armored).ok()?;
        let identities = self
            .age
            .iter()
            .map(|identity| &**identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).ok()?;
        let mut clear = Zeroizing::new(Vec::with_capacity(64));
        reader.take(DATA_KEY).read_to_end(&mut clear).ok()?;
        Some(clear)
    }

    /// Decrypts a part of a data key that was encrypted for an OpenPGP key.
    pub(super) fn open_pgp(&self, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        if self.pgp.is_empty() {
            return None;
        }
        let (message, _) = Message::from_armor(sealed.as_bytes()).ok()?;
        let ring = TheRing {
            secret_keys: self.pgp.iter().collect(),
            key_passwords: self.passwords.iter().collect(),
            decrypt_options: DecryptionOptions::new().enable_gnupg_aead(),
            ..TheRing::default()
        };
        let (message, _) = message.decrypt_the_ring(ring, true).ok()?;
        let message = if message.is_compressed() {
            message.decompress().ok()?
        } else {
            message
        };
        let mut clear = Zeroizing::new(Vec::with_capacity(64));
        message.take(DATA_KEY).read_to_end(&mut clear).ok()?;
        Some(clear)
    }
}
