//! Which ref of a remote a `GitRepository` follows.

use flux_crds::git_repository::GitReference;

use super::{ObjectId, Range, Revision, range, revision};

/// What `spec.ref` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The branch that the remote's `HEAD` points to.
    Default,
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// The highest tag within a range of versions.
    SemVer(Range),
    /// A full ref name, for example `refs/pull/420/head`.
    Name(String),
    /// A commit, fetched by its id. The branch, if given, only names it.
    Commit {
        /// The commit to serve.
        commit_id: ObjectId,
        /// The branch that it is said to be on.
        branch: Option<String>,
    },
}

/// A ref as a remote lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRef {
    /// The full name, for example `refs/heads/main` or `HEAD`.
    pub name: String,
    /// What it points to, annotated tags followed.
    pub commit_id: ObjectId,
    /// The annotated tag between, if there is one.
    pub tag_id: Option<ObjectId>,
    /// The ref that a symbolic ref such as `HEAD` points to.
    pub target: Option<String>,
}

/// The commit that a [`Reference`] stands for right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The full name of the ref; `None` for a bare commit.
    pub ref_name: Option<String>,
    /// How the ref is shown: the branch, the tag or the full name.
    pub short_name: Option<String>,
    /// The commit.
    pub commit_id: ObjectId,
    /// The annotated tag that points to it, if the ref is one.
    pub tag_id: Option<ObjectId>,
}

/// Why no commit could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name that git itself would refuse.
    #[error("{0:?} is not a valid name for a branch, a tag or a ref")]
    Name(String),
    /// A ref name without `refs/`.
    #[error("{0:?} is not a full ref name: it must start with refs/, for example refs/heads/main")]
    NotFull(String),
    /// The remote has no such ref.
    #[error("the repository has no ref {0}")]
    Missing(String),
    /// The remote has no commit at all.
    #[error("the repository is empty: push a commit first")]
    Empty,
    /// No tag is a version within the range.
    #[error("no tag of the repository is a version within {range} ({tags} tags looked at)")]
    NoVersion {
        /// The range asked for.
        range: String,
        /// How many tags there were.
        tags: usize,
    },
}

/// Why `spec.ref` cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// `commit` is no commit id.
    #[error(transparent)]
    Commit(#[from] revision::Error),
    /// `semver` is no range of versions.
    #[error(transparent)]
    Range(#[from] range::Error),
    /// A name that git would refuse.
    #[error(transparent)]
    Name(#[from] Error),
}

impl Resolved {
    /// Returns the revision to show.
    pub fn revision(&self) -> Revision {
        Revision {
            name: self.short_name.clone(),
            commit_id: self.commit_id,
        }
    }
}

impl Reference {
    /// Reads `spec.ref`; without one it is the default branch.
    ///
    /// # Errors
    /// When no remote could ever have it.
    pub fn of_spec(wanted: Option<&GitReference>) -> Result<Self, Invalid> {
        let Some(GitReference {
            branch,
            tag,
            semver,
            name,
            commit,
        }) = wanted.cloned()
        else {
            return Ok(Self::Default);
        };
        let reference = match (commit, name, semver, tag, branch) {
            (Some(commit), ..) => Self::Commit {
                commit_id: commit.parse()?,
                branch: None,
            },
            (_, Some(name), ..) => Self::Name(name),
            (_, _, Some(range), ..) => Self::SemVer(range.parse()?),
            (_, _, _, Some(tag), _) => Self::Tag(tag),
            (_, _, _, _, Some(branch)) => Self::Branch(branch),
            _ => Self::Default,
        };
        reference.check()?;
        Ok(reference)
    }

    /// Refuses names that git would refuse, before they are sent anywhere.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Default | Self::SemVer(_) | Self::Commit { branch: None, .. } => Ok(()),
            Self::Name(name) if name != "HEAD" && !name.starts_with("refs/") => {
                Err(Error::NotFull(shorten(name)))
            }
            Self::Branch(name)
            | Self::Tag(name)
            | Self::Name(name)
            | Self::Commit {
                branch: Some(name), ..
            } => check_name(name),
        }
    }

    /// Returns the prefixes of the refs to ask the remote for; none means that it need not be asked.
    pub fn prefixes(&self) -> Vec<String> {
        match self {
            Self::Default => vec!["HEAD".to_owned()],
            Self::Branch(name) => vec![format!("refs/heads/{name}")],
            Self::Tag(name) => vec![format!("refs/tags/{name}")],
            Self::SemVer(_) => vec!["refs/tags/".to_owned()],
            Self::Name(name) => vec![name.clone()],
            Self::Commit { .. } => Vec::new(),
        }
    }

    /// Chooses the commit among the refs that the remote listed.
    pub fn choose(&self, refs: &[RemoteRef]) -> Result<Resolved, Error> {
        match self {
            Self::Default => choose_head(refs),
            Self::Branch(name) => find(refs, &format!("refs/heads/{name}"), name),
            Self::Tag(name) => find(refs, &format!("refs/tags/{name}"), name),
            Self::Name(name) => find(refs, name, name),
            Self::SemVer(range) => choose_version(range, refs),
            Self::Commit { commit_id, branch } => Ok(Resolved {
                ref_name: branch.as_ref().map(|name| format!("refs/heads/{name}")),
                short_name: branch.clone(),
                commit_id: *commit_id,
                tag_id: None,
            }),
        }
    }
}

fn find(refs: &[RemoteRef], full: &str, short: &str) -> Result<Resolved, Error> {
    let found = refs.iter().find(|remote| remote.name == full);
    let found = found.ok_or_else(|| Error::Missing(full.to_owned()))?;
    Ok(resolved(found, short))
}

fn choose_head(refs: &[RemoteRef]) -> Result<Resolved, Error> {
    let head = refs.iter().find(|remote| remote.name == "HEAD");
    let head = head.ok_or(Error::Empty)?;
    let Some(target) = &head.target else {
        return Ok(resolved(head, "HEAD"));
    };
    let short = target.strip_prefix("refs/heads/").unwrap_or(target);
    Ok(Resolved {
        ref_name: Some(target.clone()),
        ..resolved(head, short)
    })
}

/// The highest version wins; of tags that differ only in build metadata, the one whose name sorts last.
fn choose_version(range: &Range, refs: &[RemoteRef]) -> Result<Resolved, Error> {
    let tags = refs.iter().filter_map(|remote| {
        let short = remote.name.strip_prefix("refs/tags/")?;
        Some((short, remote))
    });
    let best = tags
        .clone()
        .filter_map(|(short, remote)| Some((super::range::version(short)?, short, remote)))
        .filter(|(version, ..)| range.matches(version))
        .max_by(|(a, a_name, _), (b, b_name, _)| a.cmp_precedence(b).then(a_name.cmp(b_name)));
    match best {
        Some((_, short, remote)) => Ok(resolved(remote, short)),
        None => Err(Error::NoVersion {
            range: range.to_string(),
            tags: tags.count(),
        }),
    }
}

fn resolved(remote: &RemoteRef, short: &str) -> Resolved {
    Resolved {
        ref_name: Some(remote.name.clone()),
        short_name: Some(short.to_owned()),
        commit_id: remote.commit_id,
        tag_id: remote.tag_id,
    }
}

/// The rules of `git check-ref-format`, and no leading `-`.
fn check_name(name: &str) -> Result<(), Error> {
    let part_is_wrong = |part: &str| {
        part.is_empty()
            || part.starts_with('.')
            || std::path::Path::new(part)
                .extension()
                .is_some_and(|end| end == "lock")
    };
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let is_wrong = name.is_empty()
        || name.len() > 1000
        || name.starts_with('-')
        || name.ends_with('.')
        || name == "@"
        || name.contains("..")
        || name.contains("@{")
        || name.contains(forbidden)
        || name.split('/').any(part_is_wrong);
    if is_wrong {
        return Err(Error::Name(shorten(name)));
    }
    Ok(())
}

fn shorten(name: &str) -> String {
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
