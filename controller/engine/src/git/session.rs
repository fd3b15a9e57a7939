//! A conversation with one server: list refs, then fetch what is missing.

mod history;

use std::io::{self, BufRead};

use flux_core::git::{ObjectId, Reference, RemoteRef, Resolved};
use gix_protocol::{
    Handshake, LsRefsCommand,
    fetch::{
        Arguments, Context, Negotiate, Response, Shallow, Tags,
        negotiate::{Action, Round, one_round},
    },
    handshake::Ref,
    ls_refs::RefPrefixes,
};
use gix_transport::{Service, client::blocking_io::Transport};
use gix_utils::progress::{Discard, DynNestedProgress};

pub(crate) use self::history::Ancestry;
use super::{
    error::Error,
    file,
    id::{from_gix, to_gix},
    line::Line,
    store::{History, Store},
};

/// A conversation with the server of one repository.
pub struct Session(Way);

enum Way {
    Server(Box<Server>),
    File(Box<file::Source>),
}

struct Server {
    transport: Box<dyn Transport + Send>,
    handshake: Handshake,
    line: Line,
}

/// What a fetch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// How many bytes the server sent in this conversation.
    pub bytes_received: u64,
    /// How many objects are new in the store.
    pub objects: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    pub(crate) fn file(source: file::Source) -> Self {
        Self(Way::File(Box::new(source)))
    }

    pub(crate) fn open(
        mut transport: Box<dyn Transport + Send>,
        line: Line,
    ) -> Result<Self, Error> {
        let no_credentials = |_| Ok(None);
        let handshake = gix_protocol::handshake(
            &mut transport,
            Service::UploadPack,
            no_credentials,
            Vec::new(),
            &mut Discard,
        );
        let handshake = handshake.map_err(|error| line.explain("connecting", &error))?;
        let server = Server {
            transport,
            handshake,
            line,
        };
        Ok(Self(Way::Server(Box::new(server))))
    }

    /// Asks where a ref points now. Downloads no objects.
    pub fn resolve(&mut self, reference: &Reference) -> Result<Resolved, Error> {
        reference.check()?;
        let prefixes = reference.prefixes();
        let refs = match &mut self.0 {
            _ if prefixes.is_empty() => Vec::new(),
            Way::Server(server) => server.list(prefixes)?,
            Way::File(source) => source.list()?,
        };
        Ok(reference.choose(&refs)?)
    }

    /// Brings a commit with its files into the store; downloads only what the store lacks.
    pub fn fetch(&mut self, store: &Store, resolved: &Resolved) -> Result<Fetched, Error> {
        self.fetch_with(store, resolved, History::None)
    }

    /// Like [`Self::fetch`], with the commits since `known`, so that each of them can be verified.
    pub fn fetch_since(
        &mut self,
        store: &Store,
        resolved: &Resolved,
        known: ObjectId,
    ) -> Result<Fetched, Error> {
        self.fetch_with(store, resolved, History::Since(known))
    }

    fn fetch_with(
        &mut self,
        store: &Store,
        resolved: &Resolved,
        history: History,
    ) -> Result<Fetched, Error> {
        store.fetching(resolved, history, |want| match &mut self.0 {
            Way::Server(server) => server.fetch(store, want),
            Way::File(source) => source.fetch(store, want),
        })
    }
}

/// What to ask for, and what to say that we have.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    pub(crate) id: ObjectId,
    pub(crate) haves: Vec<ObjectId>,
    pub(crate) history: History,
}

impl Server {
    fn list(&mut self, prefixes: Vec<String>) -> Result<Vec<RemoteRef>, Error> {
        // The older protocol has sent all refs already.
        if let Some(refs) = &self.handshake.refs {
            return Ok(refs.iter().filter_map(remote_ref).collect());
        }
        let mut wanted = RefPrefixes::new();
        wanted.extend(prefixes.into_iter().map(Into::into));
        let command = LsRefsCommand::new(Some(wanted), &self.handshake.capabilities, agent());
        let refs = command.invoke_blocking(&mut self.transport, &mut Discard, false);
        let refs = refs.map_err(|error| self.line.explain("listing refs", &error))?;
        Ok(refs.iter().filter_map(remote_ref).collect())
    }

    fn fetch(&mut self, store: &Store, want: &Want) -> Result<Fetched, Error> {
        let watch = self
            .line
            .runtime()
            .spawn(self.line.deadline().clone().watch());
        let outcome = self.download(store, want);
        watch.abort();
        outcome
    }

    fn download(&mut self, store: &Store, want: &Want) -> Result<Fetched, Error> {
        let before = self.line.received();
        let mut written = Ok(0);
        let mut negotiation = Negotiation { want };
        let flag = self.line.deadline().flag();
        let consume = |pack: &mut dyn BufRead, progress: &mut dyn DynNestedProgress, _: &_| {
            written = store.write_pack(pack, progress, flag);
            if written.is_err() {
                // Read to its end, the conversation can go on with a second attempt.
                io::copy(pack, &mut io::sink()).map_err(gix_error::Error::from_error)?;
            }
            Ok(true)
        };
        let depth = Shallow::DepthAtRemote(std::num::NonZeroU32::MIN);
        let result = gix_protocol::fetch(
            &mut negotiation,
            consume,
            Discard,
            flag,
            Context {
                handshake: &mut self.handshake,
                transport: &mut self.transport,
                user_agent: agent(),
                trace_packetlines: false,
            },
            gix_protocol::fetch::Options {
                shallow_file: store.shallow_file(),
                shallow: match want.history {
                    History::None => &depth,
                    History::Since(_) => &Shallow::NoChange,
                },
                tags: Tags::None,
                reject_shallow_remote: false,
            },
        );
        result.map_err(|error| self.line.explain("fetching", &error))?;
        Ok(Fetched {
            bytes_received: self.line.received().saturating_sub(before),
            objects: written?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is told so does not log a broken connection. If that fails, it is gone anyway.
        gix_protocol::indicate_end_of_interaction(&mut self.transport, false).ok();
    }
}

fn agent() -> gix_protocol::command::Feature {
    let agent = concat!("git/2-flux-", env!("CARGO_PKG_VERSION"));
    ("agent", Some(agent.to_owned()))
}

fn remote_ref(found: &Ref) -> Option<RemoteRef> {
    let (name, object, tag, target) = match found {
        Ref::Direct {
            full_ref_name,
            object,
        } => (full_ref_name, object, None, None),
        Ref::Peeled {
            full_ref_name,
            tag,
            object,
        } => (full_ref_name, object, Some(tag), None),
        Ref::Symbolic {
            full_ref_name,
            target,
            tag,
            object,
        } => (
            full_ref_name,
            object,
            tag.as_ref(),
            Some(target.to_string()),
        ),
        Ref::Unborn { .. } => return None,
    };
    Some(RemoteRef {
        name: name.to_string(),
        commit_id: from_gix(object)?,
        tag_id: tag.and_then(|tag| from_gix(tag)),
        target,
    })
}

/// One round: what we want, the few commits that we have, done.
struct Negotiation<'a> {
    want: &'a Want,
}

impl Negotiate for Negotiation<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix_error::Result<Action> {
        Ok(Action::MustNegotiate {
            remote_ref_target_known: Vec::new(),
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        arguments.want(to_gix(self.want.id));
        true
    }

    fn one_round(
        &mut self,
        _state: &mut one_round::State,
        arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix_error::Result<(Round, bool)> {
        for have in &self.want.haves {
            arguments.have(to_gix(*have));
        }
        let round = Round {
            haves_sent: self.want.haves.len(),
            in_vain: 0,
            haves_to_send: self.want.haves.len(),
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}
