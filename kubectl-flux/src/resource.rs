//! One object of any of the three kinds, with what they have in common.

use flux_crds::{Condition, ConditionType, GitRepository, ImagePolicy, Sync, Time};
use kube::{Resource as _, api::ObjectMeta, core::DynamicObject};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{error::Error, kind::Kind};

/// An object of one of the three kinds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resource {
    /// Where the desired state is.
    GitRepository(Box<GitRepository>),
    /// What keeps a cluster equal to it.
    Sync(Box<Sync>),
    /// Which image to run.
    ImagePolicy(Box<ImagePolicy>),
}

impl Resource {
    /// Reads an object that the API server sent.
    pub(crate) fn read(kind: Kind, object: &DynamicObject) -> Result<Self, Error> {
        match kind {
            Kind::GitRepository => decode(kind, object).map(Self::GitRepository),
            Kind::Sync => decode(kind, object).map(Self::Sync),
            Kind::ImagePolicy => decode(kind, object).map(Self::ImagePolicy),
        }
    }

    /// Returns its metadata.
    pub(crate) fn meta(&self) -> &ObjectMeta {
        match self {
            Self::GitRepository(repository) => repository.meta(),
            Self::Sync(sync) => sync.meta(),
            Self::ImagePolicy(policy) => policy.meta(),
        }
    }

    /// Returns its name.
    pub(crate) fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Returns its namespace.
    pub(crate) fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Returns its conditions.
    pub(crate) fn conditions(&self) -> &[Condition] {
        match self {
            Self::GitRepository(repository) => {
                repository.status.as_ref().map(|status| &status.conditions)
            }
            Self::Sync(sync) => sync.status.as_ref().map(|status| &status.conditions),
            Self::ImagePolicy(policy) => policy.status.as_ref().map(|status| &status.conditions),
        }
        .map_or(&[], Vec::as_slice)
    }

    /// Returns one condition.
    pub(crate) fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.type_ == kind.as_str())
    }

    /// Returns whether a condition is there and true.
    pub(crate) fn is(&self, kind: ConditionType) -> bool {
        self.condition(kind)
            .is_some_and(|condition| condition.status == "True")
    }

    /// Returns the generation that its status is about.
    pub(crate) fn observed_generation(&self) -> Option<i64> {
        match self {
            Self::GitRepository(repository) => repository.status.as_ref()?.observed_generation,
            Self::Sync(sync) => sync.status.as_ref()?.observed_generation,
            Self::ImagePolicy(policy) => policy.status.as_ref()?.observed_generation,
        }
    }

    /// Returns the last request to reconcile that was handled.
    pub(crate) fn last_handled_reconcile(&self) -> Option<&str> {
        match self {
            Self::GitRepository(repository) => repository
                .status
                .as_ref()?
                .last_handled_reconcile
                .as_deref(),
            Self::Sync(sync) => sync.status.as_ref()?.last_handled_reconcile.as_deref(),
            Self::ImagePolicy(policy) => policy.status.as_ref()?.last_handled_reconcile.as_deref(),
        }
    }

    /// Returns whether its status is about its current generation.
    pub(crate) fn is_observed(&self) -> bool {
        self.observed_generation()
            .is_some_and(|observed| Some(observed) >= self.meta().generation)
    }

    /// Returns whether it does what its current spec says.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_observed() && self.is(ConditionType::Ready)
    }

    /// Returns whether a person stopped it.
    pub(crate) fn is_suspended(&self) -> bool {
        match self {
            Self::GitRepository(repository) => repository.spec.is_suspended(),
            Self::Sync(sync) => sync.spec.is_suspended(),
            Self::ImagePolicy(policy) => policy.spec.is_suspended(),
        }
    }

    /// Returns the revision that it serves or applied, or the image that it chose.
    pub(crate) fn revision(&self) -> Option<String> {
        match self {
            Self::GitRepository(repository) => repository.status.as_ref()?.revision.clone(),
            Self::Sync(sync) => sync.status.as_ref()?.last_applied_revision.clone(),
            Self::ImagePolicy(policy) => policy
                .status
                .as_ref()?
                .latest
                .as_ref()
                .map(|latest| format!("{}:{}", latest.image, latest.tag)),
        }
    }

    /// Returns its age at a time.
    pub(crate) fn age(&self, now: &Time) -> String {
        let Some(created) = &self.meta().creation_timestamp else {
            return "-".into();
        };
        crate::age::human(now.0.as_second() - created.0.as_second())
    }
}

fn decode<K: DeserializeOwned>(kind: Kind, object: &DynamicObject) -> Result<Box<K>, Error> {
    let reference = || kind.reference(object.metadata.name.as_deref().unwrap_or_default());
    value(object)
        .and_then(serde_json::from_value)
        .map(Box::new)
        .map_err(|source| Error::Decode {
            object: reference(),
            source,
        })
}

/// Returns an object as JSON.
pub(crate) fn value(object: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(object)
}
