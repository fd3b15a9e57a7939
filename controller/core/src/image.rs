//! The names of images, as a registry and a container runtime read them.
//!
//! `nginx` is short for `index.docker.io/library/nginx`: the first part of a name is a registry
//! only if it has a dot, a port, an upper-case letter, or is `localhost`. A name is shown as it was
//! written, and compared by what it means: [`Name::is_same_as`].

mod part;

use std::{fmt, str::FromStr};

/// What a name without a registry belongs to.
const DOCKER_HUB: &str = "index.docker.io";
/// Other names of the same registry.
const DOCKER_HUB_ALIASES: [&str; 2] = ["docker.io", "registry-1.docker.io"];

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no registry and path in it.
    #[error(
        "{0:?} is not the name of an image: write for example \"nginx\" or \"ghcr.io/org/app\", in lower case and without https://"
    )]
    Name(String),
    /// The part behind the colon is no tag.
    #[error(
        "{tag:?} is not a tag of the image {name:?}: a tag has up to 128 letters, digits, dots, dashes and underscores"
    )]
    Tag {
        /// The image.
        name: String,
        /// The text in the place of the tag.
        tag: String,
    },
    /// The part behind the `@` is no digest.
    #[error(
        "{digest:?} is not a digest of the image {name:?}: write the algorithm and the number, as in \"sha256:4f3a…\""
    )]
    Digest {
        /// The image.
        name: String,
        /// The text in the place of the digest.
        digest: String,
    },
}

/// The name of an image without its tag: `nginx`, `ghcr.io/org/app`, `localhost:5000/a/b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    text: String,
    registry: String,
    path: String,
}

impl Name {
    /// Returns the registry, host and port: `ghcr.io`, `localhost:5000`, and `index.docker.io` for a short name.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the path in the registry: `org/app`, and `library/nginx` for `nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the name in full: `index.docker.io/library/nginx` for `nginx`.
    pub fn canonical(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// Returns the name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both mean the same image, however they are written.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.registry == other.registry && self.path == other.path
    }

    /// Whether the image is one of Docker Hub.
    pub fn is_on_docker_hub(&self) -> bool {
        self.registry == DOCKER_HUB
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::Name(text.to_owned());
        let (registry, path) = match text.split_once('/') {
            Some((first, rest)) if part::is_registry(first) => (first.to_ascii_lowercase(), rest),
            _ => (DOCKER_HUB.to_owned(), text),
        };
        let is_hub = registry == DOCKER_HUB || DOCKER_HUB_ALIASES.contains(&registry.as_str());
        if !part::is_host(&registry) || !part::is_path(path) {
            return Err(error());
        }
        let (registry, path) = match (is_hub, path.contains('/')) {
            (true, true) => (DOCKER_HUB.to_owned(), path.to_owned()),
            (true, false) => (DOCKER_HUB.to_owned(), format!("library/{path}")),
            (false, _) => (registry, path.to_owned()),
        };
        Ok(Self {
            text: text.to_owned(),
            registry,
            path,
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An image as a manifest names it: `name`, `name:tag`, `name@digest` or `name:tag@digest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Image {
    /// The name, as it was written.
    pub name: Name,
    /// The tag, if one is written.
    pub tag: Option<String>,
    /// The digest with its algorithm, if one is written: `sha256:…`.
    pub digest: Option<String>,
}

impl FromStr for Image {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // The colon of a port stands before a slash, the one of a tag does not.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag.filter(|tag| !part::is_tag(tag)) {
            let (name, tag) = (name.to_owned(), tag.to_owned());
            return Err(Error::Tag { name, tag });
        }
        if let Some(digest) = digest.filter(|digest| !part::is_digest(digest)) {
            let (name, digest) = (name.to_owned(), digest.to_owned());
            return Err(Error::Digest { name, digest });
        }
        Ok(Self {
            name: name.parse()?,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether a text may be the tag of an image.
pub fn is_tag(text: &str) -> bool {
    part::is_tag(text)
}

#[cfg(test)]
mod tests;
