//! Bases in other git repositories, as `resources` and `components` may name them.

use std::fmt;
use std::sync::Arc;

use crate::FileTree;

/// A directory of another git repository, pinned to a ref.
///
/// Its text reads `https://host/repository@ref//path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Remote {
    /// The address of the repository, as git knows it; it holds no credentials.
    pub repository: String,
    /// A branch, a tag or the id of a commit.
    pub reference: String,
    /// The directory in the repository; empty for its root.
    pub path: String,
}

/// Brings the files of other repositories, for builds that may use them.
///
/// A build asks for each repository and ref once. What it builds from there cannot read any file
/// outside of that repository.
pub trait RemoteTrees: fmt::Debug + Send + Sync {
    /// Returns the files of a repository at a ref; the path of the remote does not matter.
    ///
    /// # Errors
    /// Why there are none, for a person; without secrets.
    fn tree(&self, remote: &Remote) -> Result<Arc<dyn FileTree>, String>;
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}//{}", self.at(), self.path)
    }
}

/// Whether a path is the address of something elsewhere.
pub(crate) fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.starts_with("git@")
        || path.starts_with("git::")
        || path.starts_with("github.com/")
        || path.starts_with("github.com:")
        || path.contains("?ref=")
        || path.contains(".git//")
}

/// Returns an address as it may be shown: without what may be a password.
pub(crate) fn shown(written: &str) -> String {
    match split_user(written) {
        (before, Some(user), rest) if user != "git" => format!("{before}***@{rest}"),
        _ => written.to_owned(),
    }
}

/// Splits an address at the user: what is before it, the user, what is behind the `@`.
fn split_user(address: &str) -> (&str, Option<&str>, &str) {
    let start = address.find("://").map_or(0, |at| at + 3);
    let (before, rest) = address.split_at(start);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    match host.rfind('@') {
        Some(at) => (
            before,
            rest.get(..at),
            rest.get(at + 1..).unwrap_or_default(),
        ),
        None => (before, None, rest),
    }
}

impl Remote {
    /// Reads what stands in a kustomization, by the rules of kustomize.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let written = written.strip_prefix("git::").unwrap_or(written);
        let (address, query) = written.split_once('?').unwrap_or((written, ""));
        let (scheme, user, rest) = split_user(address);
        let is_ssh = scheme == "ssh://" || (scheme.is_empty() && user.is_some());
        if user.is_some_and(|user| !is_ssh || user.contains(':')) {
            return Err("has credentials in it, which do not belong into files".to_owned());
        }
        let scheme = match (scheme, user) {
            ("", None) if rest.starts_with("github.com") => "https://",
            ("", None) => return Err("is no address of a git repository".to_owned()),
            (scheme, _) => scheme,
        };
        let end = if scheme.is_empty() {
            rest.find([':', '/'])
        } else {
            rest.find('/').or_else(|| rest.find(':'))
        };
        let end = end.ok_or("names no repository")?;
        let (host, path) = rest.split_at(end);
        let (separator, path) = path.split_at(1);
        let separator = if scheme.is_empty() { separator } else { "/" };
        let (repository, path) = split_path(path).ok_or("names no repository")?;
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        Ok(Self {
            repository: format!("{scheme}{user}{host}{separator}{repository}"),
            reference: reference(query).ok_or("is not pinned to a ref")?,
            path: crate::path::join("", path.trim_matches('/'))
                .ok_or("has a path that leaves the repository")?,
        })
    }

    /// The repository and the ref, as texts about its files begin.
    pub(crate) fn at(&self) -> String {
        format!("{}@{}", self.repository, self.reference)
    }
}

/// Splits the path of an address into repository and directory.
fn split_path(path: &str) -> Option<(&str, &str)> {
    let second = |from: usize| {
        let rest = path.get(from..)?;
        Some(rest.find('/').map_or(path.len(), |at| from + at))
    };
    let split = if let Some(at) = path.find("_git/") {
        second(at + "_git/".len())?
    } else if let Some(at) = path.find("//") {
        at
    } else if let Some(at) = path.find(".git") {
        at + ".git".len()
    } else {
        // The organisation and the repository.
        second(path.find('/')? + 1)?
    };
    let (repository, directory) = path.split_at(split);
    (!repository.is_empty()).then_some((repository, directory))
}

fn reference(query: &str) -> Option<String> {
    let value = |name: &str| {
        query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value.replace("%2F", "/").replace("%2f", "/"))
    };
    value("ref").or_else(|| value("version"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "https://github.com/org/repo//a/b?ref=v1",
        "https://github.com/org/repo@v1//a/b"
    )]
    #[case(
        "https://github.com/org/repo/a/b?ref=v1",
        "https://github.com/org/repo@v1//a/b"
    )]
    #[case(
        "https://github.com/org/repo?ref=v1&timeout=90s",
        "https://github.com/org/repo@v1//"
    )]
    #[case("github.com/org/repo/a?ref=v1", "https://github.com/org/repo@v1//a")]
    #[case(
        "https://host/x/y/repo.git/a?version=v1",
        "https://host/x/y/repo.git@v1//a"
    )]
    #[case(
        "https://host:8443/x/y/repo//a?ref=f%2Fx",
        "https://host:8443/x/y/repo@f/x//a"
    )]
    #[case("git::https://host/x/y//a?ref=v1", "https://host/x/y@v1//a")]
    #[case("git@host:org/repo.git//a?ref=v1", "git@host:org/repo.git@v1//a")]
    #[case(
        "ssh://git@host:2222/org/repo//a?ref=v1",
        "ssh://git@host:2222/org/repo@v1//a"
    )]
    #[case(
        "https://dev.azure.com/o/p/_git/repo/a/b?ref=v1",
        "https://dev.azure.com/o/p/_git/repo@v1//a/b"
    )]
    fn an_address_has_a_repository_a_ref_and_a_path(#[case] written: &str, #[case] expected: &str) {
        assert_eq!(
            Remote::parse(written).map(|remote| remote.to_string()),
            Ok(expected.to_owned())
        );
    }

    #[rstest]
    #[case("https://github.com/org/repo//a", "pinned")]
    #[case("https://me:secret@host/org/repo?ref=v1", "credentials")]
    #[case("https://token@host/org/repo?ref=v1", "credentials")]
    #[case("https://host?ref=v1", "repository")]
    #[case("https://host/org?ref=v1", "repository")]
    #[case("https://host/org/repo//../../x?ref=v1", "leaves")]
    #[case("base?ref=v1", "no address")]
    fn what_is_no_pinned_address_is_refused(#[case] written: &str, #[case] reason: &str) {
        let error = Remote::parse(written).expect_err("it is refused");
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(
            shown("https://me:secret@host/org/repo?ref=a@b"),
            "https://***@host/org/repo?ref=a@b"
        );
        assert_eq!(shown("git@host:org/repo"), "git@host:org/repo");
    }
}
