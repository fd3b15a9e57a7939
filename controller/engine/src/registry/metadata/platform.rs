//! Which of the images of an index runs where.

use oci_client::manifest::{ImageIndexEntry, OciImageIndex};

/// Returns the image for a platform, or without one the first image.
pub(super) fn choose<'a>(
    index: &'a OciImageIndex,
    platform: Option<&str>,
) -> Option<&'a ImageIndexEntry> {
    index.manifests.iter().find(|entry| {
        let Some(described) = &entry.platform else {
            return platform.is_none();
        };
        let (os, architecture) = (described.os.to_string(), described.architecture.to_string());
        match platform {
            Some(platform) => fits(platform, &os, &architecture, described.variant.as_deref()),
            // What goes with the images, such as attestations, is for nowhere.
            None => os != "unknown",
        }
    })
}

/// Tells whether an image for `os/architecture/variant` runs on `platform`, which may leave the variant out.
pub(super) fn fits(platform: &str, os: &str, architecture: &str, variant: Option<&str>) -> bool {
    let mut parts = platform.split('/');
    let same = parts.next() == Some(os) && parts.next() == Some(architecture);
    let Some(wanted) = parts.next() else {
        return same;
    };
    // There is but one 64-bit ARM, which some call v8.
    let default = match architecture {
        "arm64" => "v8",
        "amd64" => "v1",
        _ => "",
    };
    let variant = variant.filter(|variant| !variant.is_empty());
    same && variant.unwrap_or(default) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> OciImageIndex {
        let entry = |digest: &str, platform: serde_json::Value| serde_json::json!({"mediaType": "m", "digest": digest, "size": 1, "platform": platform});
        let index = serde_json::json!({"schemaVersion": 2, "manifests": [
            entry("attestation", serde_json::json!({"os": "unknown", "architecture": "unknown"})),
            entry("amd64", serde_json::json!({"os": "linux", "architecture": "amd64"})),
            entry("v6", serde_json::json!({"os": "linux", "architecture": "arm", "variant": "v6"})),
            entry("v7", serde_json::json!({"os": "linux", "architecture": "arm", "variant": "v7"})),
            entry("arm64", serde_json::json!({"os": "linux", "architecture": "arm64"})),
            entry("new", serde_json::json!({"os": "plan10", "architecture": "z80"})),
        ]});
        serde_json::from_value(index).unwrap()
    }

    #[test]
    fn the_image_of_a_platform_is_found() {
        let index = index();
        for (platform, expected) in [
            (None, Some("amd64")),
            (Some("linux/amd64"), Some("amd64")),
            (Some("linux/amd64/v1"), Some("amd64")),
            (Some("linux/amd64/v3"), None),
            (Some("linux/arm"), Some("v6")),
            (Some("linux/arm/v7"), Some("v7")),
            (Some("linux/arm64"), Some("arm64")),
            (Some("linux/arm64/v8"), Some("arm64")),
            (Some("plan10/z80"), Some("new")),
            (Some("windows/amd64"), None),
            (Some("linux"), None),
        ] {
            let found = choose(&index, platform).map(|entry| entry.digest.as_str());
            assert_eq!(found, expected, "{platform:?}");
        }
    }
}
