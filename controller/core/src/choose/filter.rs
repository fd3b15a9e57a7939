//! Which tags count, and which part of each is compared.

use std::borrow::Cow;
use std::sync::LazyLock;

use flux_crds::image_policy;
use regex::{Captures, Regex, RegexBuilder};

use super::Error;

/// How large a compiled expression may be; what a person writes takes a few kilobytes.
const MAX_PROGRAM: usize = 1 << 20;

/// Signatures, attestations and other attachments: they stand among the tags and are no images.
static ATTACHMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\.sig$|^sha256-[0-9a-f]{64}(\.[a-z0-9]+)?$").expect("the expression is a constant")
});

#[derive(Clone, Debug)]
pub(super) struct Filter {
    include: Option<Regex>,
    /// Whether `include` is the tag `latest` itself.
    names_latest: bool,
    extract: Option<String>,
    exclude: Vec<Regex>,
}

impl Filter {
    pub(super) fn compile(filter: Option<&image_policy::Filter>) -> Result<Self, Error> {
        let none = image_policy::Filter::default();
        let filter = filter.unwrap_or(&none);
        let every = filter.extract.as_ref().map(|_| ".*");
        let include = filter.include.as_deref().or(every).map(whole).transpose()?;
        if let Some(extract) = &filter.extract {
            check_groups(extract, include.as_ref())?;
        }
        let exclude = filter.exclude.iter();
        Ok(Self {
            include,
            names_latest: filter.include.as_deref().is_some_and(names_latest),
            extract: filter.extract.clone(),
            exclude: exclude
                .map(|pattern| expression("filter.exclude", pattern, pattern))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The filter of an annotation of Flux v1; without a prefix it is a glob.
    pub(super) fn from_flux_v1(pattern: &str) -> Result<Self, Error> {
        let expressed = ["regexp:", "regex:"]
            .iter()
            .find_map(|prefix| pattern.strip_prefix(prefix));
        let glob = pattern.strip_prefix("glob:").unwrap_or(pattern);
        let include = match expressed {
            Some(text) => expression("the tag filter", text, text)?,
            None => expression("the tag filter", pattern, &glob_expression(glob))?,
        };
        Ok(Self {
            include: Some(include),
            names_latest: expressed.is_none() && glob == "latest",
            extract: None,
            exclude: Vec::new(),
        })
    }

    /// Returns what a tag is compared by, if it counts.
    ///
    /// Where the newest image is looked for, `latest` is a second name of it and the worse one: it counts only when
    /// it is asked for by name.
    pub(super) fn text<'a>(&self, tag: &'a str, by_time: bool) -> Option<Cow<'a, str>> {
        let is_moving = by_time && tag == "latest" && !self.names_latest;
        if is_moving || ATTACHMENT.is_match(tag) || self.exclude.iter().any(|one| one.is_match(tag))
        {
            return None;
        }
        let Some(include) = &self.include else {
            return Some(Cow::Borrowed(tag));
        };
        let Some(extract) = &self.extract else {
            return include.is_match(tag).then_some(Cow::Borrowed(tag));
        };
        let mut text = String::new();
        include.captures(tag)?.expand(extract, &mut text);
        Some(Cow::Owned(text))
    }
}

/// An expression for whole tags.
fn whole(pattern: &str) -> Result<Regex, Error> {
    if let Some(glob) = pattern.strip_prefix("glob:") {
        return expression("filter.include", pattern, &glob_expression(glob));
    }
    // Alone first: a stray parenthesis must not become a valid expression inside of the other pair.
    expression("filter.include", pattern, pattern)?;
    expression("filter.include", pattern, &format!("^(?:{pattern})$"))
}

/// `*` stands for any text, which is a group, and `?` for one letter.
fn glob_expression(glob: &str) -> String {
    let parts = glob.chars().map(|letter| match letter {
        '*' => "(.*)".to_owned(),
        '?' => "(.)".to_owned(),
        other => regex::escape(other.encode_utf8(&mut [0; 4])),
    });
    format!("^{}$", parts.collect::<String>())
}

fn expression(field: &'static str, pattern: &str, text: &str) -> Result<Regex, Error> {
    let built = RegexBuilder::new(text).size_limit(MAX_PROGRAM).build();
    built.map_err(|error| Error::Pattern {
        field,
        pattern: pattern.to_owned(),
        // The last line of the text says what is wrong, those before point at the place.
        reason: match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => last_line(&other.to_string()),
        },
    })
}

fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

fn names_latest(include: &str) -> bool {
    let bare = include.strip_prefix("glob:").unwrap_or(include);
    bare.trim_start_matches('^').trim_end_matches('$') == "latest"
}

/// An unknown group would be replaced by nothing, and all tags would be equal.
fn check_groups(extract: &str, include: Option<&Regex>) -> Result<(), Error> {
    let has = |group: &str| match group.parse::<usize>() {
        Ok(number) => number < include.map_or(1, Regex::captures_len),
        Err(_) => include
            .is_some_and(|include| include.capture_names().flatten().any(|name| name == group)),
    };
    match GROUP
        .captures_iter(extract)
        .find_map(|found| group(&found).filter(|group| !has(group)))
    {
        Some(group) => Err(Error::Group {
            extract: extract.to_owned(),
            group,
        }),
        None => Ok(()),
    }
}

/// `$$`, `${name}` or `$name`, as the expansion reads them.
static GROUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$(?:\$|\{([^}]*)\}|([0-9A-Za-z_]+))").expect("the expression is a constant")
});

fn group(found: &Captures<'_>) -> Option<String> {
    let group = found.get(1).or_else(|| found.get(2))?;
    Some(group.as_str().to_owned())
}

#[cfg(test)]
mod tests;
