//! Credentials as docker, kubectl and podman write them.
//!
//! The keys of `auths` come in many shapes: `ghcr.io`, `https://ghcr.io`, `https://index.docker.io/v1/`,
//! `registry.example.com:5000/team`, `*.azurecr.io`. As in the kubelet the one that says most wins; unlike there a
//! path counts by whole parts, so that `host/team` does not speak for `host/team-secret`.

use std::collections::BTreeMap;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flux_core::image::Name;
use serde::Deserialize;

use super::{Login, address};

/// A `.dockerconfigjson` that cannot be read. Names registries, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not what docker writes.
    #[error(
        "the docker configuration is not JSON of the form {{\"auths\": {{\"<registry>\": {{…}}}}}}"
    )]
    Malformed,
    /// The Secret is of another type.
    #[error(
        "the Secret has no key \".dockerconfigjson\": it has to be of type kubernetes.io/dockerconfigjson (kubectl create secret docker-registry)"
    )]
    Missing,
    /// An entry cannot be used.
    #[error("the entry {key:?} of the docker configuration {what}")]
    Entry {
        /// The registry as it is written.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct File {
    auths: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Returns the credentials of the entry that fits the image best.
pub(super) fn find(config: &[u8], image: &Name) -> Result<Option<Login>, Error> {
    let entries = read(config)?;
    let host = address::hub_alias(image.registry()).to_owned();
    let fitting = entries
        .into_iter()
        .filter_map(|(key, entry)| Some((fit(&key, &host, image.path())?, key, entry)));
    match fitting.max_by(|(a, ..), (b, ..)| a.cmp(b)) {
        Some((_, key, entry)) => entry.login(&key),
        None => Ok(None),
    }
}

fn read(config: &[u8]) -> Result<BTreeMap<String, Entry>, Error> {
    let file: File = serde_json::from_slice(config).map_err(|_| Error::Malformed)?;
    match file.auths {
        Some(entries) => Ok(entries),
        // `.dockercfg` has the entries at the top. A modern file without credentials is not one of those.
        None => Ok(serde_json::from_slice(config).unwrap_or_default()),
    }
}

/// How much of an image a key names: more is better, in this order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    is_literal: bool,
    path_parts: usize,
    length: usize,
}

fn fit(key: &str, host: &str, path: &str) -> Option<Fit> {
    let (key_host, key_path) = split(key);
    if !host_fits(key_host, host) {
        return None;
    }
    let mut parts = path.split('/');
    let wanted: Vec<&str> = key_path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let fits = wanted.iter().all(|part| parts.next() == Some(*part));
    fits.then(|| Fit {
        is_literal: !key_host.contains('*'),
        path_parts: wanted.len(),
        length: key.len(),
    })
}

/// Splits a key into host and path, without scheme and without the `/v1/` or `/v2/` of old API addresses.
fn split(key: &str) -> (&str, &str) {
    let key = key.trim();
    let bare = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme))
        .unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_end_matches('/');
    let path = match path.split_once('/') {
        Some(("v1" | "v2", rest)) => rest,
        None if matches!(path, "v1" | "v2") => "",
        Some(_) | None => path,
    };
    (host, path)
}

fn host_fits(pattern: &str, host: &str) -> bool {
    let pattern = address::hub_alias(pattern);
    if !pattern.contains('*') {
        return pattern.eq_ignore_ascii_case(host);
    }
    let (pattern, host) = (pattern.split('.'), host.split('.'));
    pattern.clone().count() == host.clone().count()
        && pattern
            .zip(host)
            .all(|(pattern, part)| part_fits(pattern, part))
}

/// A `*` stands for any characters of one part of a host name.
fn part_fits(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(part),
        Some((start, rest)) => {
            part.get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start))
                && (start.len()..=part.len())
                    .filter_map(|at| part.get(at..))
                    .any(|tail| part_fits(rest, tail))
        }
    }
}

impl Entry {
    fn login(self, key: &str) -> Result<Option<Login>, Error> {
        let Self {
            auth,
            username,
            password,
            identitytoken,
            registrytoken,
        } = self;
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(token) = given(registrytoken) {
            return Ok(Some(Login::Registry(token)));
        }
        let pair = match given(auth) {
            Some(auth) => Some(decode(&auth).ok_or_else(|| Error::Entry {
                key: key.to_owned(),
                what: "has an \"auth\" that is not the base64 of user:password",
            })?),
            None => given(username).map(|user| (user, password.unwrap_or_default())),
        };
        if let Some(token) = given(identitytoken) {
            return Ok(Some(Login::Identity(token)));
        }
        Ok(match pair {
            // So docker marks a password that is an identity token.
            Some((user, token)) if user == "<token>" => Some(Login::Identity(token)),
            Some((user, password)) => Some(Login::Password { user, password }),
            None => None,
        })
    }
}

fn decode(auth: &str) -> Option<(String, String)> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, lenient)
        .decode(auth.trim())
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    // Some writers leave zero bytes or a line feed behind the password.
    let text = text.trim_end_matches(['\0', '\r', '\n']);
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests;
