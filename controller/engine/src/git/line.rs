//! The bridge between gix's blocking readers and asynchronous sockets that can be interrupted.

use std::{
    future::Future,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::runtime::Handle;

use super::{
    deadline::{Deadline, Interruption},
    error::{Error, chain},
};

/// What one conversation with a server shares: its deadline, its byte count and its first failure.
///
/// gix passes failures on as `io::Error` and adds layers of context; the first failure is kept here
/// as it was, so that the caller gets a typed error.
#[derive(Clone)]
pub(crate) struct Line {
    runtime: Handle,
    deadline: Deadline,
    limit: u64,
    received: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<Error>>>,
    doing: &'static str,
}

impl Line {
    pub(crate) fn new(runtime: Handle, deadline: Deadline, limit: u64) -> Self {
        Self {
            runtime,
            deadline,
            limit,
            received: Arc::default(),
            failure: Arc::default(),
            doing: "talking to the git server",
        }
    }

    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Returns the number of bytes that the server has sent so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Runs a future to its end or to the deadline. Blocks: never call it on a thread of a runtime.
    pub(crate) fn wait<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let outcome = self.runtime.block_on(self.deadline.limit(future));
        outcome.map_err(|interruption| self.fail(interrupted(interruption, self.doing)))
    }

    /// Counts bytes that have come in, and fails when they are too many.
    pub(crate) fn count(&self, bytes: usize) -> io::Result<()> {
        let more = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.received.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > self.limit {
            return Err(self.fail(Error::TooLarge { limit: self.limit }));
        }
        Ok(())
    }

    /// Keeps a failure and returns a stand-in that gix can carry.
    pub(crate) fn fail(&self, error: Error) -> io::Error {
        let text = error.to_string();
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        io::Error::other(text)
    }

    /// Turns what gix reports into the failure that lies behind it.
    pub(crate) fn explain(
        &self,
        doing: &'static str,
        error: &(dyn std::error::Error + 'static),
    ) -> Error {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let interruption = self.deadline.interruption();
        failure.take().unwrap_or_else(|| match interruption {
            Some(interruption) => interrupted(interruption, doing),
            None => Error::Protocol {
                doing,
                message: chain(error),
            },
        })
    }
}

pub(crate) fn interrupted(interruption: Interruption, doing: &'static str) -> Error {
    match interruption {
        Interruption::TimedOut => Error::TimedOut { doing },
        Interruption::Cancelled => Error::Cancelled { doing },
    }
}
