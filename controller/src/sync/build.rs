//! From a revision to the objects as they shall be. Skipped when nothing that the last build looked at has moved.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use flux_core::desire;
use flux_core::inputs::{Failure, Inputs};
use flux_core::object::Desired;
use flux_core::overlay::overlay;
use flux_core::owner::Owner;
use flux_core::sequence::{self, Sequence};
use flux_crds::{Reason, Sync};
use flux_engine::cluster::scopes;
use flux_engine::git::Deadline;
use flux_kustomize::{Build, Options, Read, Scopes};

use super::gather::Gathered;
use super::halt::Halt;
use super::hooks::Hooks;
use crate::context::Context;
use crate::key::Key;
use crate::sources::Snapshot;

/// Notes of one build that are logged.
const NOTES: usize = 20;

/// What a build made.
pub(crate) struct Made {
    /// The objects.
    pub(crate) desired: Vec<Desired>,
    /// What runs around them.
    pub(crate) hooks: Hooks,
    /// What it looked at.
    pub(crate) reads: BTreeSet<Read>,
    /// What that was, as one number.
    pub(crate) print: u64,
}

/// Returns one number for everything that `reads` names, as it is in a snapshot, and for the inputs: equal numbers, equal
/// build. Looks only at the ids of trees and blobs, never into a file.
pub(crate) fn print(
    Snapshot { tree, view, .. }: &Snapshot,
    inputs: &Inputs,
    reads: &BTreeSet<Read>,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    view.hash(&mut hasher);
    inputs.print().hash(&mut hasher);
    for read in reads {
        let path = match read {
            Read::File(path) | Read::Directory(path) | Read::Missing(path) => path,
            // Its ref may have moved: only the next build can tell.
            Read::Remote(_) => {
                Instant::now().hash(&mut hasher);
                continue;
            }
        };
        path.hash(&mut hasher);
        // What cannot be read is never equal to anything: the build says what is wrong with it.
        tree.object_id(path)
            .map_err(|_| Instant::now())
            .hash(&mut hasher);
    }
    hasher.finish()
}

/// Builds the Sync's path of a revision.
pub(crate) async fn build(
    context: &Context,
    sync: &Sync,
    Gathered {
        snapshot,
        cluster,
        inputs,
        ..
    }: &Gathered,
) -> Result<Made, Halt> {
    let path = path(sync)?;
    let mut options = Options {
        overlay: overlay(sync),
        scopes: Scopes::Defined,
        ..Options::default()
    };
    let (source, beside) = (Arc::clone(snapshot), Arc::clone(inputs));
    let turn = context.builds.acquire().await;
    let timeout = sync.spec.timeout().unwrap_or_default();
    let bases = context.bases.clone();
    let built = tokio::task::spawn_blocking(move || {
        options.limits.deadline = Instant::now().checked_add(timeout);
        options.remotes = bases.map(|bases| bases.until(Deadline::after(timeout)));
        run(&source, &beside, &path, &options)
    })
    .await;
    drop(turn);
    // A build that panicked is our own mistake; it must not take the other Syncs with it.
    let (built, print) = built.unwrap_or_else(|error| {
        Err(Halt::failed(
            Reason::InternalError,
            format!("the build broke off: {error}"),
        ))
    })?;
    let scopes = scopes(cluster, &built.objects)
        .await
        .map_err(|error| Halt::cluster("learn the kinds of the cluster", &error))?;
    let owner = owner(sync);
    let mut desired = desire::desire(built.objects, &owner, &scopes).map_err(Halt::problems)?;
    for object in &mut desired {
        object.hash = context.seal(object.hash);
    }
    let Sequence {
        desired,
        hooks: all,
        state,
    } = sequence::arrange(desired).map_err(Halt::problems)?;
    Ok(Made {
        desired,
        hooks: Hooks { all, state },
        reads: built.reads,
        print,
    })
}

fn run(
    snapshot: &Snapshot,
    inputs: &Inputs,
    path: &str,
    options: &Options,
) -> Result<(Build, u64), Halt> {
    let build = inputs.build(&snapshot.tree, path, options);
    let build = build.map_err(|failure| match failure {
        Failure::Build(failure) => explain(snapshot, path, &failure),
        Failure::Objects(problems) => Halt::problems(problems),
    })?;
    for note in build.notes.iter().take(NOTES) {
        tracing::info!(path = %note.path, note = %note.message, "file left out of the build");
    }
    let print = print(snapshot, inputs, &build.reads);
    Ok((build, print))
}

fn explain(snapshot: &Snapshot, path: &str, failure: &flux_kustomize::Failure) -> Halt {
    if !path.is_empty() && matches!(snapshot.tree.object_id(path), Ok(None)) {
        let revision = &snapshot.revision;
        return Halt::failed(
            Reason::PathNotFound,
            format!("path {path} does not exist in {revision}; correct spec.path"),
        );
    }
    let failures = failure.errors.iter().map(|error| flux_crds::sync::Failure {
        object: None,
        source: Some(error.line.map_or_else(
            || error.path.clone(),
            |line| format!("{}:{line}", error.path),
        )),
        reason: Reason::BuildFailed.to_string(),
        message: words(error),
    });
    Halt::list(
        Reason::BuildFailed,
        "nothing was applied",
        failures.collect(),
    )
}

/// Returns what is wrong without the place, which stands in a field of its own.
fn words(error: &flux_kustomize::Error) -> String {
    let field = error
        .field
        .as_ref()
        .map(|field| format!("{field}: "))
        .unwrap_or_default();
    let hint = error
        .hint
        .as_ref()
        .map(|hint| format!("; {hint}"))
        .unwrap_or_default();
    format!("{field}{}{hint}", error.message)
}

/// Returns the Sync's path, relative to the root of the repository.
fn path(sync: &Sync) -> Result<String, Halt> {
    let mut parts = Vec::new();
    for part in sync.spec.path().split('/') {
        match part {
            ".." if parts.pop().is_none() => {
                return Err(Halt::stalled(
                    Reason::InvalidSpec,
                    "spec.path leaves the repository",
                ));
            }
            "" | "." | ".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Returns the owner that the Sync's objects are labelled with.
pub(crate) fn owner(sync: &Sync) -> Owner {
    let Key { namespace, name } = Key::of(&sync.metadata);
    Owner {
        namespace: namespace.to_string(),
        name: name.to_string(),
    }
}
