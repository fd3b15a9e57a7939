//! Changing what git says about workloads, by the way that it is built.
//!
//! ```text
//! tree ─► build of the Sync ─► object ─► its file and line ─► edit ─► build again ─► only what was wished differs?
//! ```
//!
//! All of it works on the files of one commit in memory, so that it can be done again on a newer one.

mod annotate;
mod edited;
mod image;
mod verify;

use std::collections::BTreeMap;

use flux_core::{edit::Change, object, overlay::overlay};
use flux_crds::Sync;
use flux_kustomize::{FileTree, Object, Options, Scopes, build};

use crate::{
    error,
    workload::{Policies, Workload, WorkloadId},
};

pub(crate) use annotate::Annotation;
pub(crate) use image::Wanted;

use self::edited::Edited;

/// New contents of files, by their paths.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What is wished of a workload.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Which workload.
    pub(crate) id: WorkloadId,
    /// What applies it.
    pub(crate) sync: Sync,
    /// What shall be.
    pub(crate) wish: Wish,
}

/// What shall be.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    /// These images, in whatever containers have them.
    Images {
        /// The images, by container.
        wanted: Vec<Wanted>,
        /// Whether a lock counts.
        force: bool,
    },
    /// These annotations.
    Annotations(Vec<Annotation>),
}

/// What became of a workload, in the words of Flux v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// It was changed.
    Success,
    /// It could not be changed.
    Failed,
    /// There was a reason to leave it.
    Skipped,
    /// Nobody asked for it.
    Ignored,
}

impl Status {
    /// Returns the word for tables.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
        }
    }
}

/// What became of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Which.
    pub(crate) id: WorkloadId,
    /// How it went.
    pub(crate) status: Status,
    /// A line for each change, or the reason why there is none.
    pub(crate) lines: Vec<String>,
}

impl Outcome {
    /// Tells what failed.
    pub(crate) fn failed(id: &WorkloadId, reason: impl Into<String>) -> Self {
        Self::new(id, Status::Failed, reason)
    }

    /// Tells why nothing changed.
    pub(crate) fn new(id: &WorkloadId, status: Status, line: impl Into<String>) -> Self {
        Self {
            id: id.clone(),
            status,
            lines: vec![line.into()],
        }
    }
}

/// What is to be committed, and what became of each workload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The files that change.
    pub(crate) files: Files,
    /// The images that change.
    pub(crate) changes: Vec<Change>,
    /// What became of each workload, in the order of the requests.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Plan {
    /// Works out what the requests mean for the files of a commit. One that fails leaves no trace in the files.
    pub(crate) fn make(tree: &dyn FileTree, requests: &[Request]) -> Self {
        let mut plan = Self::default();
        let mut builds = Builds::default();
        for request in requests {
            let outcome = plan.add(tree, request, &mut builds);
            plan.outcomes.push(outcome.unwrap_or_else(|left| left));
        }
        plan
    }

    fn add(
        &mut self,
        tree: &dyn FileTree,
        request: &Request,
        builds: &mut Builds,
    ) -> Result<Outcome, Outcome> {
        let id = &request.id;
        let failed = |reason: String| Outcome::failed(id, reason);
        let before = builds
            .get(tree, &request.sync, &self.files)
            .map_err(failed)?;
        let subject = Subject::find(tree, &self.files, &before, id)?;
        let made = match &request.wish {
            Wish::Images { wanted, force } => {
                if Policies::of(&subject.workload).locked && !force {
                    return Err(Outcome::new(id, Status::Skipped, "locked"));
                }
                image::make(&subject, wanted, request)?
            }
            Wish::Annotations(annotations) => annotate::make(&subject, annotations)?,
        };
        let after = objects(&Edited::new(tree, &made.files), &request.sync).map_err(failed)?;
        verify::compare(&before, &after, id, &made.expected).map_err(failed)?;
        builds.keep(&request.sync, after);
        self.files = made.files;
        self.changes.extend(made.changes);
        Ok(Outcome {
            id: id.clone(),
            status: Status::Success,
            lines: made.lines,
        })
    }
}

/// A change that has been made in memory, and is to be verified.
struct Made {
    files: Files,
    changes: Vec<Change>,
    lines: Vec<String>,
    expected: verify::Expected,
}

/// A workload as it is built, and where it comes from.
struct Subject<'a> {
    tree: &'a dyn FileTree,
    files: &'a Files,
    /// As it is built.
    workload: Workload,
    /// As its file names it.
    written: object::ObjectId,
    path: String,
}

impl<'a> Subject<'a> {
    fn find(
        tree: &'a dyn FileTree,
        files: &'a Files,
        built: &[Object],
        id: &WorkloadId,
    ) -> Result<Self, Outcome> {
        let Some(object) = built.iter().find(|object| verify::is(&object.value, id)) else {
            return Err(Outcome::new(id, Status::Skipped, "not found in repository"));
        };
        let path = object.origin.path.clone();
        let written = written(&Edited::new(tree, files), object).unwrap_or_else(|| id.object());
        // A build may leave the namespace open.
        let workload = Workload {
            id: id.clone(),
            ..Workload::read(id.kind, object.value.clone())
        };
        Ok(Self {
            tree,
            files,
            workload,
            written,
            path,
        })
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Edited::new(self.tree, self.files)
            .read(path)
            .map_err(|error| error::chain(&error))
    }
}

/// The identity of an object in its file, where a build has not changed its name and namespace yet.
fn written(tree: &dyn FileTree, object: &Object) -> Option<object::ObjectId> {
    let bytes = tree.read(&object.origin.path).ok()?;
    let documents = flux_kustomize::parse_yaml(&bytes, &object.origin.path).ok()?;
    let document = documents
        .iter()
        .find(|document| document.line == object.origin.line)?;
    object::id_of(&document.value).ok()
}

/// Builds what a Sync applies, but for variables and secrets.
fn objects(tree: &dyn FileTree, sync: &Sync) -> Result<Vec<Object>, String> {
    let options = Options {
        overlay: overlay(sync),
        scopes: Scopes::Defined,
        ..Options::default()
    };
    let built = build(tree, sync.spec.path(), &options);
    built
        .map(|built| built.objects)
        .map_err(|failure| failure.to_string())
}

/// The last build of each Sync.
#[derive(Default)]
struct Builds(BTreeMap<(Option<String>, Option<String>), Vec<Object>>);

impl Builds {
    fn get(
        &mut self,
        tree: &dyn FileTree,
        sync: &Sync,
        files: &Files,
    ) -> Result<Vec<Object>, String> {
        if let Some(known) = self.0.get(&key(sync)) {
            return Ok(known.clone());
        }
        let built = objects(&Edited::new(tree, files), sync)?;
        self.0.insert(key(sync), built.clone());
        Ok(built)
    }

    /// A changed file may be part of other Syncs too.
    fn keep(&mut self, sync: &Sync, built: Vec<Object>) {
        self.0.clear();
        self.0.insert(key(sync), built);
    }
}

fn key(sync: &Sync) -> (Option<String>, Option<String>) {
    (sync.metadata.namespace.clone(), sync.metadata.name.clone())
}

#[cfg(test)]
mod tests;
