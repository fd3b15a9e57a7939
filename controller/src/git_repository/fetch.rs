//! Looking at the server, and fetching what is missing: everything that blocks, on a thread of its own.

use std::sync::Arc;

use flux_core::conclude::{Finding, Outcome};
use flux_crds::Reason;
use flux_engine::git::{Client, Commit, Deadline, Error, GitTree, Store};

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
}

/// A look at the server.
pub(crate) struct Look {
    /// The way to it.
    pub(crate) client: Client,
    /// What to ask for.
    pub(crate) gathered: Gathered,
    /// Where the objects go.
    pub(crate) store: Store,
    /// What is served now.
    pub(crate) served: Option<Arc<Snapshot>>,
    /// Which files of a commit are seen.
    pub(crate) ignore: Option<String>,
    /// The same as a number.
    pub(crate) view: u64,
}

impl Look {
    /// Asks the server where the reference points, and fetches that commit unless it is here. Blocks.
    pub(crate) fn run(self, deadline: &Deadline) -> Result<Found, Error> {
        let Self {
            client,
            gathered,
            store,
            served,
            ignore,
            view,
        } = self;
        let mut session = client.connect(&gathered.remote, deadline)?;
        let resolved = session.resolve(&gathered.reference)?;
        let revision = resolved.revision().to_string();
        let here = store.has(&resolved);
        if here && served.is_some_and(|served| served.revision == revision && served.view == view) {
            return Ok(Found::Unchanged);
        }
        let bytes = if here {
            0
        } else {
            session.fetch(&store, &resolved)?.bytes_received
        };
        let commit = Commit::read(&store, resolved.commit_id)?;
        let tree = GitTree::open(&store, resolved.commit_id, ignore.as_deref())?;
        Ok(Found::New(Box::new(New {
            snapshot: Arc::new(Snapshot {
                revision,
                tree,
                view,
            }),
            commit,
            bytes,
        })))
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
        Error::SchemeNotAllowed { .. } => Reason::AccessDenied,
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
