//! Looking at the server, and fetching what is missing: everything that blocks, on a thread of its own.

use std::collections::HashMap;
use std::sync::Arc;

use flux_core::conclude::{Finding, Outcome, truncate};
use flux_core::git::{Mode, ObjectId, Reference, Resolved, Revision};
use flux_crds::Reason;
use flux_crds::git_repository::Verification;
use flux_engine::git::{
    Client, Commit, Deadline, Error, GitTree, Session, Store, Submodules, verify,
};

use super::gather::Gathered;
use crate::report::chain;
use crate::sources::Snapshot;

/// What the server has.
pub(crate) enum Found {
    /// What is served already.
    Unchanged,
    /// Another revision, ready to be served.
    New(Box<New>),
}

/// Another revision.
pub(crate) struct New {
    /// The files.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The head of the commit.
    pub(crate) commit: Commit,
    /// Bytes that the server sent for it.
    pub(crate) bytes: u64,
    /// Who signed it, if that was asked for.
    pub(crate) verified: Option<Verification>,
}

/// Earlier commits with their files.
pub(crate) type Archive = HashMap<ObjectId, Arc<Snapshot>>;

/// A look at the server.
pub(crate) struct Look {
    /// The way to it.
    pub(crate) client: Client,
    /// What to ask for.
    pub(crate) gathered: Arc<Gathered>,
    /// Where the objects go.
    pub(crate) store: Store,
    /// What is served now.
    pub(crate) served: Option<Arc<Snapshot>>,
    /// Which files of a commit are seen.
    pub(crate) ignore: Option<String>,
    /// The same as a number.
    pub(crate) view: u64,
    /// The last verified revision.
    pub(crate) known: Option<Verification>,
    /// Earlier commits that Syncs may have to return to; those that are open already come with their files.
    pub(crate) earlier: HashMap<ObjectId, Option<Arc<Snapshot>>>,
}

/// Bytes of the signers in the status, as its schema allows.
const SIGNER: usize = 512;

impl Look {
    /// Asks the server where the reference points, fetches that commit unless it is here, and verifies it. Blocks.
    ///
    /// Returns the earlier commits that are here beside what it found: they are there also when the server is not.
    pub(crate) fn run(self, deadline: &Deadline) -> (Archive, Result<Found, Error>) {
        let mut session = match self.client.connect(&self.gathered.remote, deadline) {
            Ok(session) => session,
            Err(error) => return (self.look_back(None, deadline), Err(error)),
        };
        let found = self.look(&mut session, deadline);
        (self.look_back(Some(&mut session), deadline), found)
    }

    /// Opens the earlier commits, and fetches those that are not here. One that cannot be had is left out: the Sync that
    /// needs it says so.
    fn look_back(&self, mut session: Option<&mut Session>, deadline: &Deadline) -> Archive {
        let mut archive = Archive::new();
        for (&commit_id, opened) in &self.earlier {
            let known = opened.clone().filter(|known| known.view == self.view);
            let snapshot = match known {
                Some(known) => Ok(known),
                None => self.open_earlier(session.as_deref_mut(), commit_id, deadline),
            };
            match snapshot {
                Ok(snapshot) => {
                    archive.insert(commit_id, snapshot);
                }
                Err(error) => {
                    tracing::warn!(%commit_id, error = %chain(&error), "earlier commit not there");
                }
            }
        }
        archive
    }

    fn open_earlier(
        &self,
        session: Option<&mut Session>,
        commit_id: ObjectId,
        deadline: &Deadline,
    ) -> Result<Arc<Snapshot>, Error> {
        let reference = Reference::Commit {
            commit_id,
            branch: None,
        };
        if let Some(session) = session {
            let resolved = session.resolve(&reference)?;
            session.fetch(&self.store, &resolved)?;
        }
        Ok(Arc::new(Snapshot {
            revision: Revision {
                name: None,
                commit_id,
            }
            .to_string(),
            tree: self.open(commit_id, deadline)?,
            view: self.view,
        }))
    }

    /// Returns the commits that must stay in the store: what is served, and what Syncs may have to return to. What the look
    /// brings stays by itself, as the newest.
    pub(crate) fn in_use(&self) -> Vec<ObjectId> {
        let served = self.served.iter().map(|served| served.tree.commit_id());
        served.chain(self.earlier.keys().copied()).collect()
    }

    fn look(&self, session: &mut Session, deadline: &Deadline) -> Result<Found, Error> {
        let resolved = session.resolve(&self.gathered.reference)?;
        let revision = resolved.revision().to_string();
        let here = self.store.has(&resolved);
        let mut bytes = 0;
        if !here {
            bytes = self.fetch(session, &resolved)?;
        }
        // Also what is served is verified again: the keys may be others by now.
        let verified = self.verify(&resolved)?;
        let same = |served: &Arc<Snapshot>| served.revision == revision && served.view == self.view;
        if here && self.served.as_ref().is_some_and(same) && self.known == verified {
            return Ok(Found::Unchanged);
        }
        let commit = Commit::read(&self.store, resolved.commit_id)?;
        let tree = self.open(resolved.commit_id, deadline)?;
        let snapshot = Arc::new(Snapshot {
            revision,
            tree,
            view: self.view,
        });
        Ok(Found::New(Box::new(New {
            snapshot,
            commit,
            bytes,
            verified,
        })))
    }

    /// Returns the commit up to which all first parents are verified, if that is what the spec asks for.
    fn first_parents_since(&self) -> Option<ObjectId> {
        let verification = self.gathered.verification.as_ref()?;
        if verification.mode != Mode::FirstParent {
            return None;
        }
        let revision: Revision = self.known.as_ref()?.revision.parse().ok()?;
        Some(revision.commit_id)
    }

    fn fetch(&self, session: &mut Session, resolved: &Resolved) -> Result<u64, Error> {
        let fetched = match self.first_parents_since() {
            Some(known) => session.fetch_since(&self.store, resolved, known)?,
            None => session.fetch(&self.store, resolved)?,
        };
        Ok(fetched.bytes_received)
    }

    fn verify(&self, resolved: &Resolved) -> Result<Option<Verification>, Error> {
        let Some(wanted) = &self.gathered.verification else {
            return Ok(None);
        };
        let known = self.first_parents_since();
        let signatures = verify(&self.store, resolved, wanted.mode, &wanted.keyring, known)?;
        let mut signers: Vec<String> = signatures.into_iter().map(|good| good.key).collect();
        signers.dedup();
        Ok(Some(Verification {
            revision: resolved.revision().to_string(),
            signer: truncate(&signers.join(", "), SIGNER),
        }))
    }

    fn open(&self, commit_id: ObjectId, deadline: &Deadline) -> Result<GitTree, Error> {
        if !self.gathered.submodules {
            return GitTree::open(&self.store, commit_id, self.ignore.as_deref());
        }
        let submodules = Submodules {
            client: &self.client,
            remote: &self.gathered.remote,
            deadline,
        };
        submodules.open(&self.store, commit_id, self.ignore.as_deref())
    }
}

/// Returns the outcome of a look that failed.
pub(crate) fn explain(error: &Error) -> Outcome {
    let finding = Finding::new(reason(error), chain(error));
    match error {
        // Only another spec helps.
        Error::Url(_) | Error::SchemeNotAllowed { .. } | Error::Policy(_) => {
            Outcome::Stalled(finding)
        }
        // A person has to change a Secret or the repository; a retry soon helps nobody.
        Error::Credentials(_)
        | Error::Unauthorized { .. }
        | Error::Refused { .. }
        | Error::HostKey(_)
        | Error::Signature(_) => Outcome::Failed(finding),
        Error::Submodule { source, .. } => match explain(source) {
            Outcome::Failed(_) => Outcome::Failed(finding),
            _ => Outcome::Transient(finding),
        },
        Error::Reference(_)
        | Error::Connect { .. }
        | Error::NotFound { .. }
        | Error::Status { .. }
        | Error::Redirect { .. }
        | Error::TimedOut { .. }
        | Error::Cancelled { .. }
        | Error::TooLarge { .. }
        | Error::Protocol { .. }
        | Error::Store { .. }
        | Error::Object { .. }
        | Error::Modules { .. } => Outcome::Transient(finding),
    }
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::Url(_) => Reason::UrlInvalid,
        Error::SchemeNotAllowed { .. } | Error::Refused { .. } => Reason::AccessDenied,
        Error::Reference(_) => Reason::ReferenceNotFound,
        Error::Credentials(_) => Reason::SecretInvalid,
        Error::Policy(_) => Reason::InvalidSpec,
        Error::Signature(_) => Reason::VerificationFailed,
        Error::Unauthorized { .. } => Reason::AuthenticationFailed,
        Error::HostKey(_) => Reason::HostVerificationFailed,
        Error::TimedOut { .. } => Reason::TimedOut,
        Error::Store { .. } | Error::Object { .. } => Reason::StorageFailed,
        Error::Submodule { source, .. } => reason(source),
        Error::Connect { .. }
        | Error::NotFound { .. }
        | Error::Status { .. }
        | Error::Redirect { .. }
        | Error::Cancelled { .. }
        | Error::TooLarge { .. }
        | Error::Protocol { .. }
        | Error::Modules { .. } => Reason::FetchFailed,
    }
}
