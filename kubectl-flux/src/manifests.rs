//! The manifests of `config/`, carried in this executable and rendered with the controller's own build.

use flux_kustomize::{Build, MemoryTree, Options, Overlay, build};
use serde_json::{Value, json};

use crate::error::Error;

/// The image that `config/manager` names.
const IMAGE: &str = "ghcr.io/flux-rs/flux-controller";

macro_rules! files {
    ($($path:literal,)*) => { &[$(($path, include_str!(concat!("../../config/", $path))),)*] };
}

/// Every file that the overlay `default` is made of.
const FILES: &[(&str, &str)] = files![
    "crd/gitrepositories.yaml",
    "crd/imagepolicies.yaml",
    "crd/kustomization.yaml",
    "crd/syncs.yaml",
    "default/kustomization.yaml",
    "manager/deployment.yaml",
    "manager/kustomization.yaml",
    "manager/network_policy.yaml",
    "manager/webhook_service.yaml",
    "namespace/kustomization.yaml",
    "namespace/namespace.yaml",
    "rbac/admin.yaml",
    "rbac/controller.yaml",
    "rbac/kustomization.yaml",
    "rbac/leader_election.yaml",
    "rbac/own_secret.yaml",
    "rbac/service_accounts.yaml",
    "rbac/users.yaml",
];

/// Renders everything that an installation has, with another image if there is one.
pub(crate) fn render(image: Option<&str>) -> Result<Vec<Value>, Error> {
    let tree = FILES
        .iter()
        .fold(MemoryTree::new(), |tree, (path, content)| {
            tree.file(path, *content)
        });
    let images = image.map(image_entry).into_iter().collect();
    let overlay = Overlay {
        source: "--image".into(),
        images,
        ..Overlay::default()
    };
    let built = build(
        &tree,
        "default",
        &Options {
            overlay,
            ..Options::default()
        },
    );
    let Build { objects, .. } = built.map_err(|failure| Error::Build {
        path: "config".into(),
        count: failure.errors.len(),
        details: failure.errors.iter().map(ToString::to_string).collect(),
    })?;
    Ok(objects.into_iter().map(|object| object.value).collect())
}

/// Returns the entry of kustomize's `images` that puts an image in the place of ours.
fn image_entry(image: &str) -> Value {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let after_registry = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest.rfind(':') {
        Some(colon) if colon >= after_registry => {
            let (name, tag) = rest.split_at(colon);
            (name, Some(tag.trim_start_matches(':')))
        }
        _ => (rest, None),
    };
    let mut entry = json!({"name": IMAGE, "newName": name});
    if let Some(digest) = digest {
        entry["digest"] = json!(digest);
    } else {
        entry["newTag"] = json!(tag.unwrap_or("latest"));
    }
    entry
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_config_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let mut found = BTreeSet::new();
        for directory in fs::read_dir(&root).expect("config is there") {
            let directory = directory.expect("a directory").path();
            if directory.ends_with("samples") {
                continue;
            }
            for file in fs::read_dir(&directory).expect("a directory of manifests") {
                let path = file.expect("a file").path();
                found.insert(
                    path.strip_prefix(&root)
                        .expect("below config")
                        .display()
                        .to_string(),
                );
            }
        }
        let carried: BTreeSet<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(carried, found);
    }

    #[test]
    fn the_default_overlay_is_a_whole_installation() {
        let objects = render(None).expect("config builds");
        let names: Vec<_> = objects
            .iter()
            .map(|object| {
                format!(
                    "{} {}",
                    object["kind"].as_str().unwrap_or_default(),
                    object["metadata"]["name"].as_str().unwrap_or_default()
                )
            })
            .collect();
        insta::assert_snapshot!(names.join("\n"), @r"
        Namespace flux-system
        CustomResourceDefinition gitrepositories.flux.rs
        CustomResourceDefinition syncs.flux.rs
        CustomResourceDefinition imagepolicies.flux.rs
        ServiceAccount flux-controller
        ServiceAccount flux-admin
        ClusterRole flux-controller
        ClusterRoleBinding flux-controller
        Role flux-leader-election
        RoleBinding flux-leader-election
        Role flux-hash-key
        RoleBinding flux-hash-key
        ClusterRoleBinding flux-admin
        ClusterRole flux-view
        ClusterRole flux-edit
        Deployment flux-controller
        NetworkPolicy flux-controller
        Service flux-webhook
        ");
    }

    #[test]
    fn another_image_takes_the_place_of_ours() {
        for image in [
            "localhost:5000/flux:dev",
            "flux@sha256:00aa",
            "registry.internal/flux:1",
        ] {
            let objects = render(Some(image)).expect("config builds");
            let deployment = objects
                .iter()
                .find(|object| object["kind"] == "Deployment")
                .expect("a Deployment");
            assert_eq!(
                deployment["spec"]["template"]["spec"]["containers"][0]["image"],
                image
            );
        }
    }

    #[test]
    fn the_controller_fits_the_restricted_standard() {
        let objects = render(None).expect("config builds");
        let deployment = objects
            .iter()
            .find(|object| object["kind"] == "Deployment")
            .expect("a Deployment");
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"],
            "RuntimeDefault"
        );
        assert_eq!(container["allowPrivilegeEscalation"], false);
        assert_eq!(container["readOnlyRootFilesystem"], true);
        assert_eq!(container["capabilities"]["drop"], json!(["ALL"]));
    }
}
