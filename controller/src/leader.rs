//! Leader election by a Lease (`coordination.k8s.io/v1`), so that two instances never write at once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};

/// Name of the Lease.
const LEASE: &str = "flux-controller";
/// How long a Lease stands without renewal.
const DURATION: Duration = Duration::from_secs(15);
/// How often the holder renews it and the others look.
const PERIOD: Duration = Duration::from_secs(4);

/// A candidate for the Lease.
pub(crate) struct Candidate {
    leases: Api<Lease>,
    identity: String,
}

/// What an attempt to take or renew the Lease came to.
enum Attempt {
    Held,
    HeldBy(String),
}

impl Candidate {
    /// Returns a candidate that calls itself `identity`, which must differ between instances.
    pub(crate) fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            identity,
        }
    }

    /// Waits until this instance holds the Lease.
    pub(crate) async fn acquire(&self) {
        let mut told = None;
        loop {
            match self.attempt().await {
                Ok(Attempt::Held) => return,
                Ok(Attempt::HeldBy(holder)) if told.as_ref() != Some(&holder) => {
                    tracing::info!(%holder, "waiting for the lease");
                    told = Some(holder);
                }
                Ok(Attempt::HeldBy(_)) => {}
                Err(error) => {
                    tracing::warn!(error = %crate::report::chain(&error), "lease not reachable");
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Renews the Lease and returns when it is lost: taken by another, or not renewed in time.
    pub(crate) async fn hold(&self) {
        let mut renewed = tokio::time::Instant::now();
        while renewed.elapsed() < DURATION {
            tokio::time::sleep(PERIOD).await;
            match tokio::time::timeout(PERIOD, self.attempt()).await {
                Ok(Ok(Attempt::Held)) => renewed = tokio::time::Instant::now(),
                Ok(Ok(Attempt::HeldBy(holder))) => {
                    tracing::error!(%holder, "lease lost");
                    return;
                }
                Ok(Err(error)) => {
                    tracing::warn!(error = %crate::report::chain(&error), "lease not renewed");
                }
                Err(_) => tracing::warn!("lease not renewed in time"),
            }
        }
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

    /// A conflict means that another instance was faster.
    fn settle(written: Result<Lease, kube::Error>) -> Result<Attempt, kube::Error> {
        match written {
            Ok(_) => Ok(Attempt::Held),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                Ok(Attempt::HeldBy("another instance".to_owned()))
            }
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
