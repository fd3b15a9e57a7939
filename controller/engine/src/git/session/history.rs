//! Which commits lead to which: the heads of commits without their files, as far back as needed.

use std::{
    collections::{HashMap, HashSet},
    io::{self, BufRead},
    num::NonZeroU32,
};

use flux_core::git::ObjectId;
use gix_object::{CommitRef, Find, Kind};
use gix_protocol::fetch::{
    Arguments, Context, Negotiate, Options, Response, Shallow, Tags,
    negotiate::{Action, Round, one_round},
};
use gix_utils::progress::{Discard, DynNestedProgress};

use super::{Server, Session, Way, agent};
use crate::git::{
    error::Error,
    id::{from_gix, to_gix},
    store::Store,
};

/// So many commits are looked at, at most.
const MAX_COMMITS: usize = 100_000;
/// In seconds.
const DAY: i64 = 86_400;

/// Commits by their ids, as far back as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Ancestry(HashMap<ObjectId, Step>);

#[derive(Debug)]
struct Step {
    parents: Vec<ObjectId>,
    /// When it was committed, in seconds.
    time: i64,
}

impl Session {
    /// Returns the commits that lead to these, so many generations back.
    ///
    /// Caveat: a server that cannot leave files out sends those of all these commits.
    pub(crate) fn ancestry(
        &mut self,
        store: &Store,
        heads: &[ObjectId],
        depth: NonZeroU32,
    ) -> Result<Ancestry, Error> {
        match &mut self.0 {
            Way::Server(server) => {
                store.bringing_garbage(|| server.fetch_ancestry(store, heads, depth))?;
                Ok(Ancestry::read(&store.handle(), heads))
            }
            Way::File(source) => Ok(Ancestry::read(source.objects(), heads)),
        }
    }

    /// Whether the server can send commits without their files.
    pub(crate) fn can_leave_files_out(&self) -> bool {
        let Way::Server(server) = &self.0 else {
            return true;
        };
        let offered = &server.handshake.capabilities;
        let fetch = offered.capability("fetch");
        offered.contains("filter") || fetch.and_then(|fetch| fetch.supports("filter")) == Some(true)
    }
}

impl Server {
    /// Fetches heads of commits into the store. They do not count as kept: to it they are garbage.
    fn fetch_ancestry(
        &mut self,
        store: &Store,
        heads: &[ObjectId],
        depth: NonZeroU32,
    ) -> Result<(), Error> {
        let watch = self
            .line
            .runtime()
            .spawn(self.line.deadline().clone().watch());
        let outcome = self.download_ancestry(store, heads, depth);
        watch.abort();
        outcome
    }

    fn download_ancestry(
        &mut self,
        store: &Store,
        heads: &[ObjectId],
        depth: NonZeroU32,
    ) -> Result<(), Error> {
        let flag = self.line.deadline().flag();
        let mut written = Ok(0);
        let consume = |pack: &mut dyn BufRead, progress: &mut dyn DynNestedProgress, _: &_| {
            written = store.write_pack(pack, progress, flag);
            if written.is_err() {
                io::copy(pack, &mut io::sink()).map_err(gix_error::Error::from_error)?;
            }
            Ok(true)
        };
        let result = gix_protocol::fetch(
            &mut CommitsOnly(heads),
            consume,
            Discard,
            flag,
            Context {
                handshake: &mut self.handshake,
                transport: &mut self.transport,
                user_agent: agent(),
                trace_packetlines: false,
            },
            Options {
                shallow_file: store.shallow_file(),
                shallow: &Shallow::DepthAtRemote(depth),
                tags: Tags::None,
                reject_shallow_remote: false,
            },
        );
        result.map_err(|error| self.line.explain("fetching history", &error))?;
        written.map(drop)
    }
}

/// One round: the heads, without files if the server can leave them out.
struct CommitsOnly<'a>(&'a [ObjectId]);

impl Negotiate for CommitsOnly<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix_error::Result<Action> {
        Ok(Action::MustNegotiate {
            remote_ref_target_known: Vec::new(),
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        if arguments.can_use_filter() {
            arguments.filter("tree:0");
        }
        for head in self.0 {
            arguments.want(to_gix(*head));
        }
        true
    }

    fn one_round(
        &mut self,
        _state: &mut one_round::State,
        _arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix_error::Result<(Round, bool)> {
        let round = Round {
            haves_sent: 0,
            in_vain: 0,
            haves_to_send: 0,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}

impl Ancestry {
    fn read(objects: &impl Find, heads: &[ObjectId]) -> Self {
        let mut steps = HashMap::new();
        let mut open = heads.to_vec();
        let mut buffer = Vec::new();
        while let Some(id) = open.pop() {
            if steps.len() >= MAX_COMMITS || steps.contains_key(&id) {
                continue;
            }
            let found = objects.try_find(&to_gix(id), &mut buffer).ok().flatten();
            let Some(step) = found.and_then(|found| Step::read(found.kind, found.data)) else {
                continue;
            };
            open.extend(&step.parents);
            steps.insert(id, step);
        }
        Self(steps)
    }

    /// Whether `old` leads to `new`; `None` if that lies further back than these commits go.
    pub(crate) fn leads_to(&self, old: ObjectId, new: ObjectId) -> Option<bool> {
        // Beyond what is older it cannot be; a day for clocks that are wrong.
        let begin = self
            .0
            .get(&old)
            .map_or(i64::MIN, |step| step.time.saturating_sub(DAY));
        let mut seen = HashSet::new();
        let mut open = vec![(new, i64::MAX)];
        let mut is_sure = true;
        while let Some((id, time)) = open.pop() {
            if id == old {
                return Some(true);
            }
            if !seen.insert(id) {
                continue;
            }
            match self.0.get(&id) {
                Some(step) => open.extend(step.parents.iter().map(|parent| (*parent, step.time))),
                None if time < begin => {}
                None => is_sure = false,
            }
        }
        is_sure.then_some(false)
    }

    /// Returns the commit at which the line of first parents of `branch` left the history of `trunk`.
    pub(crate) fn fork(&self, branch: ObjectId, trunk: ObjectId) -> Option<ObjectId> {
        let mut of_trunk = HashSet::new();
        let mut open = vec![trunk];
        while let Some(id) = open.pop() {
            if of_trunk.insert(id)
                && let Some(step) = self.0.get(&id)
            {
                open.extend(&step.parents);
            }
        }
        let mut next = branch;
        for _ in 0..self.0.len() {
            if of_trunk.contains(&next) {
                return Some(next);
            }
            next = *self.0.get(&next)?.parents.first()?;
        }
        None
    }
}

impl Step {
    fn read(kind: Kind, data: &[u8]) -> Option<Self> {
        if kind != Kind::Commit {
            return None;
        }
        let commit = CommitRef::from_bytes(data, gix_hash::Kind::Sha1).ok()?;
        Some(Self {
            parents: commit.parents().filter_map(|id| from_gix(&id)).collect(),
            time: commit.committer().ok()?.seconds(),
        })
    }
}

#[cfg(test)]
mod tests;
