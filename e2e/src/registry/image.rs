//! Images without content, which no one will run.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";

/// An image to push. Equal ones have equal digests.
#[derive(Debug, Clone, Default)]
pub struct Image {
    created: Option<String>,
    annotation: Option<String>,
    platforms: Vec<String>,
    label: Option<String>,
}

/// A blob or manifest with its digest.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: String,
    pub(super) media_type: &'static str,
}

/// What is pushed for one image, in this order.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) configurations: Vec<Piece>,
    /// Manifests that an index refers to.
    pub(super) inner: Vec<Piece>,
    /// What gets the tags.
    pub(super) outer: Piece,
}

impl Image {
    /// An image for `linux/amd64` that does not say when it was made.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it another image than those with another label.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// Says in the configuration when it was made. Example: `2026-11-23T12:00:00Z`.
    #[must_use]
    pub fn created(mut self, time: &str) -> Self {
        self.created = Some(time.to_owned());
        self
    }

    /// Says in an annotation of the manifest when it was made.
    #[must_use]
    pub fn annotated(mut self, time: &str) -> Self {
        self.annotation = Some(time.to_owned());
        self
    }

    /// Makes it an index of images for these platforms. Example: `linux/arm/v7`.
    #[must_use]
    pub fn for_platforms(mut self, platforms: &[&str]) -> Self {
        self.platforms = platforms.iter().map(ToString::to_string).collect();
        self
    }

    pub(super) fn pieces(&self) -> Pieces {
        if self.platforms.is_empty() {
            let configuration = self.configuration("linux/amd64");
            return Pieces {
                outer: self.manifest(&configuration),
                configurations: vec![configuration],
                inner: Vec::new(),
            };
        }
        let configurations: Vec<Piece> = self
            .platforms
            .iter()
            .map(|platform| self.configuration(platform))
            .collect();
        let inner: Vec<Piece> = configurations
            .iter()
            .map(|configuration| self.manifest(configuration))
            .collect();
        Pieces {
            outer: self.index(&inner),
            configurations,
            inner,
        }
    }

    fn configuration(&self, platform: &str) -> Piece {
        let mut configuration = described(platform);
        configuration["rootfs"] = json!({"type": "layers", "diff_ids": []});
        if let Some(label) = &self.label {
            configuration["config"] = json!({"Labels": {"label": label}});
        }
        if let Some(created) = &self.created {
            configuration["created"] = json!(created);
        }
        Piece::new(&configuration, CONFIGURATION)
    }

    fn manifest(&self, configuration: &Piece) -> Piece {
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": configuration.descriptor(), "layers": [],
        });
        if let Some(time) = &self.annotation {
            manifest["annotations"] = json!({"org.opencontainers.image.created": time});
        }
        Piece::new(&manifest, MANIFEST)
    }

    fn index(&self, inner: &[Piece]) -> Piece {
        let entry = |(platform, manifest): (&String, &Piece)| {
            let mut entry = manifest.descriptor();
            entry["platform"] = described(platform);
            entry
        };
        let manifests: Vec<Value> = self.platforms.iter().zip(inner).map(entry).collect();
        Piece::new(
            &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}),
            INDEX,
        )
    }
}

fn described(platform: &str) -> Value {
    let mut parts = platform.split('/');
    let mut platform = json!({"os": parts.next(), "architecture": parts.next()});
    if let Some(variant) = parts.next() {
        platform["variant"] = json!(variant);
    }
    platform
}

impl Piece {
    fn new(value: &Value, media_type: &'static str) -> Self {
        let bytes = value.to_string().into_bytes();
        let digest = format!("sha256:{}", crate::hexadecimal(&Sha256::digest(&bytes)));
        Self {
            bytes,
            digest,
            media_type,
        }
    }

    fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}
