//! Leader election by a Lease (`coordination.k8s.io/v1`), so that two instances never write at once.
//!
//! Whoever holds the Lease writes until shortly before it runs out ([`Term`]), and again when it is renewed. The process ends
//! only when another instance has taken the Lease: an API server that is away for long makes nobody leave.

use std::time::Duration;

use flux_engine::cluster::term::{Hold, Term};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::watch;
use tokio::time::Instant;

/// Name of the Lease.
const LEASE: &str = "flux-controller";
/// How long a Lease stands without renewal.
const DURATION: Duration = Duration::from_secs(15);
/// How often the holder renews it and the others look.
const PERIOD: Duration = Duration::from_secs(4);
/// How long the holder writes without renewal; the rest is for what is under way, and for clocks that differ.
const WRITES: Duration = Duration::from_secs(11);

/// A candidate for the Lease.
pub(crate) struct Candidate {
    leases: Api<Lease>,
    identity: String,
    hold: watch::Sender<Hold>,
}

/// What an attempt to take or renew the Lease came to.
enum Attempt {
    Held,
    HeldBy(String),
    /// Somebody wrote it at the same moment; who, the next attempt shows. It may have been an attempt of ours that was given
    /// up.
    Contended,
}

impl Candidate {
    /// Returns a candidate that calls itself `identity`, which must differ between instances.
    pub(crate) fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            identity,
            // It writes nothing before it has the Lease.
            hold: watch::Sender::new(Hold::Until(Instant::now())),
        }
    }

    /// Returns the time in which this instance may write.
    pub(crate) fn term(&self) -> Term {
        Term::of(self.hold.subscribe())
    }

    /// Waits until this instance holds the Lease.
    pub(crate) async fn acquire(&self) {
        let mut told = None;
        loop {
            let asked = Instant::now();
            match self.attempt().await {
                Ok(Attempt::Held) => return self.prolong(asked),
                Ok(Attempt::HeldBy(holder)) if told.as_ref() != Some(&holder) => {
                    tracing::info!(%holder, "waiting for the lease");
                    told = Some(holder);
                }
                Ok(Attempt::HeldBy(_) | Attempt::Contended) => {}
                Err(error) => {
                    tracing::warn!(error = %crate::report::chain(&error), "lease not reachable");
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Renews the Lease and returns when another instance has taken it.
    pub(crate) async fn hold(&self) {
        let mut renewed = Instant::now();
        let mut is_over = false;
        loop {
            tokio::time::sleep(PERIOD).await;
            let asked = Instant::now();
            let trouble = match tokio::time::timeout(PERIOD, self.attempt()).await {
                Ok(Ok(Attempt::Held)) => {
                    self.prolong(asked);
                    if is_over {
                        tracing::info!("lease renewed, writing again");
                    }
                    (renewed, is_over) = (asked, false);
                    continue;
                }
                Ok(Ok(Attempt::HeldBy(holder))) => {
                    tracing::error!(%holder, "lease lost");
                    self.hold.send_replace(Hold::Lost);
                    return;
                }
                Ok(Ok(Attempt::Contended)) => "somebody wrote it at the same moment".to_owned(),
                Ok(Err(error)) => crate::report::chain(&error),
                Err(_) => format!("no answer within {} s", PERIOD.as_secs()),
            };
            tracing::warn!(error = %trouble, "lease not renewed");
            if !is_over && renewed.elapsed() > WRITES {
                is_over = true;
                tracing::warn!("lease out of date, writing nothing until it is renewed");
            }
        }
    }

    fn prolong(&self, asked: Instant) {
        self.hold.send_replace(Hold::Until(asked + WRITES));
    }

    /// Gives the Lease up, so that a successor need not wait for it to run out.
    pub(crate) async fn release(&self) {
        let released = async {
            let mut lease = self.leases.get(LEASE).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = None;
                self.leases
                    .replace(LEASE, &PostParams::default(), &lease)
                    .await?;
            }
            Ok::<_, kube::Error>(())
        };
        if let Err(error) = released.await {
            tracing::warn!(error = %crate::report::chain(&error), "lease not released");
        }
    }

    async fn attempt(&self) -> Result<Attempt, kube::Error> {
        let now = Timestamp::now();
        let Some(mut lease) = self.leases.get_opt(LEASE).await? else {
            let metadata = ObjectMeta {
                name: Some(LEASE.to_owned()),
                ..ObjectMeta::default()
            };
            let lease = Lease {
                metadata,
                spec: Some(self.spec(now, None)),
            };
            return Self::settle(self.leases.create(&PostParams::default(), &lease).await);
        };
        let previous = lease.spec.take().unwrap_or_default();
        if let Some(holder) = previous
            .holder_identity
            .as_ref()
            .filter(|holder| **holder != self.identity)
            && !has_run_out(&previous, now)
        {
            return Ok(Attempt::HeldBy(holder.clone()));
        }
        lease.spec = Some(self.spec(now, Some(&previous)));
        Self::settle(
            self.leases
                .replace(&lease.name_any(), &PostParams::default(), &lease)
                .await,
        )
    }

    fn settle(written: Result<Lease, kube::Error>) -> Result<Attempt, kube::Error> {
        match written {
            Ok(_) => Ok(Attempt::Held),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Contended),
            Err(error) => Err(error),
        }
    }

    fn spec(&self, now: Timestamp, previous: Option<&LeaseSpec>) -> LeaseSpec {
        let mine = previous.filter(|spec| spec.holder_identity.as_ref() == Some(&self.identity));
        let transitions = previous
            .and_then(|spec| spec.lease_transitions)
            .unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: mine
                .and_then(|spec| spec.acquire_time.clone())
                .or(Some(MicroTime(now))),
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(if mine.is_some() {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            ..LeaseSpec::default()
        }
    }
}

fn has_run_out(spec: &LeaseSpec, now: Timestamp) -> bool {
    let Some(MicroTime(renewed)) = spec.renew_time else {
        return true;
    };
    let seconds = spec.lease_duration_seconds.unwrap_or(0);
    now.duration_since(renewed) > SignedDuration::from_secs(seconds.into())
}
