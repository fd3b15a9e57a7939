//! What is left alone, and why.

use std::fmt;

use super::PolicyName;

/// A place that was left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The policy that wanted it changed, if it is known.
    pub policy: Option<PolicyName>,
    /// The file, or the directory that was to be looked into.
    pub path: String,
    /// The line in that file, from 1; 0 is the whole of it.
    pub line: usize,
    /// The object, `Deployment/shop/web`, if there is one.
    pub object: Option<String>,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: ", self.path)?,
            line => write!(f, "{}:{line}: ", self.path)?,
        }
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        write!(f, "{}", self.reason)
    }
}

/// Why a place is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The directory to edit leads out of the repository.
    #[error("the path leads out of the repository")]
    Outside,
    /// The directory to edit does not exist.
    #[error("there is no such directory in the repository")]
    NoDirectory,
    /// The head of the file says so.
    #[error("the file says that it is generated ({0:?}): change what it is generated from")]
    Generated(String),
    /// SOPS encrypted the file, and a change would break its checksum.
    #[error("the file is encrypted with SOPS: keep the image in a file of its own")]
    Encrypted,
    /// The file is a template and no YAML.
    #[error("the file is a template and no YAML: keep the image in a file of values")]
    Template,
    /// The file is not what its name says.
    #[error("the file cannot be edited: {0}")]
    Unreadable(String),
    /// The comment is no marker.
    #[error(
        "the marker is not understood ({0}): write for example # {{\"$imagepolicy\": \"namespace:policy:tag\"}}"
    )]
    Marker(String),
    /// No value stands before the marker.
    #[error("no value stands in front of the marker: write it behind the value, on the same line")]
    NothingMarked,
    /// Several values stand before the marker.
    #[error("several values stand in front of the marker: write each on a line of its own")]
    SeveralMarked,
    /// There is nothing to replace.
    #[error("the value is empty: write a first one")]
    Empty,
    /// The value is a mapping or a list.
    #[error("the value is not text")]
    NotText,
    /// The value stands on several lines.
    #[error("the value stands on several lines: write it on one")]
    SeveralLines,
    /// The value has a tag.
    #[error("the value has a YAML tag: write it without one")]
    Tagged,
    /// The value has a variable of a template.
    #[error("the value has a variable in it ({0:?}): mark the value of the variable")]
    Variable(String),
    /// Another value is the same scalar, and would change too.
    #[error(
        "the value is also that of {field} (line {line}), which nothing wants changed: give it one of its own"
    )]
    Shared {
        /// The other field.
        field: String,
        /// The line of the alias.
        line: usize,
    },
    /// Policies want different values here.
    #[error("policies disagree: {first} wants {first_value:?}, {second} wants {second_value:?}")]
    Conflict {
        /// One policy.
        first: String,
        /// What it wants.
        first_value: String,
        /// The other policy.
        second: String,
        /// What that wants.
        second_value: String,
    },
    /// The digest has to be written and is not known.
    #[error("the digest of {tag:?} is not known, and the image is written with a digest")]
    NoDigest {
        /// The tag.
        tag: String,
    },
    /// The policy never writes digests.
    #[error("a digest is written here, and the policy's digest is Never: take one of them away")]
    DigestUnwanted,
    /// The object is locked.
    #[error("the object is locked{0}")]
    Locked(String),
    /// The annotation's pattern cannot be read.
    #[error("the annotation {key:?} is not understood: {message}")]
    Pattern {
        /// The key of the annotation.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// No tag of the policy fits the annotation's pattern.
    #[error("no tag that the policy allows fits {pattern:?}")]
    NoTag {
        /// The pattern.
        pattern: String,
    },
    /// The best tag that an annotation lets through is below the one that is written.
    #[error(
        "{current:?}, which is written, is not in the registry any more, and {best:?} is below it: write it by hand to go back"
    )]
    Downgrade {
        /// The tag that is written.
        current: String,
        /// The best of the tags that there are.
        best: String,
    },
    /// Only the tag can be changed there, and the image is another one.
    #[error("the image there is {written}, in parts: only its tag can be changed")]
    OtherImage {
        /// The image that is written.
        written: String,
    },
    /// An annotation names a field that does not exist.
    #[error("the annotation {key:?} names {field:?}, which spec.values does not have")]
    NoField {
        /// The key of the annotation.
        key: String,
        /// The field.
        field: String,
    },
    /// An entry of a kustomization has nothing to replace.
    #[error("the entry of {0:?} has neither newTag nor digest: add one with a first value")]
    NoTagField(String),
}
