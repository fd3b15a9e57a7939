//! `release`: other images for workloads, by a commit to git.

mod select;
mod watch;

use super::{
    images::find,
    publish::{Asked, Publication, Published},
};
use crate::{
    args::{Connection, ReleaseArgs},
    change::{Outcome, Status, Wish},
    cluster::Cluster,
    error::Error,
    registry::Registries,
    streams::Streams,
    workload::{Elsewhere, WorkloadId, image_policies},
};

use self::select::Selection;

/// Releases the images.
pub(crate) async fn run(
    args: &ReleaseArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let read = |texts: &[String]| {
        let read = texts
            .iter()
            .map(|text| WorkloadId::read(text, &cluster.namespace));
        read.collect::<Result<Vec<_>, _>>()
    };
    let (ids, excluded) = (read(&args.workloads)?, read(&args.exclude)?);
    let (workloads, others) = find(&ids, &cluster, streams).await?;
    let here = Elsewhere {
        cluster: cluster.clone(),
        workloads,
    };
    let mut places: Vec<_> = std::iter::once(here).chain(others).collect();
    let mut outcomes = Vec::new();
    for place in &mut places {
        place.workloads.retain(|workload| {
            let is_out = excluded.contains(&workload.id);
            if is_out {
                outcomes.push(Outcome::new(&workload.id, Status::Ignored, "excluded"));
            }
            !is_out
        });
    }
    let mut asked = ask(args, &places, &cluster, &mut outcomes).await?;
    let publication = Publication {
        cluster: &cluster,
        commit: &args.commit,
        subject: subject(args, &ids),
        dry_run: args.dry_run,
    };
    if args.interactive {
        asked = choose(&publication, asked, streams).await?;
    }
    streams.say(if args.dry_run {
        "Submitting dry-run release ..."
    } else {
        "Submitting release ..."
    });
    let mut published = publication.publish(asked).await?;
    published.outcomes.extend(outcomes);
    published.outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    let ended = published.report(args.verbose, streams);
    if args.watch {
        watch::watch(&published, (&cluster, &places), args.watch_timeout, streams).await?;
    }
    ended
}

/// Finds out which image each container is to run. A workload that nothing is to be done for has its outcome at once.
async fn ask(
    args: &ReleaseArgs,
    places: &[Elsewhere],
    cluster: &Cluster,
    outcomes: &mut Vec<Outcome>,
) -> Result<Vec<Asked>, Error> {
    let policies = image_policies(cluster).await?;
    let registries = Registries::new(cluster);
    let mut asked = Vec::new();
    for place in places {
        let way = registries.of_pods_in(&place.cluster);
        let selection = Selection::read(args, &policies, &way)?;
        for workload in &place.workloads {
            match selection.wanted(workload).await {
                Ok(wanted) => asked.push(Asked {
                    workload: workload.clone(),
                    wish: Wish::Images {
                        wanted,
                        force: args.force,
                    },
                }),
                Err(outcome) => outcomes.push(outcome),
            }
        }
    }
    Ok(asked)
}

/// Asks the person about each workload, after a look at what would change.
async fn choose(
    publication: &Publication<'_>,
    asked: Vec<Asked>,
    streams: &mut Streams,
) -> Result<Vec<Asked>, Error> {
    let preview = Publication {
        dry_run: true,
        subject: publication.subject.clone(),
        ..*publication
    };
    let Published { outcomes, .. } = preview.publish(asked.clone()).await?;
    let mut chosen = Vec::new();
    for one in asked {
        let outcome = outcomes
            .iter()
            .find(|outcome| outcome.id == one.workload.id);
        let Some(outcome) = outcome.filter(|outcome| outcome.status == Status::Success) else {
            chosen.push(one);
            continue;
        };
        let question = format!("Release {} ({})?", outcome.id, outcome.lines.join(", "));
        match streams.confirm(&question)? {
            Some(true) => chosen.push(one),
            Some(false) => {}
            None => {
                let hint = "leave --interactive out, or look with --dry-run first";
                return Err(Error::usage("there is nobody to ask", hint));
            }
        }
    }
    Ok(chosen)
}

/// Returns the first line of the message, in the words of Flux v1.
fn subject(args: &ReleaseArgs, ids: &[WorkloadId]) -> String {
    let what = args.update_image.as_deref().unwrap_or("all latest");
    let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let to = if names.is_empty() {
        "all".to_owned()
    } else {
        names.join(", ")
    };
    format!("Release {what} to {to}")
}
