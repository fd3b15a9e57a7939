//! What a person asks for: this image in that container, this annotation on that object.

mod annotate;

use flux_kustomize::{Document, NodeId};

use super::apply::{Intent, apply, compare, line_of};
use super::container::{Container, Written, containers};
use super::path::FieldPath;
use super::source::{self, Object, Source};
use super::{Edited, Error, Found, Reason, Skip, untouchable};
use crate::image::Image;
use crate::object::{self, ObjectId};

/// A container of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The object; a file that does not say its namespace means any.
    pub object: ObjectId,
    /// The name of the container, or of the part of a Helm release: `chart-image` is the image at the top of the values.
    pub container: String,
}

/// Writes an image into a container. Its name stays as it is written if it means the same.
///
/// # Errors
/// The file has no such object or container, or the image cannot be changed there by a few bytes.
pub fn set_image(path: &str, bytes: &[u8], place: &Place, image: &Image) -> Result<Edited, Error> {
    let source = open(path, bytes)?;
    let object = find(&source, &place.object)?;
    let all = containers(object.value);
    let container = all
        .iter()
        .find(|container| container.name == place.container);
    let container = container.ok_or_else(|| Error::NoContainer {
        path: path.to_owned(),
        object: place.object.to_string(),
        container: place.container.clone(),
    })?;
    let written = written(&source, &object, container, image).map_err(|reason| {
        let place = object.place(&FieldPath::default());
        left_alone(path, line_of(&source, &place), reason)
    })?;
    let intent = |(place, new)| Intent {
        policy: None,
        image: image.name.clone(),
        tag: image.tag.clone(),
        place,
        new: Ok(new),
        container: Some(container.name.clone()),
        is_implied: false,
        with: None,
    };
    let found = Found {
        intents: written.into_iter().map(intent).collect(),
        skipped: Vec::new(),
    };
    let mut edited = apply(&source, found)?;
    match edited.skipped.pop() {
        Some(skip) => Err(Error::LeftAlone(Box::new(skip))),
        None => Ok(edited),
    }
}

/// Sets an annotation of an object, or takes it away, and leaves every other byte as it is.
///
/// # Errors
/// The file has no such object, or its annotations are written in a way that cannot be changed by a few bytes.
pub fn set_annotation(
    path: &str,
    bytes: &[u8],
    object: &ObjectId,
    key: &str,
    value: Option<&str>,
) -> Result<Edited, Error> {
    let source = open(path, bytes)?;
    let object = find(&source, object)?;
    annotate::set(&source, &object, key, value)
}

/// Returns the objects of a file with the containers that [`set_image`] can change.
pub fn places(path: &str, bytes: &[u8]) -> Result<Vec<(Place, Image)>, Error> {
    let source = Source::read(path, bytes)?;
    let mut places = Vec::new();
    for found in source.objects() {
        let Ok(object) = object::id_of(found.value) else {
            continue;
        };
        places.extend(containers(found.value).into_iter().map(|container| {
            let (container, image) = container.into_image();
            let object = object.clone();
            (Place { object, container }, image)
        }));
    }
    Ok(places)
}

fn open<'t>(path: &'t str, bytes: &'t [u8]) -> Result<Source<'t>, Error> {
    if let Some(reason) = untouchable::generated(bytes) {
        return Err(left_alone(path, 1, reason));
    }
    let source = Source::read(path, bytes)?;
    if source.is_encrypted() {
        return Err(left_alone(path, 1, Reason::Encrypted));
    }
    Ok(source)
}

fn left_alone(path: &str, line: usize, reason: Reason) -> Error {
    Error::LeftAlone(Box::new(Skip {
        policy: None,
        path: path.to_owned(),
        line,
        object: None,
        reason,
    }))
}

/// Finds the one object of this identity.
fn find<'s>(source: &'s Source<'_>, id: &ObjectId) -> Result<Object<'s>, Error> {
    let mut found: Vec<Object<'s>> = source.objects();
    found.retain(|object| object::id_of(object.value).is_ok_and(|other| is_meant(&other, id)));
    let (path, object) = (source.path.to_owned(), id.to_string());
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Error::SeveralObjects { path, object }),
        (None, _) => Err(Error::NoObject { path, object }),
    }
}

fn is_meant(written: &ObjectId, id: &ObjectId) -> bool {
    let is_same_namespace = written.namespace.is_empty()
        || id.namespace.is_empty()
        || written.namespace == id.namespace;
    is_same_namespace
        && written.kind == id.kind
        && written.name == id.name
        && written.group == id.group
}

/// Returns what to write where.
fn written(
    source: &Source<'_>,
    object: &Object<'_>,
    container: &Container,
    image: &Image,
) -> Result<Vec<(source::Place, String)>, Reason> {
    let is_same = container.image.is_same_as(&image.name);
    let tag = image.tag.clone().unwrap_or_else(|| "latest".to_owned());
    let with_digest = |tag: &str| match &image.digest {
        Some(digest) => format!("{tag}@{digest}"),
        None => tag.to_owned(),
    };
    match &container.written {
        Written::Whole { path, .. } if is_same => {
            let place = object.place(path);
            let old = source.value(&place).and_then(|value| value.as_str());
            let name = old
                .and_then(|old| old.parse::<Image>().ok())
                .map(|old| old.name);
            let name = name.unwrap_or_else(|| image.name.clone());
            let new = Image {
                name,
                ..image.clone()
            };
            Ok(vec![(place, new.to_string())])
        }
        Written::Whole {
            path,
            has_registry: true,
        } => Ok(vec![(object.place(path), image.to_string())]),
        Written::Whole { .. } | Written::Parts { .. } if !is_same => Err(Reason::OtherImage {
            written: container.image.to_string(),
        }),
        Written::Whole { .. } => Ok(Vec::new()),
        Written::Parts {
            tag: path,
            digest: None,
        } => Ok(vec![(object.place(path), with_digest(&tag))]),
        Written::Parts {
            tag: path,
            digest: Some(digest_path),
        } => {
            let digest = image
                .digest
                .clone()
                .ok_or(Reason::NoDigest { tag: tag.clone() })?;
            Ok(vec![
                (object.place(path), tag),
                (object.place(digest_path), digest),
            ])
        }
    }
}
