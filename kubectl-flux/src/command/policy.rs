//! `policy`, `automate`, `deautomate`, `lock` and `unlock`: what is decided about workloads, written to git.

use serde_json::{Value, json};

use super::{
    images::find,
    publish::{Asked, Publication},
};
use crate::{
    args::{AnnotateArgs, CommitArgs, Connection, LockArgs, PolicyArgs},
    change::{Annotation, Wish},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    person,
    streams::Streams,
    workload::WorkloadId,
};

/// Lets images be updated.
pub(crate) async fn automate(
    args: &AnnotateArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let annotations = vec![Annotation::set("automated", "true")];
    let change = Change {
        verb: "Automated",
        workloads: &args.workloads,
        annotations,
    };
    change.make(&args.commit, connection, streams).await
}

/// Stops updates of images.
pub(crate) async fn deautomate(
    args: &AnnotateArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let annotations = vec![Annotation::remove("automated")];
    let change = Change {
        verb: "Deautomated",
        workloads: &args.workloads,
        annotations,
    };
    change.make(&args.commit, connection, streams).await
}

/// Holds images.
pub(crate) async fn lock(
    args: &LockArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    if let Some(name) = &args.image_policy {
        let author = person::author(args.commit.user.as_ref())?;
        let by = format!("{} <{}>", author.name, author.email);
        let lock = json!({"by": by, "reason": args.commit.message});
        return hold(name, &lock, connection, streams).await;
    }
    let annotations = locked(&args.commit)?;
    let change = Change {
        verb: "Locked",
        workloads: &args.workloads,
        annotations,
    };
    change.make(&args.commit, connection, streams).await
}

/// Lets images go.
pub(crate) async fn unlock(
    args: &LockArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    if let Some(name) = &args.image_policy {
        return hold(name, &Value::Null, connection, streams).await;
    }
    let change = Change {
        verb: "Unlocked",
        workloads: &args.workloads,
        annotations: unlocked(),
    };
    change.make(&args.commit, connection, streams).await
}

/// Changes any of these, and the tags that containers may run.
pub(crate) async fn policy(
    args: &PolicyArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let mut annotations = Vec::new();
    annotations.extend(args.automate.then(|| Annotation::set("automated", "true")));
    annotations.extend(args.deautomate.then(|| Annotation::remove("automated")));
    if args.lock {
        annotations.extend(locked(&args.commit)?);
    }
    if args.unlock {
        annotations.extend(unlocked());
    }
    annotations.extend(args.tag_all.as_deref().map(Annotation::tag_all));
    // What is said of one container stands above what is said of all.
    annotations.extend(
        args.tags
            .iter()
            .map(|(container, pattern)| Annotation::tag(container, pattern)),
    );
    for pattern in args
        .tag_all
        .iter()
        .chain(args.tags.iter().map(|(_, pattern)| pattern))
    {
        if let Err(error) = flux_core::choose::Rules::from_flux_v1(pattern) {
            return Err(Error::usage(
                error.to_string(),
                "write glob:…, semver:… or regexp:…",
            ));
        }
    }
    let change = Change {
        verb: "Updated policies",
        workloads: &args.workloads,
        annotations,
    };
    change.make(&args.commit, connection, streams).await
}

/// A lock says who holds it, and why.
fn locked(commit: &CommitArgs) -> Result<Vec<Annotation>, Error> {
    let author = person::author(commit.user.as_ref())?;
    let by = format!("{} <{}>", author.name, author.email);
    let mut annotations = vec![
        Annotation::set("locked", "true"),
        Annotation::set("locked_user", &by),
    ];
    annotations.extend(
        commit
            .message
            .as_deref()
            .map(|reason| Annotation::set("locked_msg", reason)),
    );
    Ok(annotations)
}

fn unlocked() -> Vec<Annotation> {
    ["locked", "locked_user", "locked_msg"]
        .map(Annotation::remove)
        .into()
}

/// A change of annotations, and its word for the message.
struct Change<'a> {
    verb: &'static str,
    workloads: &'a [String],
    annotations: Vec<Annotation>,
}

impl Change<'_> {
    async fn make(
        self,
        commit: &CommitArgs,
        connection: &Connection,
        streams: &mut Streams,
    ) -> Result<(), Error> {
        let cluster = Cluster::connect(connection).await?;
        let read = |text: &String| WorkloadId::read(text, &cluster.namespace);
        let ids = self
            .workloads
            .iter()
            .map(read)
            .collect::<Result<Vec<_>, _>>()?;
        let (mut found, others) = find(&ids, &cluster, streams).await?;
        found.extend(others.into_iter().flat_map(|other| other.workloads));
        let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let publication = Publication {
            cluster: &cluster,
            commit,
            subject: format!("{}: {}", self.verb, names.join(", ")),
            dry_run: false,
        };
        let asked = found.into_iter().map(|workload| Asked {
            workload,
            wish: Wish::Annotations(self.annotations.clone()),
        });
        publication
            .publish(asked.collect())
            .await?
            .report(false, streams)
    }
}

/// Sets or clears the lock of an ImagePolicy in the cluster.
async fn hold(
    name: &str,
    lock: &Value,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let change = json!({"spec": {"lock": lock}});
    cluster.merge(Kind::ImagePolicy, name, &change).await?;
    let word = if lock.is_null() { "unlocked" } else { "locked" };
    streams.line(format_args!("{} {word}", Kind::ImagePolicy.reference(name)))
}
