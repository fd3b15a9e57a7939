//! What is written in the place of an old value.

use flux_crds::image_policy::DigestMode;

use super::source::Place;
use super::{Reason, Target};
use crate::image::Image;

/// The tag to write, with its digest if that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'t> {
    pub(super) target: &'t Target,
    pub(super) tag: &'t str,
    pub(super) digest: Option<&'t str>,
}

impl<'t> Wanted<'t> {
    /// What the policy chose.
    pub(super) fn latest(target: &'t Target) -> Self {
        Self {
            target,
            tag: &target.tag,
            digest: target.digest.as_deref(),
        }
    }

    /// One of the policy's tags.
    pub(super) fn tag(target: &'t Target, tag: &'t str) -> Self {
        let digest = target.digest.as_deref().filter(|_| tag == target.tag);
        Self {
            target,
            tag,
            digest,
        }
    }

    /// The image in full, in the place of an old one. The name stays as it is written if it means the same.
    pub(super) fn image(&self, old: &str) -> Result<String, Reason> {
        let target = self.target;
        let old_image = match old.parse::<Image>() {
            Ok(image) => Some(image),
            Err(_) if has_variable(old) => return Err(Reason::Variable(old.to_owned())),
            Err(_) => None,
        };
        let is_pinned = old_image.as_ref().is_some_and(|old| old.digest.is_some());
        let name = match old_image {
            Some(old) if old.name.is_same_as(&target.name) => old.name,
            _ => target.name.clone(),
        };
        let image = Image {
            name,
            tag: Some(self.tag.to_owned()),
            digest: self.digest_behind(is_pinned)?,
        };
        Ok(image.to_string())
    }

    /// The image in full with the name that it has: its registry may stand elsewhere.
    pub(super) fn retag(&self, old: &str) -> Result<String, Reason> {
        let image: Image = old.parse().map_err(|_| Reason::Variable(old.to_owned()))?;
        let digest = self.digest_behind(image.digest.is_some())?;
        let tag = Some(self.tag.to_owned());
        let image = Image {
            tag,
            digest,
            ..image
        };
        Ok(image.to_string())
    }

    /// A tag and a digest that each have a place; neither is written without the other.
    pub(super) fn tag_and_digest(
        &self,
        tag: Place,
        digest: Place,
    ) -> Vec<(Place, Result<String, Reason>)> {
        match self.digest_text() {
            Ok(text) => vec![(tag, Ok(self.tag.to_owned())), (digest, Ok(text))],
            Err(reason) => vec![(tag, Err(reason))],
        }
    }

    /// The tag alone, where the digest has no other place: it stands behind the tag if it has to be written.
    pub(super) fn pinned_tag_text(&self, old: &str) -> Result<String, Reason> {
        let tag = self.tag_text(old)?;
        match self.digest_behind(old.contains('@'))? {
            Some(digest) => Ok(format!("{}@{digest}", self.tag)),
            None => Ok(tag),
        }
    }

    /// The tag alone, in the place of an old one that may have a digest behind it.
    pub(super) fn tag_text(&self, old: &str) -> Result<String, Reason> {
        if has_variable(old) {
            return Err(Reason::Variable(old.to_owned()));
        }
        // A tag in a field of its own gets no digest that was not there: who reads the field may not expect one.
        match (old.contains('@'), self.target.mode) {
            (true, DigestMode::IfPinned | DigestMode::Always) => {
                let digest = self.known_digest()?;
                Ok(format!("{}@{digest}", self.tag))
            }
            _ => Ok(self.tag.to_owned()),
        }
    }

    /// The name alone.
    pub(super) fn name_text(&self, old: &str) -> Result<String, Reason> {
        if has_variable(old) {
            return Err(Reason::Variable(old.to_owned()));
        }
        let name = &self.target.name;
        let is_same = old
            .parse::<Image>()
            .is_ok_and(|image| image.tag.is_none() && image.name.is_same_as(name));
        Ok(if is_same { old } else { name.as_str() }.to_owned())
    }

    /// The digest alone, in a place that is for digests.
    pub(super) fn digest_text(&self) -> Result<String, Reason> {
        match self.target.mode {
            DigestMode::Never => Err(Reason::DigestUnwanted),
            DigestMode::IfPinned | DigestMode::Always => self.known_digest(),
        }
    }

    fn digest_behind(&self, is_pinned: bool) -> Result<Option<String>, Reason> {
        match self.target.mode {
            DigestMode::Never => Ok(None),
            DigestMode::IfPinned if !is_pinned => Ok(None),
            DigestMode::IfPinned | DigestMode::Always => self.known_digest().map(Some),
        }
    }

    fn known_digest(&self) -> Result<String, Reason> {
        let unknown = || Reason::NoDigest {
            tag: self.tag.to_owned(),
        };
        self.digest.map(str::to_owned).ok_or_else(unknown)
    }
}

/// Whether something fills this text in later: `${tag}`, `{{ .Values.tag }}`.
fn has_variable(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.contains("$(")
}
