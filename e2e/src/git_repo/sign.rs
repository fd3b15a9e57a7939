//! Signatures with SSH keys, as `git commit -S` makes them with `gpg.format=ssh`.

use anyhow::{Context, Result};
use russh::keys::{HashAlg, PrivateKey, ssh_key::LineEnding};

/// A key that signs commits and tags.
#[derive(Debug, Clone)]
pub struct SshSigner {
    key: PrivateKey,
}

impl SshSigner {
    /// Makes a new Ed25519 key.
    pub fn generate() -> Result<Self> {
        Ok(Self {
            key: crate::git_server::random_key()?,
        })
    }

    /// The public key, as in `authorized_keys`.
    pub fn public_key(&self) -> Result<String> {
        self.key
            .public_key()
            .to_openssh()
            .context("write the public key")
    }

    /// The private key in OpenSSH's format.
    pub fn private_key(&self) -> Result<String> {
        let text = self
            .key
            .to_openssh(LineEnding::LF)
            .context("write the private key")?;
        Ok(text.as_str().to_owned())
    }

    /// Signs bytes in git's namespace.
    pub fn sign(&self, bytes: &[u8]) -> Result<String> {
        let signature = self
            .key
            .sign("git", HashAlg::Sha512, bytes)
            .context("sign")?;
        signature
            .to_pem(LineEnding::LF)
            .context("write the signature")
    }
}
