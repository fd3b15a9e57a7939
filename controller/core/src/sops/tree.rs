//! A tree of files in which those that are encrypted read decrypted.

use std::sync::{Mutex, PoisonError};

use flux_kustomize::{Entry, FileTree, TreeError};
use zeroize::Zeroizing;

use super::{Keyring, decrypt};

/// Shows the files of another tree, decrypted where they are encrypted.
///
/// A build over it sees generator inputs, patches and manifests in the clear; nothing is kept but the texts that must not
/// show in messages.
pub struct Decrypting<'t> {
    tree: &'t dyn FileTree,
    keyring: &'t Keyring,
    secrets: Mutex<Vec<Zeroizing<String>>>,
}

impl<'t> Decrypting<'t> {
    /// Wraps a tree.
    pub fn new(tree: &'t dyn FileTree, keyring: &'t Keyring) -> Self {
        Self {
            tree,
            keyring,
            secrets: Mutex::default(),
        }
    }

    /// Returns every text that was decrypted, to keep it out of messages.
    pub fn into_secrets(self) -> Vec<Zeroizing<String>> {
        self.secrets
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileTree for Decrypting<'_> {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        self.tree.entry(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let bytes = self.tree.read(path)?;
        match decrypt(path, &bytes, self.keyring) {
            Ok(None) => Ok(bytes),
            Ok(Some(plain)) => {
                let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
                secrets.extend(plain.secrets);
                Ok(plain.bytes)
            }
            Err(error) => Err(TreeError::new(
                path,
                format!("it cannot be decrypted: {error}"),
            )),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        self.tree.list(path)
    }
}
