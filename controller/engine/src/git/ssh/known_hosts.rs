//! Which host keys to trust. There is no trust on first use: what is not known is refused.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{
    Algorithm, HashAlg, PublicKey,
    ssh_key::known_hosts::{Entry, HostPatterns, Marker},
};
use sha1::Sha1;

use super::super::credentials::Error;

/// The lines of a `known_hosts` file.
#[derive(Debug, Clone)]
pub(crate) struct KnownHosts(Arc<Vec<Entry>>);

impl KnownHosts {
    /// Reads a file. Lines that cannot be read (such as those with key types of the past) are left out.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Error> {
        let what = "has no line with a host and its key (make one with ssh-keyscan)";
        let malformed = Error::Malformed {
            key: "known_hosts",
            what,
        };
        let text = std::str::from_utf8(text).map_err(|_| malformed.clone())?;
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'));
        let entries: Vec<Entry> = lines.filter_map(|line| line.parse().ok()).collect();
        if entries.is_empty() {
            return Err(malformed);
        }
        Ok(Self(Arc::new(entries)))
    }

    /// Returns the algorithms to offer, so that the server shows a key that can be compared.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for entry in self
            .entries(host, port)
            .filter(|entry| entry.marker().is_none())
        {
            let more = match entry.public_key().algorithm() {
                Algorithm::Rsa { .. } => [HashAlg::Sha512, HashAlg::Sha256]
                    .map(|hash| Algorithm::Rsa { hash: Some(hash) })
                    .to_vec(),
                other => vec![other],
            };
            algorithms.extend(more);
        }
        algorithms.dedup();
        algorithms
    }

    /// Accepts a host key, or says why not.
    pub(super) fn check(&self, host: &str, port: u16, key: &PublicKey) -> Result<(), String> {
        let name = name(host, port);
        let shown = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        let has_key = |entry: &&Entry| entry.public_key().key_data() == key.key_data();
        let is = |marker| move |entry: &&Entry| entry.marker() == Some(&marker);
        if self
            .entries(host, port)
            .filter(has_key)
            .any(|entry| is(Marker::Revoked)(&entry))
        {
            return Err(format!(
                "the host key of {name} ({shown}) is revoked in known_hosts"
            ));
        }
        let mut plain = self
            .entries(host, port)
            .filter(|entry| entry.marker().is_none())
            .peekable();
        if plain.peek().is_none() {
            return Err(format!(
                "known_hosts in the Secret has no line for {name}, whose host key is {shown}: compare it and add it"
            ));
        }
        if plain.any(|entry| has_key(&entry)) {
            return Ok(());
        }
        Err(format!(
            "the host key of {name} ({shown}) is not the one in known_hosts: someone may be in between, or the key was changed"
        ))
    }

    fn entries(&self, host: &str, port: u16) -> impl Iterator<Item = &Entry> {
        let name = name(host, port);
        self.0
            .iter()
            .filter(move |entry| matches(entry.host_patterns(), &name))
    }
}

/// The name of a host as `known_hosts` has it.
fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else {
                return false;
            };
            mac.update(name.as_bytes());
            mac.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let is_denied = |pattern: &String| {
                let denied = pattern.strip_prefix('!');
                denied.is_some_and(|pattern| glob(&pattern.to_ascii_lowercase(), name))
            };
            !patterns.iter().any(is_denied)
                && patterns
                    .iter()
                    .any(|pattern| glob(&pattern.to_ascii_lowercase(), name))
        }
    }
}

/// Matches `*` and `?`, each of which also matches a dot.
fn glob(pattern: &str, name: &str) -> bool {
    let mut reachable = vec![false; name.chars().count() + 1];
    if let Some(first) = reachable.first_mut() {
        *first = true;
    }
    for wanted in pattern.chars() {
        let mut next = vec![false; reachable.len()];
        let mut seen = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reachable.get(at).copied().unwrap_or(false);
            seen |= here;
            let before = at
                .checked_sub(1)
                .and_then(|at| reachable.get(at))
                .copied()
                .unwrap_or(false);
            let letter = at.checked_sub(1).and_then(|at| name.chars().nth(at));
            *slot = match wanted {
                '*' => seen,
                '?' => before,
                wanted => before && letter == Some(wanted),
            };
        }
        reachable = next;
    }
    reachable.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests;
