//! For how long this instance may write: while it holds the lease, and no longer.
//!
//! Whoever loses the lease learns of it late, above all when it cannot reach the API server. So every write asks here first,
//! and one that comes after the end waits until the lease is renewed: an API server that was away costs time and nothing else.

use http::Method;
use kube::Client;
use kube::client::Body;
use tokio::sync::watch;
use tokio::time::Instant;

/// Until when an instance may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until this moment, unless the lease is renewed.
    Until(Instant),
    /// Never again: another instance is at work.
    Lost,
}

/// The time in which this instance may write.
#[derive(Clone, Debug)]
pub struct Term(Option<watch::Receiver<Hold>>);

/// A write that came when another instance was at work already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another instance of the controller is at work")]
pub struct Over;

impl Term {
    /// Returns a time without end, for whoever needs no lease.
    pub fn endless() -> Self {
        Self(None)
    }

    /// Returns the time that `hold` tells of.
    pub fn of(hold: watch::Receiver<Hold>) -> Self {
        Self(Some(hold))
    }

    /// Waits until writing is allowed.
    ///
    /// # Errors
    /// When it never will be again.
    async fn holds(&self) -> Result<(), Over> {
        let Some(mut hold) = self.0.clone() else {
            return Ok(());
        };
        loop {
            match *hold.borrow_and_update() {
                Hold::Until(end) if Instant::now() < end => return Ok(()),
                Hold::Until(_) => {}
                Hold::Lost => return Err(Over),
            }
            hold.changed().await.map_err(|_| Over)?;
        }
    }

    /// Returns a client that writes in this time only; it reads always.
    #[must_use]
    pub fn guard(&self, client: Client) -> Client {
        if self.0.is_none() {
            return client;
        }
        let (term, namespace) = (self.clone(), client.default_namespace().to_owned());
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (term, client) = (term.clone(), client.clone());
            async move {
                if request.method() != Method::GET {
                    term.holds().await?;
                }
                let answer = client.send(request).await;
                answer.map_err(tower::BoxError::from)
            }
        });
        Client::new(service, namespace)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_write_after_the_end_waits_for_the_renewal() {
        let (sender, receiver) = watch::channel(Hold::Until(Instant::now() + LONG));
        let term = Term::of(receiver);
        assert_eq!(term.holds().now_or_never(), Some(Ok(())));
        sender.send_replace(Hold::Until(Instant::now()));
        let mut waits = std::pin::pin!(term.holds());
        assert_eq!(waits.as_mut().now_or_never(), None);
        sender.send_replace(Hold::Until(Instant::now() + LONG));
        assert_eq!(waits.await, Ok(()));
    }

    #[tokio::test]
    async fn a_lease_that_another_has_ends_the_wait() {
        let (sender, receiver) = watch::channel(Hold::Until(Instant::now()));
        let term = Term::of(receiver);
        let mut waits = std::pin::pin!(term.holds());
        assert_eq!(waits.as_mut().now_or_never(), None);
        sender.send_replace(Hold::Lost);
        assert_eq!(waits.await, Err(Over));
        assert_eq!(Term::endless().holds().await, Ok(()));
    }
}
