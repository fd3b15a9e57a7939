//! Which values of a file are encrypted.

use regex::Regex;

use super::Error;

/// The rule of one file; there is never more than one.
pub(super) enum Rules {
    /// All but those below a key with this ending.
    AllBut(String),
    /// Those below a key with this ending.
    Only(String),
    /// All but those below a key that matches.
    AllButMatching(Regex),
    /// Those below a key that matches.
    OnlyMatching(Regex),
    /// It depends on comments: encrypted is what looks so.
    Comments,
}

impl Rules {
    /// Takes what the metadata says, by the name of the rule.
    pub(super) fn new<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let names = [
            "unencrypted_suffix",
            "encrypted_suffix",
            "unencrypted_regex",
            "encrypted_regex",
            "unencrypted_comment_regex",
            "encrypted_comment_regex",
        ];
        let mut rules = names
            .into_iter()
            .filter_map(|name| Some((name, get(name).filter(|rule| !rule.is_empty())?)));
        let Some((name, rule)) = rules.next() else {
            return Ok(Self::AllBut("_unencrypted".to_owned()));
        };
        if rules.next().is_some() {
            return Err(Error::Metadata("it has more than one rule"));
        }
        let pattern =
            || Regex::new(rule).map_err(|_| Error::Metadata("its rule is no regular expression"));
        Ok(match name {
            "unencrypted_suffix" => Self::AllBut(rule.to_owned()),
            "encrypted_suffix" => Self::Only(rule.to_owned()),
            "unencrypted_regex" => Self::AllButMatching(pattern()?),
            "encrypted_regex" => Self::OnlyMatching(pattern()?),
            _ => Self::Comments,
        })
    }

    /// Tells whether a value is encrypted; `None` if only its look can tell.
    pub(super) fn is_encrypted(&self, path: &[String]) -> Option<bool> {
        let any = |matches: &dyn Fn(&str) -> bool| path.iter().any(|key| matches(key));
        match self {
            Self::AllBut(end) => Some(!any(&|key| key.ends_with(end))),
            Self::Only(end) => Some(any(&|key| key.ends_with(end))),
            Self::AllButMatching(pattern) => Some(!any(&|key| pattern.is_match(key))),
            Self::OnlyMatching(pattern) => Some(any(&|key| pattern.is_match(key))),
            Self::Comments => None,
        }
    }
}
