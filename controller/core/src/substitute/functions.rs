//! What expressions do with a value.

use regex::Regex;

/// How a letter shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
}

/// The first letter or all; the shortest match or the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Least,
    All,
}

/// An end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Start,
    End,
}

/// Which occurrences are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    First,
    Every,
    Leading,
    Trailing,
}

pub(super) fn change_case(value: &str, case: Case, extent: Extent) -> String {
    let all = |text: &str| match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
    };
    match (extent, value.chars().next()) {
        (Extent::All, _) => all(value),
        (Extent::Least, None) => String::new(),
        (Extent::Least, Some(first)) => {
            let (head, tail) = value.split_at(first.len_utf8());
            all(head) + tail
        }
    }
}

/// Returns a part of a text, counted in characters; `None` if the length is below zero.
pub(super) fn slice(value: &str, from: i64, length: Option<i64>) -> Option<String> {
    let count = value.chars().count();
    let from = match usize::try_from(from) {
        Ok(from) => from,
        Err(_) => count.saturating_sub(usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = match length {
        Some(length) => usize::try_from(length).ok()?,
        None => usize::MAX,
    };
    Some(value.chars().skip(from).take(length).collect())
}

/// Removes what matches a glob at one end; `None` if the glob cannot be read.
pub(super) fn cut(value: &str, glob: &str, end: End, extent: Extent) -> Option<String> {
    let pattern = Regex::new(&anchored(glob)).ok()?;
    let borders = value
        .char_indices()
        .map(|(at, _)| at)
        .chain([value.len()])
        .map(|at| value.split_at(at));
    let matches = borders.filter(|(head, tail)| {
        pattern.is_match(match end {
            End::Start => head,
            End::End => tail,
        })
    });
    // Borders run from left to right: the first is the shortest start, or the longest end.
    let found = match (end, extent) {
        (End::Start, Extent::Least) | (End::End, Extent::All) => matches.min_by_key(length),
        (End::Start, Extent::All) | (End::End, Extent::Least) => matches.max_by_key(length),
    };
    let rest = found.map_or(value, |(head, tail)| match end {
        End::Start => tail,
        End::End => head,
    });
    Some(rest.to_owned())
}

fn length((head, _): &(&str, &str)) -> usize {
    head.len()
}

/// A glob of `*`, `?` and `[…]` as a regular expression of the whole text.
fn anchored(glob: &str) -> String {
    let mut pattern = String::from("(?s)^");
    let mut in_class = false;
    for next in glob.chars() {
        match next {
            '*' if !in_class => pattern.push_str(".*"),
            '?' if !in_class => pattern.push('.'),
            '[' if !in_class => {
                in_class = true;
                pattern.push('[');
            }
            ']' if in_class => {
                in_class = false;
                pattern.push(']');
            }
            '-' | '^' if in_class => pattern.push(next),
            next => pattern.push_str(&regex::escape(next.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    pattern
}

/// Replaces one text by another; `None` if that makes more than `limit` bytes.
pub(super) fn replace(
    value: &str,
    (old, new): (&str, &str),
    occurrence: Occurrence,
    limit: usize,
) -> Option<String> {
    if old.is_empty() {
        return Some(value.to_owned());
    }
    let most = match occurrence {
        Occurrence::Every => value.matches(old).count(),
        Occurrence::First | Occurrence::Leading | Occurrence::Trailing => 1,
    };
    if most.saturating_mul(new.len()).saturating_add(value.len()) > limit {
        return None;
    }
    let replaced = match occurrence {
        Occurrence::First => return Some(value.replacen(old, new, 1)),
        Occurrence::Every => return Some(value.replace(old, new)),
        Occurrence::Leading => value.strip_prefix(old).map(|rest| format!("{new}{rest}")),
        Occurrence::Trailing => value.strip_suffix(old).map(|rest| format!("{rest}{new}")),
    };
    Some(replaced.unwrap_or_else(|| value.to_owned()))
}
