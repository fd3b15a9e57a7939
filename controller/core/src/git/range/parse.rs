//! Reads the text of a range.

use std::str::FromStr;

use semver::{BuildMetadata, Prerelease, Version};

use super::{Comparator, Error, Operator, Range, Written};

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
];

impl FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error(text.chars().take(100).collect());
        if text.len() > 256 {
            return Err(wrong());
        }
        let alternatives: Option<Vec<_>> = text.split("||").map(parse_group).collect();
        Ok(Self {
            text: text.to_owned(),
            alternatives: alternatives.ok_or_else(wrong)?,
        })
    }
}

fn parse_group(text: &str) -> Option<Vec<Comparator>> {
    let mut words = text
        .split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .peekable();
    let mut group = Vec::new();
    while let Some(word) = words.next() {
        let (operator, version) = split_operator(word);
        let version = if version.is_empty() {
            words.next()?
        } else {
            version
        };
        if words.next_if_eq(&"-").is_some() {
            if operator.is_some() {
                return None;
            }
            group.push(comparator(Operator::GreaterOrEqual, version)?);
            group.push(comparator(Operator::LessOrEqual, words.next()?)?);
        } else {
            group.push(comparator(operator.unwrap_or(Operator::Equal), version)?);
        }
    }
    (!group.is_empty()).then_some(group)
}

fn split_operator(word: &str) -> (Option<Operator>, &str) {
    let found = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((Some(*operator), word.strip_prefix(sign)?)));
    found.unwrap_or((None, word))
}

fn comparator(operator: Operator, text: &str) -> Option<Comparator> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = text
        .split_once('+')
        .map_or((text, ""), |(text, build)| (text, build));
    let (numbers, pre) = text
        .split_once('-')
        .map_or((text, ""), |(numbers, pre)| (numbers, pre));
    let mut parts = [0; 3];
    let mut count = 0;
    let mut has_wildcard = false;
    for (index, part) in numbers.split('.').enumerate() {
        let slot = parts.get_mut(index)?;
        if matches!(part, "x" | "X" | "*") {
            has_wildcard = true;
        } else {
            let number = part.parse().ok()?;
            if !has_wildcard {
                *slot = number;
                count = index + 1;
            }
        }
    }
    let [major, minor, patch] = parts;
    let written = match count {
        0 => Written::Nothing,
        1 => Written::Major,
        2 => Written::Minor,
        _ => Written::Patch,
    };
    let version = Version {
        major,
        minor,
        patch,
        pre: Prerelease::new(pre).ok()?,
        build: BuildMetadata::new(build).ok()?,
    };
    Some(Comparator {
        operator,
        version,
        written,
    })
}

pub(super) fn short_version(text: &str) -> Option<Version> {
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut parts = [0; 3];
    for (index, part) in numbers.split('.').enumerate() {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        *parts.get_mut(index)? = is_number.then(|| part.parse().ok()).flatten()?;
    }
    let [major, minor, patch] = parts;
    Some(Version {
        major,
        minor,
        patch,
        pre: Prerelease::new(pre).ok()?,
        build: BuildMetadata::new(build).ok()?,
    })
}
