//! `build`: what the controller would apply, without a cluster.

mod bases;
mod place;

use std::path::Path;

use flux_kustomize::{LoadRestriction, Object, Options, Order, to_yaml};
use serde_json::Value;

use crate::{
    args::{BuildArgs, BuildFormat, LoadRestrictorArg, OrderArg},
    error::Error,
    output,
    streams::Streams,
};

pub(crate) use place::{Place, build, build_with};

/// The path that stands for stdin.
const STDIN: &str = "-";

/// Builds the directory and prints its objects.
pub(crate) fn run(args: &BuildArgs, streams: &mut Streams) -> Result<(), Error> {
    let place = if args.path == Path::new(STDIN) {
        Place::of_stdin()?
    } else {
        Place::of(&args.path, args.root.as_deref())?
    };
    let bases = bases::Fetched::new(&args.remote)?;
    let mut options = options(args);
    options.remotes = bases.as_ref().map(bases::Fetched::trees);
    let built = build(&place, &options)?;
    for note in &built.notes {
        streams.say(format_args!("note: {note}"));
    }
    let printed = print(&built.objects, args, streams);
    // The process ends here, and taking a large tree apart takes as long as printing it.
    std::mem::forget(built);
    printed
}

fn print(objects: &[Object], args: &BuildArgs, streams: &mut Streams) -> Result<(), Error> {
    let values = || objects.iter().map(|object| &object.value);
    match args.output {
        BuildFormat::Yaml if args.explain => streams.data(&explained(objects)),
        BuildFormat::Yaml => yaml(values(), streams),
        BuildFormat::Json => {
            let values = values().cloned().collect();
            streams.data(&output::json(&output::Whole::Many(values).into_value()))
        }
        BuildFormat::Name => values().try_for_each(|value| streams.line(name(value))),
    }
}

/// Prints some documents at a time, so that a large build need not be in memory twice.
fn yaml<'v>(values: impl Iterator<Item = &'v Value>, streams: &mut Streams) -> Result<(), Error> {
    const ENOUGH: usize = 1 << 16;
    let mut text = String::new();
    for value in values {
        text.push_str("---\n");
        text.push_str(&to_yaml(value));
        if text.len() >= ENOUGH {
            streams.data(&text)?;
            text.clear();
        }
    }
    streams.data(&text)
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
