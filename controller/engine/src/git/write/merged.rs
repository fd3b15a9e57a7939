//! Whether a push branch has been merged into the source, so that it may start afresh.
//!
//! It has if the source's history holds it, or if the source has all that it changed: so a merge
//! that squashes or rebases looks. Whenever that is not sure, it has not: then nothing can get
//! lost, and the branch goes on as it is.

use std::num::NonZeroU32;

use flux_core::git::{ObjectId, Resolved};

use super::Destination;
use crate::git::{
    error::Error,
    session::{Ancestry, Session},
    tree::{GitTree, Node},
};

/// So many generations are looked back, step by step.
const DEPTHS: [NonZeroU32; 3] = [depth(64), depth(1024), depth(16_384)];

const fn depth(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

/// What became of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merged {
    /// It holds commits that are not in the source.
    No,
    /// Its commits are the source's.
    ByHistory,
    /// Its commits are not the source's, but all that they changed is there.
    ByContent,
}

/// Finds out what became of a branch.
pub(super) fn merged(
    to: &Destination<'_>,
    session: &mut Session,
    branch: ObjectId,
    source: ObjectId,
) -> Result<Merged, Error> {
    let ancestry = match leads(to, session, branch, source)? {
        (true, _) => return Ok(Merged::ByHistory),
        (false, ancestry) => ancestry,
    };
    let Some(fork) = ancestry.fork(branch, source) else {
        return Ok(Merged::No);
    };
    if fork == branch || fork == source {
        // A source that did not move since has taken nothing over.
        return Ok(Merged::No);
    }
    let mut trees = Vec::new();
    for commit_id in [fork, branch, source] {
        trees.push(fetch(to, session, commit_id)?);
    }
    let [fork, branch, source] = trees.as_slice() else {
        return Ok(Merged::No);
    };
    // A branch whose commits cancel each other out may say just that: leave it.
    if fork.root() == branch.root() {
        return Ok(Merged::No);
    }
    let (old, new, there) = (fork.top(), branch.top(), source.top());
    let is_there = has_taken(source, Some(&old), Some(&new), Some(&there))?;
    Ok(if is_there {
        Merged::ByContent
    } else {
        Merged::No
    })
}

/// Whether the history of `new` holds `old`, as far back as it is looked at; and that history.
pub(super) fn leads(
    to: &Destination<'_>,
    session: &mut Session,
    old: ObjectId,
    new: ObjectId,
) -> Result<(bool, Ancestry), Error> {
    let mut ancestry = Ancestry::default();
    for depth in DEPTHS {
        ancestry = session.ancestry(to.store, &[old, new], depth)?;
        if let Some(leads) = ancestry.leads_to(old, new) {
            return Ok((leads, ancestry));
        }
        if !session.can_leave_files_out() {
            break;
        }
    }
    Ok((false, ancestry))
}

/// Whether the history of a branch's head holds a commit of ours.
pub(super) fn leads_back(
    to: &Destination<'_>,
    session: &mut Session,
    head: ObjectId,
    ours: ObjectId,
) -> Result<bool, Error> {
    let ancestry = session.ancestry(to.store, &[head], DEPTHS[0])?;
    Ok(ancestry.leads_to(ours, head) == Some(true))
}

fn fetch(
    to: &Destination<'_>,
    session: &mut Session,
    commit_id: ObjectId,
) -> Result<GitTree, Error> {
    let resolved = Resolved {
        ref_name: None,
        short_name: None,
        commit_id,
        tag_id: None,
    };
    session.fetch(to.store, &resolved)?;
    GitTree::open(to.store, commit_id, None)
}

/// Whether each path that differs between `old` and `new` is in `there` as it is in `new`.
fn has_taken(
    store: &GitTree,
    old: Option<&Node>,
    new: Option<&Node>,
    there: Option<&Node>,
) -> Result<bool, Error> {
    let same = |a: Option<&Node>, b: Option<&Node>| match (a, b) {
        (Some(a), Some(b)) => a.id == b.id && a.kind == b.kind,
        (a, b) => a.is_none() && b.is_none(),
    };
    if same(old, new) || same(new, there) {
        return Ok(true);
    }
    let (Some(new), Some(there)) = (new, there) else {
        return Ok(false);
    };
    if !new.is_directory() || !there.is_directory() {
        return Ok(false);
    }
    let old = match old {
        Some(old) if old.is_directory() => Some(store.directory(old.id)?),
        _ => None,
    };
    let (new, there) = (store.directory(new.id)?, store.directory(there.id)?);
    let gone = old.iter().flat_map(|old| old.names());
    for name in new.names().chain(gone) {
        let old = old.as_ref().and_then(|old| old.get(name));
        if !has_taken(store, old, new.get(name), there.get(name))? {
            return Ok(false);
        }
    }
    Ok(true)
}
