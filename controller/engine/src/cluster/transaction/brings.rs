//! What a set of objects brings that its other objects need.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flux_core::object::{Desired, ObjectId};
use flux_core::sequence::Wave;

use super::super::{Cluster, Error, wait};
use super::{Failure, Item, Report};

/// What a set brings that its other objects may need first.
pub(super) struct Brings {
    namespaces: BTreeSet<String>,
    definitions: bool,
    first_wave: Wave,
}

impl Brings {
    pub(super) fn of(items: &[Item]) -> Self {
        let ids = || items.iter().map(|item| &item.desired.id);
        let namespaces = ids()
            .filter(|id| id.is("", "Namespace"))
            .map(|id| id.name.clone());
        let definitions = ids().any(|id| id.is("apiextensions.k8s.io", "CustomResourceDefinition"));
        let waves = items.iter().map(|item| Wave::of(&item.desired.value));
        Self {
            namespaces: namespaces.collect(),
            definitions,
            first_wave: waves.min().unwrap_or_default(),
        }
    }

    /// Tells whether this refusal may be cured by an object of the set.
    pub(super) fn may_cure(&self, cluster: &Cluster, item: &Item, error: &Error) -> bool {
        let id = &item.desired.id;
        match error {
            // What an earlier wave installs may bring its definitions itself. A kind that is served in another version is one
            // that the actor may be asked about: nothing is put off for it.
            Error::UnknownKind { .. } => {
                let is_later = Wave::of(&item.desired.value) > self.first_wave;
                self.definitions || is_later && !cluster.kinds().serves_any(&id.group, &id.kind)
            }
            Error::Rejected(rejection) => {
                rejection.is_missing_namespace()
                    && self.namespaces.contains(&item.desired.id.namespace)
            }
            _ => false,
        }
    }
}

/// Waits until the applied definitions can be used, and learns the kinds that they bring.
pub(super) async fn definitions(cluster: &Cluster, report: &mut Report, limit: Duration) {
    let is_definition = |id: &ObjectId| id.is("apiextensions.k8s.io", "CustomResourceDefinition");
    let written = report
        .applied
        .iter()
        .filter(|applied| applied.change.action.is_change());
    let definitions: Vec<&Desired> = written
        .map(|applied| &applied.desired)
        .filter(|desired| is_definition(&desired.id))
        .collect();
    let Some(first) = definitions.first() else {
        return;
    };
    let ids: Vec<ObjectId> = definitions
        .iter()
        .map(|desired| desired.id.clone())
        .collect();
    let mut late: BTreeMap<_, _> = wait::until_established(cluster, &ids, limit)
        .await
        .into_iter()
        .collect();
    let mut failures: Vec<Failure> = definitions
        .iter()
        .filter_map(|desired| Some(Failure::of(desired, late.remove(&desired.id)?.into())))
        .collect();
    let values: Vec<_> = definitions.iter().map(|desired| &desired.value).collect();
    if let Err(error) = cluster.kinds().learn(&values, limit).await {
        failures.push(Failure::of(first, error.into()));
    }
    report.failures.extend(failures);
}
