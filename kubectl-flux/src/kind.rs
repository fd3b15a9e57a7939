//! The kinds, by all the names that people have for them.

use std::fmt;

use flux_crds::{GitRepository, ImagePolicy, Sync};
use kube::{Resource as _, core::ApiResource};

use crate::error::Error;

/// One of the three kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Where the desired state is.
    GitRepository,
    /// What keeps a cluster equal to it.
    Sync,
    /// Which image to run.
    ImagePolicy,
}

impl Kind {
    /// Every kind, in the order of their sections.
    pub(crate) const ALL: [Self; 3] = [Self::GitRepository, Self::Sync, Self::ImagePolicy];

    /// Returns what the API server calls one of them.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::GitRepository => "gitrepository",
            Self::Sync => "sync",
            Self::ImagePolicy => "imagepolicy",
        }
    }

    /// Returns the short word of this plugin.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::GitRepository => "git",
            Self::Sync => "sync",
            Self::ImagePolicy => "image",
        }
    }

    /// Returns how the API server is asked for them.
    pub(crate) fn api_resource(self) -> ApiResource {
        match self {
            Self::GitRepository => ApiResource::erase::<GitRepository>(&()),
            Self::Sync => ApiResource::erase::<Sync>(&()),
            Self::ImagePolicy => ApiResource::erase::<ImagePolicy>(&()),
        }
    }

    /// Returns `kind.group/name`, which kubectl prints and reads.
    pub(crate) fn reference(self, name: &str) -> String {
        format!("{}.{}/{name}", self.singular(), flux_crds::names::GROUP)
    }

    /// Returns the `kind` of manifests.
    pub(crate) fn in_manifests(self) -> String {
        match self {
            Self::GitRepository => GitRepository::kind(&()),
            Self::Sync => Sync::kind(&()),
            Self::ImagePolicy => ImagePolicy::kind(&()),
        }
        .into_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let word = text.strip_suffix(".flux.rs").unwrap_or(&text);
        match word {
            "git" | "gitrepo" | "gitrepos" | "gitrepository" | "gitrepositories" => {
                Some(Self::GitRepository)
            }
            "sync" | "syncs" => Some(Self::Sync),
            "image" | "images" | "imgpol" | "imagepolicy" | "imagepolicies" => {
                Some(Self::ImagePolicy)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.singular())
    }
}

/// What the words `[KIND] [NAME…]` stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All objects of these kinds.
    Kinds(Vec<Kind>),
    /// These objects.
    Names(Vec<(Kind, String)>),
}

impl Selection {
    /// Reads `KIND`, `KIND,KIND`, `KIND NAME…` or `KIND/NAME…`; no words at all mean every kind.
    pub(crate) fn read(words: &[String]) -> Result<Self, Error> {
        let Some((first, names)) = words.split_first() else {
            return Ok(Self::Kinds(Kind::ALL.to_vec()));
        };
        if words.iter().any(|word| word.contains('/')) {
            return words
                .iter()
                .map(|word| slashed(word))
                .collect::<Result<_, _>>()
                .map(Self::Names);
        }
        let kinds = kinds(first)?;
        match (kinds.as_slice(), names) {
            (_, []) => Ok(Self::Kinds(kinds)),
            (&[kind], names) => Ok(Self::Names(
                names.iter().map(|name| (kind, name.clone())).collect(),
            )),
            (_, _) => Err(Error::usage(
                "a name needs one kind in front of it",
                "write KIND/NAME for objects of several kinds",
            )),
        }
    }
}

fn kinds(text: &str) -> Result<Vec<Kind>, Error> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Kind::ALL.to_vec());
    }
    text.split(',').map(kind).collect()
}

/// Reads one kind.
pub(crate) fn kind(text: &str) -> Result<Kind, Error> {
    Kind::parse(text).ok_or_else(|| {
        Error::usage(
            format!("there is no kind \"{text}\""),
            "the kinds are git, sync and image, or all of them: all",
        )
    })
}

fn slashed(word: &str) -> Result<(Kind, String), Error> {
    match word.split_once('/') {
        Some((kind_word, name)) if !name.is_empty() && !name.contains('/') => {
            Ok((kind(kind_word)?, name.to_owned()))
        }
        _ => Err(Error::usage(
            format!("\"{word}\" is not KIND/NAME"),
            "write for example sync/apps",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Selection, String> {
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        Selection::read(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn every_alias_of_a_kind_is_known() {
        for (kind, aliases) in [
            (
                Kind::GitRepository,
                "git gitrepo gitrepos gitrepository gitrepositories GitRepository gitrepositories.flux.rs",
            ),
            (Kind::Sync, "sync syncs Sync sync.flux.rs"),
            (
                Kind::ImagePolicy,
                "image images imgpol imagepolicy imagepolicies ImagePolicy",
            ),
        ] {
            for alias in aliases.split(' ') {
                assert_eq!(read(alias), Ok(Selection::Kinds(vec![kind])), "{alias}");
            }
        }
    }

    #[test]
    fn no_words_and_all_mean_every_kind() {
        assert_eq!(read(""), Ok(Selection::Kinds(Kind::ALL.to_vec())));
        assert_eq!(read("all"), Ok(Selection::Kinds(Kind::ALL.to_vec())));
    }

    #[test]
    fn names_follow_their_kind_or_carry_it() {
        let both = Selection::Names(vec![(Kind::Sync, "a".into()), (Kind::Sync, "b".into())]);
        assert_eq!(read("sync a b"), Ok(both));
        let mixed = Selection::Names(vec![
            (Kind::GitRepository, "a".into()),
            (Kind::Sync, "b".into()),
        ]);
        assert_eq!(read("git/a sync/b"), Ok(mixed));
    }

    #[test]
    fn what_is_neither_kind_nor_name_is_refused() {
        for words in [
            "deployment",
            "git,sync fleet",
            "sync/",
            "sync/a/b",
            "sync/a b",
            "pod/a",
        ] {
            assert!(read(words).is_err(), "{words}");
        }
    }
}
