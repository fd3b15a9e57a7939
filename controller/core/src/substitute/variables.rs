use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::redact::Redacted;

/// A name that nothing could refer to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has characters that a name cannot have.
    #[error(
        "{name:?} cannot be the name of a variable: use letters, digits and `_`, and no digit first"
    )]
    Name {
        /// The name.
        name: String,
    },
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From the spec or a ConfigMap: anyone may see it.
    Open,
    /// From a Secret.
    Secret,
}

/// Values by name.
#[derive(Debug, Clone)]
pub struct Variables {
    values: BTreeMap<String, Redacted<String>>,
    secrets: Vec<Redacted<String>>,
    strict: bool,
}

impl Variables {
    /// Begins without values. Where `strict`, a variable without value and default is an error, and empty otherwise.
    pub fn new(strict: bool) -> Self {
        Self {
            values: BTreeMap::new(),
            secrets: Vec::new(),
            strict,
        }
    }

    /// Sets a value, in place of an earlier one of that name; line breaks in it are dropped, as in Flux v2.
    pub fn set(&mut self, name: &str, value: &str, kind: Kind) -> Result<(), Error> {
        if !is_name(name) {
            return Err(Error::Name {
                name: name.to_owned(),
            });
        }
        let value = value.replace('\n', "");
        if kind == Kind::Secret && !value.trim().is_empty() {
            self.secrets.push(Redacted::new(value.clone()));
        }
        self.values.insert(name.to_owned(), Redacted::new(value));
        Ok(())
    }

    /// Sets all values of a ConfigMap or Secret. Keys that cannot be names, such as `ca.crt`, are left out: nothing could
    /// refer to them.
    pub fn set_all<'a>(&mut self, data: impl IntoIterator<Item = (&'a str, &'a str)>, kind: Kind) {
        for (name, value) in data {
            if is_name(name) {
                self.set(name, value, kind).ok();
            }
        }
    }

    /// Returns what came from Secrets, to keep it out of texts.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.expose().as_str())
    }

    /// Returns one number for all values: equal numbers, equal substitution.
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.strict.hash(&mut hasher);
        for (name, value) in &self.values {
            (name, value.expose()).hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.expose().as_str())
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .chars()
            .all(|next| next.is_ascii_alphanumeric() || next == '_')
}
