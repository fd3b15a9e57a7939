//! What a Sync's own fields put on top of the path that it builds.

use flux_crds::Sync;
use flux_kustomize::{CommonMetadata, Overlay};
use serde::Serialize;
use serde_json::Value;

/// Returns the overlay of a Sync, as one more kustomization.
pub fn overlay(sync: &Sync) -> Overlay {
    let spec = &sync.spec;
    let metadata = spec.common_metadata.clone().unwrap_or_default();
    let name = sync.metadata.name.as_deref().unwrap_or_default();
    let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
    Overlay {
        source: format!("Sync {namespace}/{name}"),
        namespace: spec.target_namespace.clone(),
        name_prefix: spec.name_prefix.clone().unwrap_or_default(),
        name_suffix: spec.name_suffix.clone().unwrap_or_default(),
        common_metadata: CommonMetadata {
            labels: metadata.labels,
            annotations: metadata.annotations,
        },
        images: values(&spec.images),
        patches: values(&spec.patches),
        components: spec.components.clone(),
    }
}

/// Entries that do not serialise are texts to the build, which refuses them by name.
fn values(entries: &[impl Serialize]) -> Vec<Value> {
    entries
        .iter()
        .map(|entry| serde_json::to_value(entry).unwrap_or_else(|error| error.to_string().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use flux_crds::sync::{Image, Patch};

    use super::*;

    #[test]
    fn the_fields_of_a_sync_are_those_of_a_kustomization() {
        let mut sync = Sync::test();
        sync.spec.target_namespace = Some("shop".into());
        sync.spec.name_prefix = Some("blue-".into());
        sync.spec.images = vec![Image {
            name: "web".into(),
            new_tag: Some("2".into()),
            ..Image::default()
        }];
        sync.spec.patches = vec![Patch {
            patch: "[]".into(),
            ..Patch::default()
        }];
        let overlay = overlay(&sync);
        assert_eq!(overlay.source, "Sync default/apps");
        assert_eq!(overlay.namespace.as_deref(), Some("shop"));
        assert_eq!(overlay.name_prefix, "blue-");
        assert_eq!(
            overlay.images,
            [serde_json::json!({"name": "web", "newTag": "2"})]
        );
        assert_eq!(overlay.patches, [serde_json::json!({"patch": "[]"})]);
    }
}
