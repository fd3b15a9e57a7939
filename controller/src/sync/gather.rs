//! Every read before the build: the source, who may use it, the dependencies, the account to act as.

use std::collections::BTreeMap;
use std::sync::Arc;

use flux_core::drift::Ignore;
use flux_core::health::Rules;
use flux_core::inputs::Inputs;
use flux_crds::git_repository::AccessFrom;
use flux_crds::{GitRepository, Reason, Sync, SyncStatus};
use flux_engine::cluster::{Actor, Cluster};
use flux_engine::inputs::{Reference, Version};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PartialObjectMeta;

use super::course::Course;
use super::halt::Halt;
use super::target::Target;
use super::wakeups::{dependency_keys, source_key};
use super::{dependency, health, inputs};
use crate::context::Context;
use crate::key::Key;
use crate::remotes::Remote;
use crate::sources::{Served, Snapshot};

/// What a reconcile works with.
pub(crate) struct Gathered {
    /// The revision to apply.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Why that one.
    pub(crate) course: Course,
    /// The target cluster through the rights that the Sync has there.
    pub(crate) cluster: Cluster,
    /// The connection to it, if it is another than ours.
    pub(crate) remote: Option<Arc<Remote>>,
    /// What to build with beside the files.
    pub(crate) inputs: Arc<Inputs>,
    /// Which states of ConfigMaps and Secrets that is.
    pub(crate) versions: BTreeMap<Reference, Version>,
    /// When objects are healthy.
    pub(crate) rules: Rules,
}

/// Reads everything, or says what is missing.
pub(crate) async fn gather(
    context: &Context,
    sync: &Sync,
    status: &SyncStatus,
    served: Served,
) -> Result<Gathered, Halt> {
    check_spec(context, sync)?;
    let newest = source(context, sync, served).await?;
    let course = Course::of(sync, status, &newest.revision);
    // Whoever follows an earlier revision does not wait for others to come back to it.
    let in_step = (course == Course::Newest).then_some(&*newest.revision);
    dependency::all(context, sync, in_step)?;
    let snapshot = course.snapshot(context, sync, status, newest).await?;
    at(context, sync, course, snapshot).await
}

/// Reads everything that the revision was built with that is applied now. Others it does not wait for: what is applied does
/// not depend on them any more.
pub(crate) async fn applied(
    context: &Context,
    sync: &Sync,
    status: &SyncStatus,
    served: Served,
) -> Result<Gathered, Halt> {
    check_spec(context, sync)?;
    let newest = source(context, sync, served).await?;
    let course = match &status.last_applied_revision {
        Some(revision) => Course::Held(revision.clone()),
        None => Course::Newest,
    };
    let snapshot = course.snapshot(context, sync, status, newest).await?;
    at(context, sync, course, snapshot).await
}

/// Reads what a snapshot is built with, and where it goes.
async fn at(
    context: &Context,
    sync: &Sync,
    course: Course,
    snapshot: Arc<Snapshot>,
) -> Result<Gathered, Halt> {
    let rules = health::rules(sync)?;
    let home = context.cluster(account(context, sync));
    let (inputs, mut versions) = inputs::read(sync, &home).await?;
    let Target {
        cluster,
        remote,
        read,
    } = Target::of(context, sync).await?;
    versions.extend(read);
    Ok(Gathered {
        remote,
        inputs: Arc::new(inputs),
        versions,
        snapshot,
        course,
        cluster,
        rules,
    })
}

/// Refuses what cannot be followed before anything is touched.
fn check_spec(context: &Context, sync: &Sync) -> Result<(), Halt> {
    let invalid =
        |error: flux_crds::duration::Error| Halt::stalled(Reason::InvalidSpec, error.to_string());
    sync.spec.interval().map_err(invalid)?;
    sync.spec.timeout().map_err(invalid)?;
    sync.spec.retry_interval().map_err(invalid)?;
    if let Some(drift) = &sync.spec.drift {
        Ignore::new(&drift.ignore)
            .map_err(|error| Halt::stalled(Reason::InvalidSpec, error.to_string()))?;
    }
    let own = Key::of(&sync.metadata);
    if dependency_keys(sync).contains(&own) {
        return Err(Halt::stalled(
            Reason::InvalidSpec,
            "spec.dependsOn names this Sync itself",
        ));
    }
    dependency::compile(sync, &context.options.runtime_namespace)
}

async fn source(context: &Context, sync: &Sync, served: Served) -> Result<Arc<Snapshot>, Halt> {
    let key = source_key(sync);
    let Some(repository) = context.repositories.get(&key) else {
        return Err(Halt::waiting(
            Reason::SourceNotFound,
            format!("GitRepository {key} does not exist"),
        ));
    };
    access(context, sync, &repository).await?;
    served.ok_or_else(|| {
        Halt::waiting(
            Reason::SourceNotReady,
            format!("GitRepository {key} has no revision yet; see its Ready condition"),
        )
    })
}

/// References across namespaces are refused unless the repository allows the Sync's namespace.
async fn access(context: &Context, sync: &Sync, repository: &GitRepository) -> Result<(), Halt> {
    let own = sync.metadata.namespace.as_deref().unwrap_or_default();
    if repository.metadata.namespace.as_deref() == Some(own) {
        return Ok(());
    }
    let rules = &repository.spec.access_from;
    if rules
        .iter()
        .any(|rule| rule.namespace.as_deref() == Some(own))
    {
        return Ok(());
    }
    if rules.iter().any(|rule| rule.namespace_selector.is_some()) {
        let labels = labels(context, own).await?;
        if rules.iter().any(|rule| selects(rule, &labels)) {
            return Ok(());
        }
    }
    let key = Key::of(&repository.metadata);
    Err(Halt::failed(
        Reason::AccessDenied,
        format!(
            "GitRepository {key} does not allow Syncs of namespace {own}: add the namespace to its spec.accessFrom"
        ),
    ))
}

async fn labels(context: &Context, namespace: &str) -> Result<BTreeMap<String, String>, Halt> {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(context.client.clone());
    let namespace = api
        .get_metadata(namespace)
        .await
        .map_err(|error| Halt::api("read the Sync's namespace", &error))?;
    Ok(namespace.metadata.labels.unwrap_or_default())
}

fn selects(rule: &AccessFrom, labels: &BTreeMap<String, String>) -> bool {
    // A selector that does not parse selects nothing: access is never granted by mistake.
    let selector = rule
        .namespace_selector
        .clone()
        .map(kube::core::Selector::try_from);
    matches!(selector, Some(Ok(selector)) if kube::core::SelectorExt::matches(&selector, labels))
}

/// Returns the account that a Sync acts as in our own cluster. Without a name it is the namespace's `default`, which can do nothing until
/// someone grants it; only Syncs beside the controller fall back to its administrator.
pub(crate) fn account(context: &Context, sync: &Sync) -> Actor {
    let namespace = sync.metadata.namespace.clone().unwrap_or_default();
    let fallback = if namespace == context.options.runtime_namespace {
        flux_crds::names::ADMIN_SERVICE_ACCOUNT
    } else {
        flux_crds::names::DEFAULT_SERVICE_ACCOUNT
    };
    let name = sync
        .spec
        .service_account_name
        .as_deref()
        .unwrap_or(fallback)
        .to_owned();
    Actor::ServiceAccount { namespace, name }
}
