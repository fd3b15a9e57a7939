//! `create sync`.

use flux_crds::{
    Sync, SyncSpec,
    sync::{Dependency, HealthCheck, PruneGuard, SourceReference},
};

use super::write::Written;
use crate::{args::CreateSyncArgs, error::Error};

/// Builds the Sync.
pub(crate) fn build(args: &CreateSyncArgs) -> Result<Written, Error> {
    let (namespace, name) = maybe_namespaced(source_name(&args.source));
    let spec = SyncSpec {
        source_ref: SourceReference {
            kind: None,
            name,
            namespace,
        },
        path: args.path.clone(),
        interval: args.interval.clone(),
        timeout: args.timeout.clone(),
        retry_interval: args.retry_interval.clone(),
        prune: args.prune,
        prune_guard: args.prune_max_percent.map(|percent| PruneGuard {
            max_percent: Some(percent),
        }),
        deletion: args.deletion,
        depends_on: args
            .depends_on
            .iter()
            .map(|text| dependency(text))
            .collect(),
        service_account_name: args.service_account.clone(),
        target_namespace: args.target_namespace.clone(),
        wait: args.wait.then_some(true),
        health_checks: args
            .health_checks
            .iter()
            .map(|text| health_check(text))
            .collect::<Result<_, _>>()?,
        force: args.force.then_some(true),
        ..SyncSpec::default()
    };
    Ok(Written::namespaced(&Sync::new(&args.name, spec)))
}

/// `git/fleet` and `GitRepository/fleet`, which people know from elsewhere, mean `fleet`.
fn source_name(text: &str) -> &str {
    match text.split_once('/') {
        Some((kind, name))
            if ["git", "gitrepo", "gitrepository"]
                .contains(&kind.to_ascii_lowercase().as_str()) =>
        {
            name
        }
        _ => text,
    }
}

fn maybe_namespaced(text: &str) -> (Option<String>, String) {
    match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
        None => (None, text.to_owned()),
    }
}

fn dependency(text: &str) -> Dependency {
    let (namespace, name) = maybe_namespaced(text);
    Dependency {
        name,
        namespace,
        ready: None,
    }
}

/// Reads `KIND/NAME` or `KIND/NAMESPACE/NAME`; the API version may stand in front, as in `batch/v1:Job/shop/migrate`.
fn health_check(text: &str) -> Result<HealthCheck, Error> {
    let wrong = || {
        Error::usage(
            format!("\"{text}\" is no object to check"),
            "write KIND/NAME, or APIVERSION:KIND/NAMESPACE/NAME as in batch/v1:Job/shop/migrate",
        )
    };
    let (api_version, object) = match text.split_once(':') {
        Some((api_version, object)) => (Some(api_version.to_owned()), object),
        None => (None, text),
    };
    let parts: Vec<_> = object.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (kind, None, name),
        [kind, namespace, name] => (kind, Some((*namespace).to_owned()), name),
        _ => return Err(wrong()),
    };
    if kind.is_empty() || name.is_empty() {
        return Err(wrong());
    }
    Ok(HealthCheck {
        api_version,
        kind: (*kind).to_owned(),
        name: (*name).to_owned(),
        namespace,
        cel: None,
    })
}
