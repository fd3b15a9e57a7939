//! What has to be signed before a revision is served.

use super::{Reference, Resolved};

/// `spec.verify.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The commit that is served.
    Head,
    /// The annotated tag that points to it.
    Tag,
    /// Both.
    TagAndHead,
    /// The commit and every first parent back to the last verified one.
    FirstParent,
}

/// An object whose signature has to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The commit.
    Commit,
    /// The annotated tag.
    Tag,
    /// The commit and its first parents.
    FirstParents,
}

/// Why a mode cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The reference can never be a tag.
    #[error(
        "spec.verify.mode needs a tag, but spec.ref does not name one: set spec.ref.tag, spec.ref.semver or spec.ref.name"
    )]
    NeedsTag,
    /// A lightweight tag cannot carry a signature.
    #[error(
        "tag {0} is not an annotated tag, so that it cannot be signed: make it with git tag -s"
    )]
    Lightweight(String),
}

impl Mode {
    /// Refuses a mode that the reference can never satisfy.
    pub fn check(self, reference: &Reference) -> Result<(), Error> {
        let may_be_tag = match reference {
            Reference::Tag(_) | Reference::SemVer(_) => true,
            Reference::Name(name) => name.starts_with("refs/tags/"),
            Reference::Default | Reference::Branch(_) | Reference::Commit { .. } => false,
        };
        match self {
            Self::Tag | Self::TagAndHead if !may_be_tag => Err(Error::NeedsTag),
            Self::Head | Self::Tag | Self::TagAndHead | Self::FirstParent => Ok(()),
        }
    }

    /// Returns what has to be signed for this revision.
    pub fn targets(self, resolved: &Resolved) -> Result<&'static [Target], Error> {
        let needs_tag = matches!(self, Self::Tag | Self::TagAndHead);
        if needs_tag && resolved.tag_id.is_none() {
            let name = resolved.short_name.clone().unwrap_or_default();
            return Err(Error::Lightweight(name));
        }
        Ok(match self {
            Self::Head => &[Target::Commit],
            Self::Tag => &[Target::Tag],
            Self::TagAndHead => &[Target::Tag, Target::Commit],
            Self::FirstParent => &[Target::FirstParents],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::ObjectId;

    fn resolved(tag_id: Option<ObjectId>) -> Resolved {
        Resolved {
            ref_name: Some("refs/tags/v1".to_owned()),
            short_name: Some("v1".to_owned()),
            commit_id: ObjectId::from_bytes([1; 20]),
            tag_id,
        }
    }

    #[test]
    fn tag_modes_need_a_reference_that_can_be_a_tag() {
        let branch = Reference::Branch("main".to_owned());
        assert_eq!(Mode::Tag.check(&branch), Err(Error::NeedsTag));
        assert_eq!(
            Mode::TagAndHead.check(&Reference::Default),
            Err(Error::NeedsTag)
        );
        assert_eq!(Mode::Tag.check(&Reference::Tag("v1".to_owned())), Ok(()));
        assert_eq!(Mode::Head.check(&branch), Ok(()));
    }

    #[test]
    fn a_lightweight_tag_cannot_be_verified() {
        let error = Mode::TagAndHead.targets(&resolved(None)).unwrap_err();
        assert_eq!(error, Error::Lightweight("v1".to_owned()));
    }

    #[test]
    fn tag_and_head_verifies_both() {
        let tagged = resolved(Some(ObjectId::from_bytes([2; 20])));
        assert_eq!(
            Mode::TagAndHead.targets(&tagged),
            Ok(&[Target::Tag, Target::Commit][..])
        );
    }
}
