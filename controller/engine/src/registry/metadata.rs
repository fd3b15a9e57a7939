//! Which image a tag means, and when it was made.

mod known;
mod platform;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use oci_client::manifest::{OciImageIndex, OciImageManifest, OciManifest};
use reqwest::Method;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{
    Error,
    address::{self, Repository},
    exchange::{Exchange, Question},
    headers,
};
pub(super) use known::Known;
use known::Made;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
const MAX_MANIFEST: usize = 4 << 20;
const MAX_CONFIGURATION: usize = 4 << 20;
const CREATED: &str = "org.opencontainers.image.created";

/// What is known of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The digest that the tag had.
    pub digest: String,
    /// When the image was made. Images that are built to be reproducible do not say.
    pub created: Option<Timestamp>,
}

/// The part of an image's configuration that matters here.
#[derive(Deserialize)]
struct Configuration {
    created: Option<String>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    config: Option<serde_json::Value>,
}

/// Asks for the digest of a tag.
pub(super) async fn digest(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    tag: &str,
) -> Result<String, Error> {
    let question = question(repository, Method::HEAD, tag)?;
    let answer = exchange.ask(repository, &question).await?;
    if let Some(digest) = headers::digest(answer.headers()) {
        return Ok(digest);
    }
    drop(answer);
    let (_, digest) = manifest(exchange, repository, tag).await?;
    Ok(digest)
}

/// Finds out when an image was made, and that it exists for a platform.
pub(super) async fn inspect(
    exchange: &Arc<Exchange>,
    known: &Known,
    repository: &Repository,
    reference: &str,
    platform: Option<&str>,
) -> Result<Metadata, Error> {
    let digest = if headers::is_digest(reference) {
        reference.to_owned()
    } else {
        digest(exchange, repository, reference).await?
    };
    let made = if let Some(made) = known.get(&digest, platform) {
        made
    } else {
        let made = look(exchange, repository, &digest, platform).await?;
        known.insert(&digest, platform, made);
        made
    };
    match made {
        Made::At(created) => Ok(Metadata { digest, created }),
        Made::ForOthers => Err(Error::NoPlatform {
            image: repository.name(reference),
            platform: platform.unwrap_or_default().to_owned(),
        }),
    }
}

async fn look(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    digest: &str,
    platform: Option<&str>,
) -> Result<Made, Error> {
    match manifest(exchange, repository, digest).await?.0 {
        OciManifest::Image(image) => {
            let found = configuration(exchange, repository, &image, platform.is_none()).await?;
            Ok(match (found, platform) {
                (Found::Said(created), _) => Made::At(Some(created)),
                (Found::Configuration(config), Some(platform)) if !config.is_for(platform) => {
                    Made::ForOthers
                }
                (Found::Configuration(config), _) => {
                    Made::At(annotated(image.annotations.as_ref()).or_else(|| config.created()))
                }
            })
        }
        OciManifest::ImageIndex(index) => look_into(exchange, repository, &index, platform).await,
    }
}

async fn look_into(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    index: &OciImageIndex,
    platform: Option<&str>,
) -> Result<Made, Error> {
    let said = annotated(index.annotations.as_ref());
    let Some(entry) = platform::choose(index, platform) else {
        // An index of nothing but attestations, or of artifacts, has no time of its own but what it says.
        return Ok(match platform {
            Some(_) => Made::ForOthers,
            None => Made::At(said),
        });
    };
    let said = annotated(entry.annotations.as_ref()).or(said);
    let (OciManifest::Image(image), _) = manifest(exchange, repository, &entry.digest).await?
    else {
        return Err(misunderstood(
            repository,
            "an index of images leads to an index",
        ));
    };
    match configuration(exchange, repository, &image, true).await? {
        Found::Said(created) => Ok(Made::At(Some(created))),
        Found::Configuration(config) => Ok(Made::At(config.created().or(said))),
    }
}

/// Where the time of an image was found.
enum Found {
    /// In the manifest, which spares a request.
    Said(Timestamp),
    Configuration(Configuration),
}

/// Reads the configuration of an image, unless its manifest already says when it was made and that is enough.
async fn configuration(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    image: &OciImageManifest,
    time_is_enough: bool,
) -> Result<Found, Error> {
    if time_is_enough && let Some(created) = annotated(image.annotations.as_ref()) {
        return Ok(Found::Said(created));
    }
    let digest = &image.config.digest;
    let question = Question {
        method: Method::GET,
        url: repository.blob(digest)?,
        accept: "*/*",
        what: format!("the configuration {digest} of {}", repository.image),
    };
    let answer = exchange.ask(repository, &question).await?;
    let body = answer.bytes(MAX_CONFIGURATION).await?;
    verify(repository, digest, &body)?;
    serde_json::from_slice(&body)
        .map(Found::Configuration)
        .map_err(|_| misunderstood(repository, "it is no container image"))
}

/// Reads a manifest, and returns it with its digest.
async fn manifest(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    reference: &str,
) -> Result<(OciManifest, String), Error> {
    let question = question(repository, Method::GET, reference)?;
    let answer = exchange.ask(repository, &question).await?;
    let body = answer.bytes(MAX_MANIFEST).await?;
    let digest = if headers::is_digest(reference) {
        verify(repository, reference, &body)?;
        reference.to_owned()
    } else {
        format!("sha256:{:x}", Sha256::digest(&body))
    };
    let manifest = serde_json::from_slice(&body);
    let manifest = manifest.map_err(|_| {
        misunderstood(
            repository,
            "its manifest is neither an image's nor an index's",
        )
    })?;
    Ok((manifest, digest))
}

fn question(repository: &Repository, method: Method, reference: &str) -> Result<Question, Error> {
    Ok(Question {
        method,
        url: repository.manifest(reference)?,
        accept: MANIFESTS,
        what: repository.name(reference),
    })
}

fn verify(repository: &Repository, digest: &str, body: &[u8]) -> Result<(), Error> {
    let actual = match digest.split_once(':') {
        Some(("sha384", _)) => format!("sha384:{:x}", Sha384::digest(body)),
        Some(("sha512", _)) => format!("sha512:{:x}", Sha512::digest(body)),
        _ => format!("sha256:{:x}", Sha256::digest(body)),
    };
    if actual == digest {
        return Ok(());
    }
    Err(misunderstood(
        repository,
        "what it sends has another digest than what was asked for",
    ))
}

fn misunderstood(repository: &Repository, message: &str) -> Error {
    Error::Protocol {
        host: address::host(repository.api()),
        message: format!("{}: {message}", repository.image),
    }
}

impl Configuration {
    fn is_for(&self, platform: &str) -> bool {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let (os, architecture) = (part(&self.os), part(&self.architecture));
        platform::fits(platform, &os, &architecture, self.variant.as_deref())
    }

    fn created(&self) -> Option<Timestamp> {
        let label = || self.config.as_ref()?.get("Labels")?.get(CREATED)?.as_str();
        let created = self.created.as_deref().and_then(time);
        created.or_else(|| time(label()?))
    }
}

fn annotated(annotations: Option<&BTreeMap<String, String>>) -> Option<Timestamp> {
    time(annotations?.get(CREATED)?)
}

/// Reads a time; the start of the epoch and what lies before it are what tools write that do not want to tell.
fn time(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.trim().parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_reproducible_builds_are_unknown() {
        assert!(time("2026-11-23T01:02:03.123456789Z").is_some());
        assert!(time("2026-11-23T01:02:03+02:00").is_some());
        for nothing in [
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "yesterday",
            "",
        ] {
            assert_eq!(time(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_configuration_says_when_and_for_which_platform() {
        let read = |text: &str| serde_json::from_str::<Configuration>(text).unwrap();
        let plain = read(
            r#"{"created": "2026-01-02T03:04:05Z", "os": "linux", "architecture": "arm", "variant": "v7", "config": {"Labels": {"a": null, "b": 1}}}"#,
        );
        assert_eq!(
            plain.created(),
            Some("2026-01-02T03:04:05Z".parse().unwrap())
        );
        assert!(plain.is_for("linux/arm/v7") && plain.is_for("linux/arm"));
        assert!(!plain.is_for("linux/arm/v6") && !plain.is_for("linux/amd64"));
        let labelled = read(
            r#"{"created": "1970-01-01T00:00:00Z", "config": {"Labels": {"org.opencontainers.image.created": "2026-01-02T03:04:05Z"}}}"#,
        );
        assert_eq!(labelled.created(), plain.created());
        assert_eq!(read("{}").created(), None);
        let bare = read(r#"{"created": "2026-01-02T03:04:05Z"}"#);
        assert_eq!(bare.created(), plain.created(), "without a config");
    }
}
