//! Another image for containers.

use std::collections::BTreeMap;

use flux_core::{
    edit::{self, Change, PolicyName, Target},
    image::Image,
};
use flux_crds::image_policy::{DigestMode, UpdateStrategy};
use flux_kustomize::{Options, Read, Scopes};

use super::{Edited, Files, Made, Outcome, Request, Status, Subject, verify::Expected};
use crate::{error, workload::Container};

/// An image for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The container.
    pub(crate) container: String,
    /// The image with its tag; its digest is written only where there is one already.
    pub(crate) image: Image,
}

/// A container whose image is to change.
struct Task<'a> {
    container: &'a Container,
    old: Image,
    new: Image,
}

/// Writes the images into the files, unless they are there.
pub(super) fn make(
    subject: &Subject<'_>,
    wanted: &[Wanted],
    request: &Request,
) -> Result<Made, Outcome> {
    let id = &request.id;
    let tasks = tasks(subject, wanted).map_err(|reason| Outcome::failed(id, reason))?;
    if tasks.is_empty() {
        return Err(Outcome::new(id, Status::Skipped, "image(s) up to date"));
    }
    let mut made = Made {
        files: subject.files.clone(),
        changes: Vec::new(),
        lines: Vec::new(),
        expected: Expected::Images(BTreeMap::new()),
    };
    let mut images = BTreeMap::new();
    for task in &tasks {
        let changes = write(subject, task, request, &mut made.files);
        made.changes
            .extend(changes.map_err(|reason| Outcome::failed(id, reason))?);
        made.lines.push(line(task));
        images.insert(task.container.name.clone(), task.new.to_string());
    }
    made.expected = Expected::Images(images);
    Ok(made)
}

/// Compares what is wanted with what git says, which may be ahead of the cluster.
fn tasks<'a>(subject: &'a Subject<'_>, wanted: &[Wanted]) -> Result<Vec<Task<'a>>, String> {
    let mut tasks = Vec::new();
    for Wanted { container, image } in wanted {
        let found = subject
            .workload
            .containers
            .iter()
            .find(|one| one.name == *container);
        let Some(container) = found else {
            return Err(format!(
                "there is no container {container} in the repository"
            ));
        };
        let old: Image = container
            .image
            .parse()
            .map_err(|error| error::chain(&error))?;
        let new = Image {
            name: if old.name.is_same_as(&image.name) {
                old.name.clone()
            } else {
                image.name.clone()
            },
            tag: image.tag.clone(),
            digest: image.digest.clone().filter(|_| old.digest.is_some()),
        };
        if new != old {
            tasks.push(Task {
                container,
                old,
                new,
            });
        }
    }
    Ok(tasks)
}

fn line(task: &Task<'_>) -> String {
    let new = task.new.to_string();
    let shown = match (&task.new.tag, task.new.name == task.old.name) {
        (Some(tag), true) => tag,
        (Some(_) | None, _) => &new,
    };
    format!("{}: {} -> {shown}", task.container.name, task.old)
}

/// The file of the workload has the image itself, or a kustomization puts it there.
fn write(
    subject: &Subject<'_>,
    task: &Task<'_>,
    request: &Request,
    files: &mut Files,
) -> Result<Vec<Change>, String> {
    let place = edit::Place {
        object: subject.written.clone(),
        container: task.container.name.clone(),
    };
    let path = &subject.path;
    let bytes = read(subject, files, path)?;
    let places = edit::places(path, &bytes).map_err(|error| error::chain(&error))?;
    let is_here = |(found, image): &(edit::Place, Image)| {
        let is_same_object =
            (&found.object.kind, &found.object.name) == (&place.object.kind, &place.object.name);
        is_same_object
            && found.container == place.container
            && image.name.is_same_as(&task.old.name)
            && image.tag == task.old.tag
    };
    if !places.iter().any(is_here) {
        return write_kustomization(subject, task, request, files);
    }
    let edited = edit::set_image(path, &bytes, &place, &task.new);
    let edited = edited.map_err(|error| error::chain(&error))?;
    keep(files, path, edited.bytes);
    Ok(edited.changes)
}

/// Changes the entries of `images` in the kustomizations that the build reads.
fn write_kustomization(
    subject: &Subject<'_>,
    task: &Task<'_>,
    request: &Request,
    files: &mut Files,
) -> Result<Vec<Change>, String> {
    let target = Target {
        policy: PolicyName {
            namespace: String::new(),
            name: String::new(),
        },
        name: task.new.name.clone(),
        tag: task.new.tag.clone().unwrap_or_else(|| "latest".to_owned()),
        digest: task.new.digest.clone(),
        mode: DigestMode::IfPinned,
        strategy: UpdateStrategy::Images,
        tags: Vec::new(),
        path: String::new(),
    };
    let mut changes = Vec::new();
    for path in kustomizations(subject, request, files)? {
        let bytes = read(subject, files, &path)?;
        let edited = edit::file(&path, &bytes, std::slice::from_ref(&target));
        let edited = edited.map_err(|error| error::chain(&error))?;
        changes.extend(edited.changes.into_iter().map(|change| Change {
            policy: None,
            ..change
        }));
        keep(files, &path, edited.bytes);
    }
    if changes.is_empty() {
        return Err(format!(
            "the image of {} is set neither in {} nor by images of a kustomization",
            task.container.name, subject.path
        ));
    }
    Ok(changes)
}

fn kustomizations(
    subject: &Subject<'_>,
    request: &Request,
    files: &Files,
) -> Result<Vec<String>, String> {
    let options = Options {
        overlay: flux_core::overlay::overlay(&request.sync),
        scopes: Scopes::Defined,
        ..Options::default()
    };
    let tree = Edited::new(subject.tree, files);
    let built = flux_kustomize::build(&tree, request.sync.spec.path(), &options);
    let reads = built.map_err(|failure| failure.to_string())?.reads;
    let is_kustomization = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        matches!(
            name,
            "kustomization.yaml" | "kustomization.yml" | "Kustomization"
        )
    };
    let paths = reads.into_iter().filter_map(|read| match read {
        Read::File(path) => Some(path),
        Read::Directory(_) | Read::Missing(_) | Read::Remote(_) => None,
    });
    Ok(paths.filter(is_kustomization).collect())
}

fn read(subject: &Subject<'_>, files: &Files, path: &str) -> Result<Vec<u8>, String> {
    match files.get(path) {
        Some(bytes) => Ok(bytes.clone()),
        None => subject.read(path),
    }
}

fn keep(files: &mut Files, path: &str, bytes: Option<Vec<u8>>) {
    if let Some(bytes) = bytes {
        files.insert(path.to_owned(), bytes);
    }
}
