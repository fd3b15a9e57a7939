//! `diff`: what applying a directory would change, by the controller's own build and the API server's own dry-run.

mod brought;
mod preview;

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use flux_core::{
    diff::{Style, render},
    inputs::Inputs,
    overlay::overlay,
    redact::scrub,
};
use flux_crds::Sync;
use flux_kustomize::{Options, Scopes};

use self::preview::{Against, changes};
use super::{
    build::{Place, build_with},
    drift,
};
use crate::{
    args::{Connection, DiffArgs},
    cluster::Cluster,
    error::Error,
    kind::{Kind, Selection},
    resource::Resource,
    streams::Streams,
};

/// What is compared with the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// A directory as it is.
    Directory(PathBuf),
    /// A directory as a Sync would apply it.
    Sync { name: String, path: PathBuf },
}

/// Whether anything differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Equal,
    /// Something.
    Different,
}

/// Prints what differs.
pub(crate) async fn run(
    args: &DiffArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<Verdict, Error> {
    let subject = subject(args)?;
    let cluster = Cluster::connect(connection).await?;
    let (place, options, against, inputs, target) = match subject {
        Subject::Directory(path) => {
            let place = Place::of(&path, args.root.as_deref())?;
            (
                place,
                built_to_be_applied(),
                Against::Namespace(cluster.namespace.clone()),
                Inputs::default(),
                cluster,
            )
        }
        Subject::Sync { name, path } => {
            let sync = sync(&name, &cluster).await?;
            for note in drift::notes(&sync) {
                streams.say(format_args!("drift: {note}"));
            }
            let inputs = inputs(&sync, &cluster).await?;
            let target = cluster.target(&sync).await?;
            let place = Place::of(&path, args.root.as_deref())?;
            (
                place,
                Options {
                    overlay: overlay(&sync),
                    ..built_to_be_applied()
                },
                Against::Sync(Box::new(sync)),
                inputs,
                target,
            )
        }
    };
    let built = build_with(&place, &options, &inputs)?;
    for note in &built.notes {
        streams.say(format_args!("note: {note}"));
    }
    let secrets = inputs.secrets();
    let preview = changes(built.objects, &against, target.client).await;
    let preview = preview.map_err(|error| error.without(&secrets))?;
    for skipped in &preview.skipped {
        streams.say(format_args!("note: {skipped}"));
    }
    streams.data(&scrub(&render(&preview.changes, style()), &secrets))?;
    let is_equal = preview.changes.iter().all(|change| !change.is_change());
    Ok(if is_equal {
        Verdict::Equal
    } else {
        Verdict::Different
    })
}

/// The options that the controller builds with.
fn built_to_be_applied() -> Options {
    Options {
        scopes: Scopes::Defined,
        ..Options::default()
    }
}

fn style() -> Style {
    if std::io::stdout().is_terminal() {
        Style::Colour
    } else {
        Style::Plain
    }
}

fn subject(args: &DiffArgs) -> Result<Subject, Error> {
    let hint = "write kubectl flux diff PATH, or kubectl flux diff sync NAME --path PATH";
    let name = match args.subject.as_slice() {
        [word] if word.starts_with("sync/") => sync_name(&args.subject)?,
        [path] if args.path.is_none() => return Ok(Subject::Directory(Path::new(path).to_owned())),
        [_] => return Err(Error::usage("two directories are given", hint)),
        _ => sync_name(&args.subject)?,
    };
    match &args.path {
        Some(path) => Ok(Subject::Sync {
            name,
            path: path.clone(),
        }),
        None => Err(Error::usage(
            format!("there is no directory to compare with the sync \"{name}\""),
            hint,
        )),
    }
}

fn sync_name(words: &[String]) -> Result<String, Error> {
    match Selection::read(words)? {
        Selection::Names(names) => match names.as_slice() {
            [(Kind::Sync, name)] => Ok(name.clone()),
            _ => Err(Error::usage(
                "only a sync can be compared",
                "write kubectl flux diff sync NAME --path PATH",
            )),
        },
        Selection::Kinds(_) => Err(Error::usage(
            "no name is given",
            "write kubectl flux diff sync NAME --path PATH",
        )),
    }
}

/// Reads what the Sync builds with, through the rights of whoever runs this.
async fn inputs(sync: &Sync, cluster: &Cluster) -> Result<Inputs, Error> {
    let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
    let read = flux_engine::inputs::read(&cluster.client, namespace, &sync.spec).await;
    read.map(|(inputs, _)| inputs).map_err(Error::Inputs)
}

async fn sync(name: &str, cluster: &Cluster) -> Result<Sync, Error> {
    let object = cluster.get(Kind::Sync, name).await?;
    match Resource::read(Kind::Sync, &object)? {
        Resource::Sync(sync) => Ok(*sync),
        Resource::GitRepository(_) | Resource::ImagePolicy(_) => {
            Err(Error::Failed(format!("{name} is no sync")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str], path: Option<&str>) -> Result<Subject, String> {
        let subject = words.iter().map(|&word| word.to_owned()).collect();
        self::subject(&DiffArgs {
            subject,
            path: path.map(PathBuf::from),
            root: None,
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_directory_or_a_sync_with_a_directory_is_compared() {
        assert_eq!(
            read(&["./deploy"], None),
            Ok(Subject::Directory("./deploy".into()))
        );
        let sync = Ok(Subject::Sync {
            name: "apps".into(),
            path: "./deploy".into(),
        });
        assert_eq!(read(&["sync", "apps"], Some("./deploy")), sync);
        assert_eq!(read(&["sync/apps"], Some("./deploy")), sync);
    }

    #[test]
    fn anything_else_is_a_usage_error() {
        for (words, path) in [
            (&["a"][..], Some("b")),
            (&["sync", "apps"], None),
            (&["git", "fleet"], Some("b")),
        ] {
            assert!(read(words, path).is_err(), "{words:?}");
        }
    }
}
