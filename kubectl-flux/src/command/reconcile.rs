//! `reconcile`: asks for a reconcile now, follows it, and prints what it changed.

mod report;

use flux_crds::{ConditionType, Sync, names};
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use self::report::{Before, changes};
use super::{
    Target, Targets,
    follow::{Goal, Progress, follow},
};
use crate::{
    args::{Connection, Patience, ReconcileArgs},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    resource::Resource,
    streams::Streams,
};

/// Reconciles the targets. All are asked before the first is waited for.
pub(crate) async fn run(
    args: &ReconcileArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let targets = Targets::read(&args.targets)?;
    let cluster = Cluster::connect(connection).await?;
    let targets = targets.find(&cluster).await?;
    // A new revision of a source wakes its Syncs, so they are looked at before that.
    let looks = look(&targets, &cluster).await?;
    let looks = awake(looks, args.targets.all, streams)?;
    if args.with_source {
        let sources = sources(&looks, &cluster).await?;
        let sources = look(&sources, &cluster).await?;
        reconcile(
            &awake(sources, false, streams)?,
            &cluster,
            (args.patience, Extent::Changed),
            streams,
        )
        .await?;
    }
    let extent = if args.full {
        Extent::Everything
    } else {
        Extent::Changed
    };
    reconcile(&looks, &cluster, (args.patience, extent), streams).await
}

/// How much of a Sync to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What differs.
    Changed,
    /// Every object.
    Everything,
}

/// An object as it was before anything was asked of it.
pub(crate) struct Look {
    target: Target,
    before: Before,
    is_suspended: bool,
}

/// Looks at the targets.
pub(crate) async fn look(targets: &[Target], cluster: &Cluster) -> Result<Vec<Look>, Error> {
    let mut looks = Vec::with_capacity(targets.len());
    for target in targets {
        let cluster = cluster.in_namespace(&target.namespace);
        let object = cluster.get(target.kind, &target.name).await?;
        let resource = Resource::read(target.kind, &object)?;
        let before = Before::look(&resource, target, &cluster).await?;
        looks.push(Look {
            target: target.clone(),
            before,
            is_suspended: resource.is_suspended(),
        });
    }
    Ok(looks)
}

/// Returns those that are not suspended. Who names a suspended one has overlooked that; who asks for all has not.
fn awake(looks: Vec<Look>, all: bool, streams: &mut Streams) -> Result<Vec<Look>, Error> {
    let (suspended, awake): (Vec<_>, Vec<_>) =
        looks.into_iter().partition(|look| look.is_suspended);
    for Look { target, .. } in suspended {
        if !all {
            let Target {
                kind,
                namespace,
                name,
            } = &target;
            let hint = format!(
                "let it go on: kubectl flux resume {} {name} -n {namespace}",
                kind.word()
            );
            return Err(Error::Suspended {
                what: target.to_string(),
                hint,
            });
        }
        streams.say(format_args!("note: {target} is suspended"));
    }
    Ok(awake)
}

/// Asks for a reconcile of each object, and waits for all of them unless there is no patience.
pub(crate) async fn reconcile(
    looks: &[Look],
    cluster: &Cluster,
    (patience, extent): (Patience, Extent),
    streams: &mut Streams,
) -> Result<(), Error> {
    let mut requests = Vec::with_capacity(looks.len());
    for look in looks {
        requests.push(request(look, cluster, extent).await?);
        if patience.no_wait {
            streams.line(format_args!("{} asked to reconcile", look.target))?;
        }
    }
    if patience.no_wait {
        return Ok(());
    }
    let mut failed = 0;
    for request in &requests {
        if conclude(request, cluster, patience, streams).await? == Progress::Failed {
            failed += 1;
        }
    }
    match (failed, requests.len()) {
        (0, _) => Ok(()),
        (_, 1) => Err(Error::Failed("the reconcile failed".into())),
        (failed, all) => Err(Error::Failed(format!(
            "{failed} of {all} reconciles failed"
        ))),
    }
}

/// One request for a reconcile.
struct Request<'a> {
    look: &'a Look,
    goal: Goal,
}

async fn request<'a>(
    look: &'a Look,
    cluster: &Cluster,
    extent: Extent,
) -> Result<Request<'a>, Error> {
    let Target {
        kind,
        namespace,
        name,
    } = &look.target;
    let token = Timestamp::now().to_string();
    let full = (extent == Extent::Everything && *kind == Kind::Sync).then_some(&token);
    let annotations = json!({names::RECONCILE: token, names::FULL: full});
    let change = json!({"metadata": {"annotations": annotations}});
    cluster
        .in_namespace(namespace)
        .merge(*kind, name, &change)
        .await?;
    Ok(Request {
        look,
        goal: Goal::Handled(token),
    })
}

async fn conclude(
    request: &Request<'_>,
    cluster: &Cluster,
    patience: Patience,
    streams: &mut Streams,
) -> Result<Progress, Error> {
    let Look { target, before, .. } = request.look;
    let (resource, progress) =
        follow(cluster, target, &request.goal, patience.timeout, streams).await?;
    for line in changes(
        before,
        &resource,
        target,
        &cluster.in_namespace(&target.namespace),
    )
    .await?
    {
        streams.line(line)?;
    }
    let message = resource
        .condition(ConditionType::Ready)
        .map_or("", |ready| ready.message.as_str());
    match progress {
        Progress::Failed => {
            for line in failures(&resource, message) {
                streams.say(format_args!("error: {target}: {line}"));
            }
        }
        Progress::Reached | Progress::Working => {
            streams.line(format_args!("{target} reconciled: {message}"))?;
        }
    }
    Ok(progress)
}

/// Returns every error of the last reconcile, or what the Ready condition says when there is no list of them.
fn failures(resource: &Resource, message: &str) -> Vec<String> {
    let listed = match resource {
        Resource::Sync(sync) => sync
            .status
            .as_ref()
            .map_or(&[][..], |status| &status.failures),
        Resource::GitRepository(_) | Resource::ImagePolicy(_) => &[],
    };
    let lines: Vec<_> = listed.iter().map(failure).collect();
    if lines.is_empty() {
        vec![message.to_owned()]
    } else {
        lines
    }
}

fn failure(failure: &flux_crds::sync::Failure) -> String {
    let place = match (&failure.object, &failure.source) {
        (Some(object), Some(source)) => format!("{object} ({source}): "),
        (Some(one), None) | (None, Some(one)) => format!("{one}: "),
        (None, None) => String::new(),
    };
    // A message of the build already begins with its place.
    let message = failure.message.trim_end();
    if message.starts_with(&place) {
        message.to_owned()
    } else {
        format!("{place}{message}")
    }
}

/// Returns the sources of the Syncs among the targets, each once.
async fn sources(looks: &[Look], cluster: &Cluster) -> Result<Vec<Target>, Error> {
    let mut sources: Vec<Target> = Vec::new();
    let targets = looks.iter().map(|look| &look.target);
    for target in targets.filter(|target| target.kind == Kind::Sync) {
        let object = cluster
            .in_namespace(&target.namespace)
            .get(Kind::Sync, &target.name)
            .await?;
        if let Resource::Sync(sync) = Resource::read(Kind::Sync, &object)? {
            let source = source(&sync, &target.namespace);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    Ok(sources)
}

/// Returns the source of a Sync.
pub(crate) fn source(sync: &Sync, namespace: &str) -> Target {
    let reference = &sync.spec.source_ref;
    let namespace = reference.namespace.as_deref().unwrap_or(namespace);
    Target {
        kind: Kind::GitRepository,
        namespace: namespace.to_owned(),
        name: reference.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::sync::Failure;

    use super::*;

    #[test]
    fn every_failure_is_shown_with_object_and_place() {
        let listed = |object: Option<&str>, source: Option<&str>, message: &str| Failure {
            object: object.map(str::to_owned),
            source: source.map(str::to_owned),
            reason: "Rejected".into(),
            message: message.into(),
        };
        let mut sync = Sync::test();
        sync.status.get_or_insert_default().failures = vec![
            listed(
                Some("Deployment/shop/web"),
                Some("deploy/web.yaml:12"),
                "spec.replicas: must not be negative\n",
            ),
            listed(None, Some("deploy/cart.yaml:3"), "no kind"),
            listed(None, None, "two errors"),
        ];
        let lines = failures(&Resource::Sync(Box::new(sync)), "build failed").join("\n");
        insta::assert_snapshot!(lines, @r"
        Deployment/shop/web (deploy/web.yaml:12): spec.replicas: must not be negative
        deploy/cart.yaml:3: no kind
        two errors
        ");
    }

    #[test]
    fn without_a_list_the_condition_speaks() {
        assert_eq!(
            failures(&Resource::Sync(Box::new(Sync::test())), "source not found"),
            ["source not found"]
        );
    }
}
