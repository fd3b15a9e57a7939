//! `build`: what the controller would apply, without a cluster.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flux_kustomize::{DirectoryTree, Options, Order};
use serde_json::Value;

use crate::{
    args::{BuildArgs, BuildFormat, OrderArg},
    error::Error,
    output,
    streams::Streams,
};

/// Builds the directory and prints its objects.
pub(crate) fn run(args: &BuildArgs, streams: &mut Streams) -> Result<(), Error> {
    let order = match args.reorder {
        OrderArg::None => Order::Fifo,
        OrderArg::Legacy => Order::Legacy,
    };
    let place = Place::of(&args.path, args.root.as_deref())?;
    let built = build(
        &place,
        &Options {
            order,
            ..Options::default()
        },
    )?;
    for note in &built.notes {
        streams.say(format_args!("note: {note}"));
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
    /// Finds the tree of a path: the given one, its git repository, or the path itself.
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
