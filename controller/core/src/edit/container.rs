//! The containers of an object: what it runs, and where that is written.

use serde_json::Value;

use super::path::FieldPath;
use super::source::is_containers;
use crate::image::{Image, Name};

/// The container of a Helm release whose image stands at the top of its values, as Flux v1 names it.
const CHART_IMAGE: &str = "chart-image";

/// A container, or the part of a Helm release that is like one.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: Name,
    /// The tag that is written, if any is.
    pub(super) tag: Option<String>,
    /// The digest that is written, if any is.
    pub(super) digest: Option<String>,
    pub(super) written: Written,
}

impl Container {
    /// Returns the name of the container, and its image.
    pub(super) fn into_image(self) -> (String, Image) {
        let image = Image {
            name: self.image,
            tag: self.tag,
            digest: self.digest,
        };
        (self.name, image)
    }
}

/// Where the image of a container is written, from the root of the object.
#[derive(Debug, Clone)]
pub(super) enum Written {
    /// Name and tag in one value; the registry may stand elsewhere.
    Whole {
        /// The value.
        path: FieldPath,
        /// Whether the registry stands in it too.
        has_registry: bool,
    },
    /// The tag in a value of its own.
    Parts {
        /// The tag.
        tag: FieldPath,
        /// The digest, if it has a value.
        digest: Option<FieldPath>,
    },
}

/// Returns the containers of an object, wherever its pod template is.
pub(super) fn containers(object: &Value) -> Vec<Container> {
    let mut containers = Vec::new();
    match object["kind"].as_str() {
        Some("HelmRelease") => {
            let values = FieldPath::default().key("spec").key("values");
            from_values(object, &values, &mut containers);
        }
        // What it holds are schemas, not objects.
        Some("CustomResourceDefinition") => {}
        _ => from_template(object, &FieldPath::default(), &mut containers),
    }
    containers
}

/// Takes the images out of an object: what each of its containers runs, and the object with null wherever that was written.
///
/// A container of a Helm release is a part of its values; `chart-image` is the image at the top of them.
pub fn take_images(mut object: Value) -> (Vec<(String, Image)>, Value) {
    let all = containers(&object);
    for container in &all {
        let places = match &container.written {
            Written::Whole { path, .. } => [Some(path), None],
            Written::Parts { tag, digest } => [Some(tag), digest.as_ref()],
        };
        for place in places.into_iter().flatten() {
            if let Some(value) = place.get_mut(&mut object) {
                *value = Value::Null;
            }
        }
    }
    let images = all.into_iter().map(Container::into_image);
    (images.collect(), object)
}

fn from_template(value: &Value, path: &FieldPath, containers: &mut Vec<Container>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = path.key(key);
                match field {
                    Value::Array(items) if is_containers(key) => {
                        let items = items.iter().enumerate();
                        containers
                            .extend(items.filter_map(|(at, item)| one(item, &path.index(at))));
                    }
                    field => from_template(field, &path, containers),
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                from_template(item, &path.index(at), containers);
            }
        }
        _ => {}
    }
}

fn one(item: &Value, path: &FieldPath) -> Option<Container> {
    let image: Image = item.get("image")?.as_str()?.parse().ok()?;
    Some(Container {
        name: item
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        image: image.name,
        tag: image.tag,
        digest: image.digest,
        written: Written::Whole {
            path: path.key("image"),
            has_registry: true,
        },
    })
}

/// Reads the values of a Helm release: an image at the top, and one below each key.
fn from_values(object: &Value, path: &FieldPath, containers: &mut Vec<Container>) {
    let Some(Value::Object(values)) = path.get(object) else {
        return;
    };
    containers.extend(shape(CHART_IMAGE, object, path));
    for key in values.keys().filter(|key| *key != "image") {
        containers.extend(shape(key, object, &path.key(key)));
    }
}

/// Reads one of the shapes that charts have: `image: name:tag`, with `registry` and `tag` beside it or not, or a mapping
/// `image` of `registry`, `repository`, `tag` and `digest`.
fn shape(name: &str, object: &Value, path: &FieldPath) -> Option<Container> {
    let image = path.key("image");
    let (repository, beside) = match image.get(object)? {
        Value::String(_) => (image, path),
        Value::Object(_) => (image.key("repository"), &image),
        _ => return None,
    };
    Fields {
        repository,
        registry: Some(beside.key("registry")),
        tag: Some(beside.key("tag")),
        digest: Some(beside.key("digest")),
    }
    .container(name, object)
}

/// The values of a Helm release that make an image; those that do not exist have no say.
pub(super) struct Fields {
    pub(super) repository: FieldPath,
    pub(super) registry: Option<FieldPath>,
    pub(super) tag: Option<FieldPath>,
    pub(super) digest: Option<FieldPath>,
}

impl Fields {
    /// Reads the container that the values make.
    pub(super) fn container(self, name: &str, object: &Value) -> Option<Container> {
        let text = |path: &FieldPath| {
            path.get(object)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
        };
        let repository = text(&self.repository)?;
        let registry = self.registry.as_ref().and_then(text);
        let full = match registry {
            Some(registry) => format!("{}/{repository}", registry.trim_end_matches('/')),
            None => repository.to_owned(),
        };
        let image: Image = full.parse().ok()?;
        let tag = self.tag.filter(|path| {
            path.get(object)
                .is_some_and(|tag| !tag.is_null() && tag != "")
        });
        let digest = self.digest.filter(|path| text(path).is_some());
        let tag_text = tag
            .as_ref()
            .and_then(|path| path.get(object))
            .map(super::apply::shown);
        let digest_text = digest.as_ref().and_then(text).map(str::to_owned);
        // A digest may also stand behind the tag.
        let (tag_text, behind) = match tag_text.as_deref().map(|text| text.split_once('@')) {
            Some(Some((tag, digest))) => (Some(tag.to_owned()), Some(digest.to_owned())),
            _ => (tag_text, None),
        };
        Some(Container {
            name: name.to_owned(),
            image: image.name,
            tag: tag_text.or(image.tag),
            digest: digest_text.or(behind).or(image.digest),
            written: match tag {
                Some(tag) => Written::Parts { tag, digest },
                None => Written::Whole {
                    path: self.repository,
                    has_registry: registry.is_none(),
                },
            },
        })
    }
}
