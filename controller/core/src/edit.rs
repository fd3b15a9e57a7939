//! Writing images into files of a repository, byte by byte.
//!
//! ```text
//!  FileTree ─► tree ─► file: untouchable? ─► find places ─► apply: change the bytes, read again, compare
//!                                             │
//!                     marker, annotation (helm), images
//! ```
//!
//! *Guarantees*: an edit changes the bytes of scalars that name an image and nothing else. The
//! edited file is parsed again, and refused if anything but the intended values differs
//! ([`Error::Differs`]). What is left alone is said with its reason ([`Skip`]).
//!
//! *Left alone*: files that say at their head that they are generated (`Code generated … DO NOT
//! EDIT`, `@generated`, `automatically generated` and the like), files that SOPS encrypted (a
//! `sops` key at the top), and templates that are no YAML.

mod annotation;
mod apply;
mod container;
mod images;
mod manual;
mod marker;
mod memo;
mod path;
mod render;
mod skip;
mod source;
mod tree;
mod untouchable;

use std::collections::BTreeMap;
use std::fmt;

use flux_crds::image_policy::{DigestMode, UpdateStrategy};

use crate::image;

pub use container::take_images;
pub use manual::{Place, places, set_annotation, set_image};
pub use memo::Memo;
pub use skip::{Reason, Skip};
pub use tree::{Edits, is_of_interest, tree, tree_again};

use apply::Intent;
use source::Source;

/// The name of an image policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a policy wants written, and where: one entry of its `spec.update`.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The policy.
    pub policy: PolicyName,
    /// The image, as the policy writes it.
    pub name: image::Name,
    /// The tag that the policy chose.
    pub tag: String,
    /// The digest of that tag, if it is known.
    pub digest: Option<String>,
    /// Whether the digest is written.
    pub mode: DigestMode,
    /// How places are found.
    pub strategy: UpdateStrategy,
    /// All tags that the policy's filter and rule let through, the best first.
    ///
    /// Only [`UpdateStrategy::Annotations`] looks at them, for a workload whose annotation restricts the tags.
    pub tags: Vec<String>,
    /// The directory whose files may be changed: `./apps`; `.` or nothing is the whole tree.
    pub path: String,
}

/// What became of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edited {
    /// The new content; `None` if there is nothing to change.
    pub bytes: Option<Vec<u8>>,
    /// What changed, in the order of the file.
    pub changes: Vec<Change>,
    /// What was left alone.
    pub skipped: Vec<Skip>,
    /// How many places were found for each policy, changed or not.
    pub places: BTreeMap<PolicyName, usize>,
}

/// One value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The policy that wanted it; `None` if a person did.
    pub policy: Option<PolicyName>,
    /// The image, as the policy writes it.
    pub image: image::Name,
    /// The tag that is written now.
    pub tag: Option<String>,
    /// The file.
    pub path: String,
    /// The line in that file, from 1.
    pub line: usize,
    /// The object, `Deployment/shop/web`; `None` if the file holds none there.
    pub object: Option<String>,
    /// The container of that object, or the part of a Helm release.
    pub container: Option<String>,
    /// What stood there: an image, a tag, a name or a digest.
    pub old: String,
    /// What stands there now.
    pub new: String,
}

/// Failure to edit a file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read as YAML.
    #[error("{0}")]
    Yaml(flux_kustomize::Error),
    /// The edited file would differ in more than the intended values, so that nothing was written.
    #[error(
        "{path}:{line}: {field} would change as well, so that the file is left alone; write the image on a line of its own"
    )]
    Differs {
        /// The file.
        path: String,
        /// The line of the value that differs.
        line: usize,
        /// The field that differs.
        field: String,
    },
    /// The file has no such object.
    #[error("{path} has no {object}")]
    NoObject {
        /// The file.
        path: String,
        /// The object.
        object: String,
    },
    /// The file has the object more than once.
    #[error("{path} has {object} more than once")]
    SeveralObjects {
        /// The file.
        path: String,
        /// The object.
        object: String,
    },
    /// The object has no such container.
    #[error("{object} in {path} has no container {container:?}")]
    NoContainer {
        /// The file.
        path: String,
        /// The object.
        object: String,
        /// The container.
        container: String,
    },
    /// What was asked for cannot be done there.
    #[error("{0}")]
    LeftAlone(Box<Skip>),
    /// The tree cannot be read.
    #[error("failed to look for files to edit")]
    Tree(#[source] flux_kustomize::TreeError),
}

/// Writes what the targets want into one file.
///
/// The `path` of the targets does not matter here, the file is one that all of them may change.
///
/// # Errors
/// The file is no YAML, or an edit would change more than it should. Nothing is to be written then.
pub fn file(path: &str, bytes: &[u8], targets: &[Target]) -> Result<Edited, Error> {
    let targets: Vec<&Target> = targets.iter().collect();
    edit(path, bytes, &targets)
}

fn edit(path: &str, bytes: &[u8], targets: &[&Target]) -> Result<Edited, Error> {
    if let Some(reason) = untouchable::generated(bytes) {
        return Ok(left_alone(path, bytes, targets, &reason));
    }
    let source = match Source::read(path, bytes) {
        Ok(source) => source,
        Err(Error::Yaml(_)) if untouchable::is_template(bytes) => {
            return Ok(left_alone(path, bytes, targets, &Reason::Template));
        }
        Err(error) => return Err(error),
    };
    if source.is_encrypted() {
        return Ok(left_alone(path, bytes, targets, &Reason::Encrypted));
    }
    let mut found = Found::default();
    marker::find(&source, targets, &mut found);
    annotation::find(&source, targets, &mut found);
    images::find(&source, targets, &mut found);
    apply::apply(&source, found)
}

/// The places that were found in a file.
#[derive(Default)]
struct Found {
    intents: Vec<Intent>,
    skipped: Vec<Skip>,
}

/// Leaves a file alone; it is worth a word only if a target would have looked into it.
fn left_alone(path: &str, bytes: &[u8], targets: &[&Target], reason: &Reason) -> Edited {
    let mut edited = Edited::default();
    for target in targets {
        if tree::concerns(bytes, target) {
            edited.skipped.push(Skip {
                policy: Some(target.policy.clone()),
                path: path.to_owned(),
                line: 0,
                object: None,
                reason: reason.clone(),
            });
        }
    }
    edited
}

#[cfg(test)]
mod tests;
