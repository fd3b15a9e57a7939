//! The order in which objects are applied; deletion goes the other way round.

use crate::object::ObjectId;

#[cfg(test)]
mod tests;

/// What is applied, and ready, before the next stage is even tried.
///
/// Later objects are only understood by the API server when the earlier ones exist: custom
/// resources need their definition, namespaced objects their namespace, bindings their role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Definitions of custom resources, namespaces and cluster roles.
    Definitions,
    /// Every kind that ends in `Class`.
    Classes,
    /// All other objects.
    Rest,
}

impl Stage {
    /// All stages in the order in which they are applied.
    pub const ALL: [Self; 3] = [Self::Definitions, Self::Classes, Self::Rest];

    /// Returns the stage of an object.
    pub fn of(id: &ObjectId) -> Self {
        match Rank::of(id).0 {
            0..=2 => Self::Definitions,
            CLASS => Self::Classes,
            _ => Self::Rest,
        }
    }
}

const CLASS: u8 = 3;
const OTHER: u8 = 40;

/// The place of a kind among the kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(u8);

impl Rank {
    /// Returns the rank of an object's kind.
    ///
    /// The group counts: a Knative `Service` is a custom resource, not a core Service.
    pub fn of(id: &ObjectId) -> Self {
        let rank = match (id.group.as_str(), id.kind.as_str()) {
            ("apiextensions.k8s.io", "CustomResourceDefinition") => 0,
            ("", "Namespace") => 1,
            ("rbac.authorization.k8s.io", "ClusterRole") => 2,
            (_, kind) if kind.ends_with("Class") => CLASS,
            ("rbac.authorization.k8s.io", "ClusterRoleBinding") => 10,
            ("", "ResourceQuota") => 11,
            ("", "ServiceAccount") => 12,
            ("rbac.authorization.k8s.io", "Role") => 13,
            ("rbac.authorization.k8s.io", "RoleBinding") => 14,
            ("", "ConfigMap") => 15,
            ("", "Secret") => 16,
            ("", "Service") => 17,
            ("", "LimitRange") => 18,
            ("apps", "Deployment") => 19,
            ("apps", "StatefulSet") => 20,
            ("batch", "CronJob") => 21,
            ("policy", "PodDisruptionBudget") => 22,
            ("admissionregistration.k8s.io", kind) => match kind {
                "MutatingWebhookConfiguration" => 50,
                "ValidatingWebhookConfiguration" => 51,
                _ => OTHER,
            },
            _ => OTHER,
        };
        Self(rank)
    }
}

/// Sorts into the order of application: rank of the kind, then group, kind, namespace and name.
///
/// The rank is looked up once per object. Objects of the same identity keep their order.
pub fn sort<T>(items: Vec<T>, id: impl Fn(&T) -> &ObjectId) -> Vec<T> {
    let mut ranked: Vec<(Rank, T)> = items
        .into_iter()
        .map(|item| (Rank::of(id(&item)), item))
        .collect();
    ranked.sort_by(|(left_rank, left), (right_rank, right)| {
        left_rank
            .cmp(right_rank)
            .then_with(|| id(left).cmp(id(right)))
    });
    ranked.into_iter().map(|(_, item)| item).collect()
}

/// Sorts into the order of deletion, the reverse of [`sort`].
pub fn sort_for_deletion<T>(items: Vec<T>, id: impl Fn(&T) -> &ObjectId) -> Vec<T> {
    let mut sorted = sort(items, id);
    sorted.reverse();
    sorted
}
