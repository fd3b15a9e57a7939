//! What a Sync builds with beside its files: the values of its variables and the keys that decrypt.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use flux_kustomize::{Build, FileTree, Object, Options};
use zeroize::Zeroizing;

use crate::desire::Problem;
use crate::sops::{Decrypting, Keyring, decrypt_data, refuse_encrypted};
use crate::substitute::{Variables, substitute};

/// Characters of the shortest decrypted text that is kept out of messages.
const SHORTEST: usize = 4;

/// The inputs of one build.
#[derive(Default)]
pub struct Inputs {
    /// The variables, if the Sync asks for substitution.
    pub variables: Option<Variables>,
    /// The keys, if the Sync asks for decryption.
    pub keyring: Option<Keyring>,
    decrypted: Mutex<Vec<Zeroizing<String>>>,
}

/// Why there is no build.
#[derive(Debug)]
pub enum Failure {
    /// The files are wrong.
    Build(flux_kustomize::Failure),
    /// Objects are wrong.
    Objects(Vec<Problem>),
}

impl Inputs {
    /// Takes the inputs.
    pub fn new(variables: Option<Variables>, keyring: Option<Keyring>) -> Self {
        Self {
            variables,
            keyring,
            decrypted: Mutex::default(),
        }
    }

    /// Builds a directory: decrypts the files that are encrypted, and fills in the variables.
    ///
    /// The objects are those that are applied, in the clear; [`Self::secrets`] then knows what must not be repeated.
    pub fn build(
        &self,
        tree: &dyn FileTree,
        path: &str,
        options: &Options,
    ) -> Result<Build, Failure> {
        let decrypting = self
            .keyring
            .as_ref()
            .map(|keyring| Decrypting::new(tree, keyring));
        let shown: &dyn FileTree = match &decrypting {
            Some(tree) => tree,
            None => tree,
        };
        let result = flux_kustomize::build(shown, path, options);
        if let Some(tree) = decrypting {
            self.has_decrypted(tree.into_secrets());
        }
        let mut build = result.map_err(Failure::Build)?;
        self.finish(tree, &mut build.objects)
            .map_err(Failure::Objects)?;
        Ok(build)
    }

    fn finish(&self, tree: &dyn FileTree, objects: &mut [Object]) -> Result<(), Vec<Problem>> {
        if let Some(keyring) = &self.keyring {
            self.has_decrypted(decrypt_data(objects, keyring)?);
        }
        refuse_encrypted(objects, self.keyring.is_some())?;
        match &self.variables {
            Some(variables) => substitute(objects, variables, &|path| tree.read(path).ok()),
            None => Ok(()),
        }
    }

    /// Texts of a few characters are no secrets, but words that stand everywhere.
    fn has_decrypted(&self, texts: Vec<Zeroizing<String>>) {
        let is_secret = |text: &Zeroizing<String>| text.trim().len() >= SHORTEST;
        let mut decrypted = self
            .decrypted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        decrypted.extend(texts.into_iter().filter(is_secret));
    }

    /// Returns one number for all inputs: equal numbers, equal build of equal files.
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let variables = self.variables.as_ref().map(Variables::print);
        let keys = self.keyring.as_ref().map(Keyring::print);
        (variables, keys).hash(&mut hasher);
        hasher.finish()
    }

    /// Returns what must not be repeated in any text: values of Secrets, and what builds have decrypted so far.
    pub fn secrets(&self) -> Vec<String> {
        let variables = self.variables.iter().flat_map(Variables::secrets);
        let mut secrets: Vec<String> = variables.map(str::to_owned).collect();
        let decrypted = self
            .decrypted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        secrets.extend(decrypted.iter().map(|text| text.to_string()));
        secrets
    }
}
