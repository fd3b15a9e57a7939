//! `images`.

use regex::Regex;
use serde_json::Value;

use crate::budget::Budget;
use crate::fieldspec::{self, Create, FieldSpec};
use crate::kustomization::Image;
use crate::resource::Resources;

/// Changes the images of a name.
///
/// # Errors
/// A field for an image that holds none.
pub(crate) fn apply(
    resources: &mut Resources,
    image: &Image,
    specs: &[FieldSpec],
) -> Result<(), String> {
    // Some tools write tags with braces in them. A name that is no pattern matches nothing.
    let pattern = format!(
        "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$",
        image.name
    );
    let Ok(pattern) = Regex::new(&pattern) else {
        return Ok(());
    };
    let change = Change {
        image,
        pattern,
        budget: resources.budget.clone(),
    };
    let budget = resources.budget.clone();
    for resource in resources.iter_mut() {
        budget.spend(1)?;
        if resource.gvk().kind == "CustomResourceDefinition" {
            continue;
        }
        change.everywhere(&mut resource.value);
        for spec in specs {
            fieldspec::visit(&mut resource.value, spec, Create::Never, &mut |field| {
                change.set(field)
            })
            .map_err(|error| format!("{} ({}): {error}", resource.id(), resource.origin))?;
        }
    }
    Ok(())
}

struct Change<'c> {
    image: &'c Image,
    pattern: Regex,
    budget: Budget,
}

impl Change<'_> {
    /// Changes the images of all containers, wherever they are.
    fn everywhere(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    self.everywhere(field);
                    if let ("containers" | "initContainers", Value::Array(items)) =
                        (key.as_str(), field)
                    {
                        for image in items.iter_mut().filter_map(|item| item.get_mut("image")) {
                            // What is no image is left alone.
                            let _unchanged = self.set(image);
                        }
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.everywhere(item)),
            _ => {}
        }
    }

    fn set(&self, field: &mut Value) -> Result<(), String> {
        match field {
            Value::String(text) => {
                if self.pattern.is_match(text) {
                    let changed = self.changed(text);
                    self.budget.spend_text(&changed)?;
                    *text = changed;
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::Array(_) | Value::Object(_) => Err("the image is not text".to_owned()),
        }
    }

    fn changed(&self, text: &str) -> String {
        let Image {
            name: _,
            new_name,
            tag_suffix,
            new_tag,
            digest: new_digest,
        } = self.image;
        let (name, tag, digest) = split(text);
        let name = if new_name.is_empty() { name } else { new_name };
        let (tag, digest) = match (new_tag.is_empty(), new_digest.is_empty()) {
            (false, false) => (new_tag.clone(), new_digest.as_str()),
            (false, true) => (new_tag.clone(), ""),
            (true, false) => (String::new(), new_digest.as_str()),
            (true, true) if !tag_suffix.is_empty() => (format!("{tag}{tag_suffix}"), ""),
            (true, true) => (tag.to_owned(), digest),
        };
        let mut changed = name.to_owned();
        for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                changed.push(mark);
                changed.push_str(part);
            }
        }
        changed
    }
}

/// Splits an image into name, tag and digest; a port belongs to the name.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let path = rest.find('/').unwrap_or_default();
    match rest.get(path..).and_then(|path| path.find(':')) {
        Some(at) => (&rest[..path + at], &rest[path + at + 1..], digest),
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("nginx", ("nginx", "", ""))]
    #[case("nginx:1.2", ("nginx", "1.2", ""))]
    #[case("nginx@sha256:ab", ("nginx", "", "sha256:ab"))]
    #[case("nginx:1@sha256:ab", ("nginx", "1", "sha256:ab"))]
    #[case("host:5000/a/b:1", ("host:5000/a/b", "1", ""))]
    #[case("host:5000/a/b", ("host:5000/a/b", "", ""))]
    fn an_image_has_name_tag_and_digest(#[case] image: &str, #[case] parts: (&str, &str, &str)) {
        assert_eq!(split(image), parts);
    }
}
