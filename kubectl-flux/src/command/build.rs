//! `build`: what the controller would apply, without a cluster.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flux_kustomize::{DirectoryTree, LoadRestriction, Object, Options, Order, to_yaml};
use serde_json::Value;

use crate::{
    args::{BuildArgs, BuildFormat, LoadRestrictorArg, OrderArg},
    error::Error,
    output,
    streams::Streams,
};

/// Builds the directory and prints its objects.
pub(crate) fn run(args: &BuildArgs, streams: &mut Streams) -> Result<(), Error> {
    let place = Place::of(&args.path, args.root.as_deref())?;
    let built = build(&place, &options(args))?;
    for note in &built.notes {
        streams.say(format_args!("note: {note}"));
    }
    if args.explain && args.output == BuildFormat::Yaml {
        return streams.data(&explained(&built.objects));
    }
    let values: Vec<_> = built
        .objects
        .into_iter()
        .map(|object| object.value)
        .collect();
    match args.output {
        BuildFormat::Yaml => streams.data(&output::yaml_stream(&values)),
        BuildFormat::Json => streams.data(&output::json(&output::Whole::Many(values).into_value())),
        BuildFormat::Name => values
            .iter()
            .try_for_each(|value| streams.line(name(value))),
    }
}

fn options(args: &BuildArgs) -> Options {
    let legacy = args.reorder == OrderArg::Legacy;
    let restricted = match args.load_restrictor {
        Some(restrictor) => restrictor == LoadRestrictorArg::RootOnly,
        None => legacy,
    };
    Options {
        order: if legacy { Order::Legacy } else { Order::Fifo },
        restriction: if restricted {
            LoadRestriction::RootOnly
        } else {
            LoadRestriction::None
        },
        require_kustomization: legacy,
        managed_by_label: args.enable_managedby_label,
        explain: args.explain,
        ..Options::default()
    }
}

/// Objects with comments that say where they and their changed fields come from.
fn explained(objects: &[Object]) -> String {
    let documents: Vec<String> = objects
        .iter()
        .map(|object| {
            let changes = object
                .changes
                .iter()
                .map(|change| format!("# {}: {} {}\n", change.field, change.by, change.what));
            let comments: String = changes.collect();
            format!(
                "# from {}\n{comments}{}",
                object.origin,
                to_yaml(&object.value)
            )
        })
        .collect();
    documents.join("---\n")
}

fn name(value: &Value) -> String {
    let text = |pointer| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let kind = text("/kind").to_ascii_lowercase();
    match text("/apiVersion").split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", text("/metadata/name")),
        None => format!("{kind}/{}", text("/metadata/name")),
    }
}

/// A directory to build, in the tree that the build must not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    root: PathBuf,
    path: String,
    shown: String,
}

impl Place {
    /// Finds the tree of a path: the given one, its git repository, or the whole file system.
    pub(crate) fn of(path: &Path, root: Option<&Path>) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let absolute = |path: &Path| {
            fs::canonicalize(path).map_err(|source| Error::File {
                path: path.to_owned(),
                source,
            })
        };
        let directory = absolute(path)?;
        let root = match root {
            Some(root) => absolute(root)?,
            None => directory
                .ancestors()
                .find(|ancestor| ancestor.join(".git").exists())
                .or_else(|| directory.ancestors().last())
                .unwrap_or(&directory)
                .to_owned(),
        };
        let inside = directory.strip_prefix(&root).map_err(|_| {
            Error::usage(
                format!("{shown} is not in {}", root.display()),
                "name a directory around it with --root",
            )
        })?;
        let names: Vec<_> = inside
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        Ok(Self {
            path: names.join("/"),
            root,
            shown,
        })
    }
}

/// Builds a directory with the controller's own code.
pub(crate) fn build(place: &Place, options: &Options) -> Result<flux_kustomize::Build, Error> {
    let tree = DirectoryTree::new(&place.root);
    flux_kustomize::build(&tree, &place.path, options).map_err(|failure| Error::Build {
        path: place.shown.clone(),
        count: failure.errors.len(),
        details: failure.errors.iter().map(ToString::to_string).collect(),
    })
}
