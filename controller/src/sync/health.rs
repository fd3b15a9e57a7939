//! Waiting until what was applied is healthy. A wait holds no worker, and a newer revision ends it at once.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use flux_core::conclude::{Finding, Outcome, set_condition};
use flux_core::health::{Rules, Status, is_transient};
use flux_core::object::{Desired, ObjectId, split_api_version};
use flux_core::owner::Owner;
use flux_crds::sync::HealthCheck;
use flux_crds::{ConditionType, Reason, Sync};
use flux_engine::cluster::wait::{States, Target, Watched, until_healthy};
use flux_engine::cluster::{Cluster, Error};
use jiff::Timestamp;

use super::build::owner;
use super::drift;
use super::halt::Halt;
use super::memory::{Memory, write_inventory};
use super::pace::Limits;
use super::record::Recorder;
use super::wakeups::{Situation, Wakeups};
use crate::report::chain;

mod verdict;

pub(crate) use verdict::{Verdict, conclude};

/// Time after which a wait shows in the status; most are over before, and need no write.
const SHOW_AFTER: Duration = Duration::from_millis(500);
/// How the message of a wait begins that an object ended by failing.
const FAILED: &str = "failed";
/// Objects that the message of a failed wait names.
const NAMED: usize = 10;

/// What to wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    /// Objects that we applied.
    own: BTreeSet<Target>,
    /// Objects that the spec names.
    named: BTreeSet<Target>,
}

impl Targets {
    /// Waits for one object that we applied.
    pub(crate) fn only(object: &Desired) -> Self {
        Self {
            own: BTreeSet::from([target(object)]),
            named: BTreeSet::new(),
        }
    }

    /// Waits for objects that we applied, as far as there is something to wait for.
    pub(crate) fn own<'a>(sync: &Sync, applied: impl Iterator<Item = &'a Desired>) -> Self {
        let itself = |id: &ObjectId| {
            id.is(flux_crds::names::GROUP, "Sync")
                && Some(&id.name) == sync.metadata.name.as_ref()
                && Some(&id.namespace) == sync.metadata.namespace.as_ref()
        };
        let waited = applied.filter(|object| !itself(&object.id) && has_health(&object.id));
        Self {
            own: waited.map(target).collect(),
            named: BTreeSet::new(),
        }
    }

    /// Waits for the objects as well that the spec names: beside everything that was applied, only for those about which it
    /// says more than their names.
    pub(crate) fn and_named(mut self, sync: &Sync) -> Self {
        let is_wanted = |check: &&HealthCheck| !sync.spec.waits() || check.cel.is_some();
        let target = |check: &HealthCheck| Target {
            id: checked(sync, check),
            api_version: check.api_version().to_owned(),
            is_transient: false,
        };
        let checks = sync.spec.health_checks.iter().filter(is_wanted);
        self.named = checks.map(target).collect();
        self
    }
}

fn target(object: &Desired) -> Target {
    Target {
        id: object.id.clone(),
        api_version: object.api_version.clone(),
        is_transient: is_transient(&object.id.kind, &object.value),
    }
}

/// Returns what a Sync waits for; `None` when it does not wait.
pub(crate) fn targets(sync: &Sync, applied: &[Desired]) -> Option<Targets> {
    if sync.spec.waits() {
        return Some(Targets::own(sync, applied.iter()).and_named(sync));
    }
    let names_some = !sync.spec.health_checks.is_empty();
    names_some.then(|| Targets::default().and_named(sync))
}

/// Returns how long applying and waiting may take together.
pub(crate) fn limit(sync: &Sync) -> Duration {
    sync.spec.timeout().unwrap_or(Duration::from_mins(5))
}

/// Returns the object that a check is about.
fn checked(sync: &Sync, check: &HealthCheck) -> ObjectId {
    let namespace = check
        .namespace
        .as_ref()
        .or(sync.spec.target_namespace.as_ref())
        .or(sync.metadata.namespace.as_ref());
    ObjectId {
        group: split_api_version(check.api_version()).0.to_owned(),
        kind: check.kind.clone(),
        namespace: namespace.cloned().unwrap_or_default(),
        name: check.name.clone(),
    }
}

/// Returns when the objects of a Sync are healthy, or what is wrong with its expressions.
pub(crate) fn rules(sync: &Sync) -> Result<Rules, Halt> {
    let mut rules = Rules::default();
    for (index, check) in sync.spec.health_checks.iter().enumerate() {
        let Some(expressions) = &check.cel else {
            continue;
        };
        rules
            .add(checked(sync, check), expressions)
            .map_err(|invalid| {
                let message = format!("spec.healthChecks[{index}].{}", chain(&invalid));
                Halt::stalled(Reason::InvalidSpec, message)
            })?;
    }
    Ok(rules)
}

/// Tells whether there is anything to wait for: kinds that only hold data are healthy as soon as they exist.
fn has_health(id: &ObjectId) -> bool {
    let data = match id.group.as_str() {
        "" => [
            "ConfigMap",
            "Secret",
            "ServiceAccount",
            "LimitRange",
            "ResourceQuota",
        ]
        .contains(&id.kind.as_str()),
        "rbac.authorization.k8s.io" | "networking.k8s.io" => id.kind != "Ingress",
        "scheduling.k8s.io" | "storage.k8s.io" | "node.k8s.io" | "admissionregistration.k8s.io" => {
            true
        }
        _ => false,
    };
    !data
}

/// A wait about to begin.
pub(crate) struct Wait<'a> {
    /// Writes the status.
    pub(crate) recorder: &'a Recorder<'a>,
    /// The target.
    pub(crate) cluster: &'a Cluster,
    /// The revision that was applied.
    pub(crate) revision: &'a str,
    /// When objects are healthy.
    pub(crate) rules: &'a Rules,
}

impl Wait<'_> {
    /// Waits until all targets are healthy, one has failed, the time is over, or something newer comes.
    pub(crate) async fn run(
        &self,
        memory: &mut Memory,
        targets: Targets,
        (wakeups, seen): (&mut Wakeups, &Situation),
        limits: Limits,
    ) -> Result<Verdict, Halt> {
        let mut states = (States::new(), States::new());
        let owner = owner(self.recorder.sync);
        let ended = {
            let mut healthy = std::pin::pin!(async {
                let (own, named) = self.watched(&targets, &owner);
                until_healthy(self.cluster, own, &mut states.0).await?;
                until_healthy(self.cluster, named, &mut states.1).await
            });
            let served = wakeups.served();
            let mut superseded = std::pin::pin!(wakeups.changed(seen));
            let mut late = std::pin::pin!(tokio::time::sleep(limits.left));
            let mut shown = false;
            loop {
                tokio::select! {
                    healthy = &mut healthy => break Ended::Settled(healthy),
                    () = &mut superseded => break Ended::Superseded,
                    () = &mut late => break Ended::Late,
                    () = memory.lookout.due() => {
                        let Recorder { context, sync, .. } = self.recorder;
                        let attended = drift::attend(context, sync, memory, served.clone()).await;
                        if attended == drift::Next::Reconcile {
                            break Ended::Superseded;
                        }
                    }
                    () = tokio::time::sleep(SHOW_AFTER), if !shown => {
                        shown = true;
                        self.show(memory, &targets).await?;
                    }
                }
            }
        };
        states.0.append(&mut states.1);
        match ended {
            Ended::Settled(Ok(())) => Ok(verdict(&states.0)),
            // Nobody serves the kind any more: its objects are gone.
            Ended::Settled(Err(error)) if error.is_not_found() => {
                Ok(Verdict::Unhealthy(chain(&error)))
            }
            Ended::Settled(Err(error)) => Err(Halt::cluster("watch what was applied", &error)),
            Ended::Superseded => Ok(Verdict::Superseded),
            Ended::Late => Ok(Verdict::Unhealthy(format!(
                "not healthy within {} s: {}",
                limits.whole.as_secs(),
                list(&states.0)
            ))),
        }
    }

    fn watched<'t>(&'t self, targets: &'t Targets, owner: &'t Owner) -> (Watched<'t>, Watched<'t>) {
        let watched = |targets, owner| Watched {
            targets,
            owner,
            rules: self.rules,
        };
        (
            watched(&targets.own, Some(owner)),
            watched(&targets.named, None),
        )
    }

    async fn show(&self, memory: &mut Memory, targets: &Targets) -> Result<(), Halt> {
        let count = targets.own.len() + targets.named.len();
        let message = format!(
            "applied {}, waiting for {count} objects to become healthy",
            self.revision
        );
        let finding = Finding::new(Reason::Progressing, message);
        let sync = self.recorder.sync;
        let mut status = self
            .recorder
            .status(memory, &Outcome::Progressing(finding.clone()));
        if memory.course.rolled_back().is_none() {
            status.last_attempted_revision = Some(self.revision.to_owned());
        }
        status.inventory = write_inventory(&memory.inventory);
        let unknown = ("Unknown", &finding);
        set_condition(
            &mut status.conditions,
            ConditionType::Healthy,
            unknown,
            sync.metadata.generation,
            Timestamp::now(),
        );
        self.recorder
            .write(memory, status)
            .await
            .map_err(|error| Halt::api("write the status", &error))
    }
}

enum Ended {
    Settled(Result<(), Error>),
    Superseded,
    Late,
}

fn verdict(states: &States) -> Verdict {
    if states
        .values()
        .all(|health| health.status == Status::Current)
    {
        return Verdict::Healthy;
    }
    Verdict::Unhealthy(format!("{FAILED}: {}", list(states)))
}

/// Names what is not healthy, the failed first.
fn list(states: &States) -> String {
    let mut bad: Vec<_> = states
        .iter()
        .filter(|(_, health)| health.status != Status::Current)
        .collect();
    bad.sort_by_key(|(_, health)| health.status != Status::Failed);
    let mut text = bad
        .iter()
        .take(NAMED)
        .map(|(id, health)| format!("{id}: {}", health.message))
        .collect::<Vec<_>>()
        .join("; ");
    if bad.len() > NAMED {
        write!(text, "; and {} more", bad.len() - NAMED).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use flux_crds::sync::HealthExpressions;

    use super::*;

    #[test]
    fn a_sync_that_waits_for_everything_waits_for_what_it_has_expressions_for() {
        let mut sync = Sync::test().named("apps").waiting();
        let check = |name: &str, cel| HealthCheck {
            kind: "Deployment".into(),
            name: name.into(),
            cel,
            ..HealthCheck::default()
        };
        let expressions = Some(HealthExpressions {
            current: "true".into(),
            ..HealthExpressions::default()
        });
        sync.spec.health_checks = vec![check("plain", None), check("special", expressions)];
        let names = |sync: &Sync| {
            let waited = targets(sync, &[]).expect("it waits");
            let names = waited.named.into_iter().map(|target| target.id.name);
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&sync), ["special"]);
        sync.spec.wait = None;
        assert_eq!(names(&sync), ["plain", "special"]);
    }
}
