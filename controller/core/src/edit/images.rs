//! Entries of `images` in a kustomization, and in `spec.images` of a Sync or of Flux v2's Kustomization.

use flux_crds::image_policy::UpdateStrategy;
use serde_json::Value;

use super::apply::{Intent, line_of, shown};
use super::path::FieldPath;
use super::render::Wanted;
use super::source::{Object, Place, Source};
use super::{Found, Reason, Skip, Target};
use crate::image::Name;
use crate::object;

/// Finds the entries that name the images of the targets.
pub(super) fn find(source: &Source<'_>, targets: &[&Target], found: &mut Found) {
    let targets: Vec<&Target> = targets
        .iter()
        .copied()
        .filter(|target| target.strategy == UpdateStrategy::Images)
        .collect();
    if targets.is_empty() {
        return;
    }
    for object in source.objects() {
        let Some(list) = list_of(source.path, object.value) else {
            continue;
        };
        let Some(Value::Array(entries)) = list.get(object.value) else {
            continue;
        };
        for (at, entry) in entries.iter().enumerate() {
            let path = list.index(at);
            for target in targets.iter().filter(|target| is_meant(entry, target)) {
                match intents(source, &object, &path, entry, target) {
                    Ok(intents) => found.intents.extend(intents),
                    Err(reason) => {
                        let place = object.place(&path);
                        found.skipped.push(skip(source, &place, target, reason));
                    }
                }
            }
        }
    }
}

/// Returns where the object has its list of images, if it is of a kind that has one.
fn list_of(file: &str, value: &Value) -> Option<FieldPath> {
    let root = FieldPath::default();
    let api_version = value["apiVersion"].as_str().unwrap_or_default();
    let (group, _) = object::split_api_version(api_version);
    match (group, value["kind"].as_str()) {
        ("kustomize.config.k8s.io", _) => Some(root.key("images")),
        ("flux.rs", Some("Sync")) | ("kustomize.toolkit.fluxcd.io", Some("Kustomization")) => {
            Some(root.key("spec").key("images"))
        }
        ("", None | Some("Kustomization" | "Component")) if is_kustomization(file) => {
            Some(root.key("images"))
        }
        _ => None,
    }
}

fn is_kustomization(file: &str) -> bool {
    let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
    matches!(
        name,
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    )
}

/// Whether an entry is about the image of a target: by the name that it finds, or the one that it puts there.
fn is_meant(entry: &Value, target: &Target) -> bool {
    let names = ["name", "newName"]
        .iter()
        .filter_map(|key| entry[key].as_str());
    let mut names = names.filter_map(|name| name.parse::<Name>().ok());
    names.any(|name| name.is_same_as(&target.name))
}

fn intents(
    source: &Source<'_>,
    object: &Object<'_>,
    path: &FieldPath,
    entry: &Value,
    target: &Target,
) -> Result<Vec<Intent>, Reason> {
    let wanted = Wanted::latest(target);
    let has = |key: &str| {
        entry
            .get(key)
            .is_some_and(|value| !value.is_null() && value != "")
    };
    let (tag, digest) = (
        object.place(&path.key("newTag")),
        object.place(&path.key("digest")),
    );
    let written = match (has("newTag"), has("digest")) {
        (true, true) => wanted.tag_and_digest(tag, digest),
        (true, false) => {
            let old = source.value(&tag).map(shown).unwrap_or_default();
            vec![(tag, wanted.pinned_tag_text(&old))]
        }
        (false, true) => vec![(digest, wanted.digest_text())],
        (false, false) => {
            let name = entry["name"].as_str().unwrap_or_default();
            return Err(Reason::NoTagField(name.to_owned()));
        }
    };
    let name = entry["name"].as_str().map(str::to_owned);
    let with = written.first().map(|(place, _)| place.clone());
    let intent = |(place, new)| Intent {
        with: with.clone(),
        container: name.clone(),
        ..Intent::new(target, place, new)
    };
    Ok(written.into_iter().map(intent).collect())
}

fn skip(source: &Source<'_>, place: &Place, target: &Target, reason: Reason) -> Skip {
    Skip {
        policy: Some(target.policy.clone()),
        path: source.path.to_owned(),
        line: line_of(source, place),
        object: source.object_name(place),
        reason,
    }
}
