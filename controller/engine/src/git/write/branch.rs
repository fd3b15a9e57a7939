//! Which commit the edits start from, and where the branch has to be when it is moved.

use flux_core::git::{ObjectId, Reference, Resolved, reference};

use super::{
    Destination, Error,
    merged::{Merged, merged},
};
use crate::git::{error::Error as GitError, session::Session};

/// Where an edit starts.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// The full name of the branch that is moved.
    pub(super) ref_name: String,
    /// Where it is; `None` if it has to be created.
    pub(super) old: Option<ObjectId>,
    /// Whether the new commit follows what the branch holds now.
    pub(super) follows: bool,
    /// The branch, and the commit whose files are edited.
    pub(super) resolved: Resolved,
}

/// Asks the remote, and fetches the commit to start from.
pub(super) fn look<E: std::error::Error>(to: &Destination<'_>) -> Result<Base, Error<E>> {
    let mut session = to.client.connect(to.remote, to.deadline)?;
    let source = session.resolve(to.source)?;
    let branch = branch_name(to, &source)?;
    let ref_name = format!("refs/heads/{branch}");
    let old = if source.ref_name.as_ref() == Some(&ref_name) {
        Some(source.commit_id)
    } else {
        find(&mut session, branch)?
    };
    let (start, follows) = start(to, &mut session, old, source.commit_id)?;
    let base = Base {
        resolved: Resolved {
            ref_name: Some(ref_name.clone()),
            short_name: Some(branch.to_owned()),
            commit_id: start,
            tag_id: None,
        },
        ref_name,
        old,
        follows,
    };
    session.fetch(to.store, &base.resolved)?;
    Ok(base)
}

/// Where the edits start, and whether that follows what the branch holds.
///
/// A branch that was merged starts again from the source; any other is continued, for its commits
/// may be someone's work that is nowhere else.
fn start(
    to: &Destination<'_>,
    session: &mut Session,
    old: Option<ObjectId>,
    source: ObjectId,
) -> Result<(ObjectId, bool), GitError> {
    let Some(branch) = old.filter(|branch| *branch != source) else {
        return Ok((source, true));
    };
    Ok(match merged(to, session, branch, source)? {
        Merged::No => (branch, true),
        Merged::ByHistory => (source, true),
        Merged::ByContent => (source, false),
    })
}

/// Asks the remote where the branch is now.
pub(super) fn head(to: &Destination<'_>, base: &Base) -> Result<Option<ObjectId>, GitError> {
    let mut session = to.client.connect(to.remote, to.deadline)?;
    let name = base.resolved.short_name.as_deref().unwrap_or_default();
    find(&mut session, name)
}

fn find(session: &mut Session, branch: &str) -> Result<Option<ObjectId>, GitError> {
    match session.resolve(&Reference::Branch(branch.to_owned())) {
        Ok(found) => Ok(Some(found.commit_id)),
        Err(GitError::Reference(reference::Error::Missing(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

fn branch_name<'a, E: std::error::Error>(
    to: &Destination<'a>,
    source: &'a Resolved,
) -> Result<&'a str, Error<E>> {
    if let Some(branch) = to.branch {
        return Ok(branch);
    }
    let name = source.ref_name.as_deref();
    let branch = name.and_then(|name| name.strip_prefix("refs/heads/"));
    match (to.source, branch) {
        (Reference::Commit { .. }, _) => Err(Error::NoBranch("a commit")),
        (Reference::Tag(_) | Reference::SemVer(_), _) => Err(Error::NoBranch("a tag")),
        (_, Some(branch)) => Ok(branch),
        (_, None) => Err(Error::NoBranch("another kind of ref")),
    }
}
