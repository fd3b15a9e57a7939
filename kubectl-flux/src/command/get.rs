//! `get`: objects and their state.

mod row;

use flux_crds::Time;
use futures::{StreamExt as _, stream};
use k8s_openapi::jiff::Timestamp;
use kube::{
    core::DynamicObject,
    runtime::{WatchStreamExt as _, watcher},
};

use crate::{
    args::{Connection, GetArgs},
    cluster::{Cluster, Scope},
    error::Error,
    kind::{Kind, Selection},
    output::{self, Format, Whole},
    resource::{self, Resource},
    streams::Streams,
    table::Table,
};

pub(crate) use row::{Columns, NamePrefix, short_revision};

/// Prints the selected objects, and what becomes of them.
pub(crate) async fn run(
    args: &GetArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let selection = Selection::read(&args.resources)?;
    let cluster = &Cluster::connect(connection).await?;
    let scope = Scope::of(args.all_namespaces);
    let objects = cluster
        .select(&selection, scope, args.selector.as_deref())
        .await?;
    let is_one = matches!(&selection, Selection::Names(names) if names.len() == 1);
    match args.output {
        Format::Table | Format::Wide => print_tables(&objects, args, &selection, streams)?,
        Format::Json | Format::Yaml => print_whole(&objects, is_one, args.output, streams)?,
        Format::Name => print_names(&objects, streams)?,
    }
    if objects.is_empty() && !args.watch {
        tell_nothing_found(scope, cluster, streams);
    }
    if args.watch {
        follow(args, &selection, cluster, streams).await
    } else {
        Ok(())
    }
}

fn tell_nothing_found(scope: Scope, cluster: &Cluster, streams: &mut Streams) {
    match scope {
        Scope::All => streams.say("no objects found"),
        Scope::Namespace => {
            streams.say(format_args!(
                "no objects found in the namespace \"{}\"",
                cluster.namespace
            ));
            streams.hint("look into all namespaces with -A");
        }
    }
}

fn print_whole(
    objects: &[(Kind, DynamicObject)],
    is_one: bool,
    format: Format,
    streams: &mut Streams,
) -> Result<(), Error> {
    let mut values = objects
        .iter()
        .map(|(kind, object)| whole(*kind, object))
        .collect::<Result<Vec<_>, _>>()?;
    let whole = if is_one && values.len() == 1 {
        Whole::One(values.remove(0))
    } else {
        Whole::Many(values)
    };
    let value = whole.into_value();
    streams.data(&if format == Format::Json {
        output::json(&value)
    } else {
        flux_kustomize::to_yaml(&value)
    })
}

fn whole(kind: Kind, object: &DynamicObject) -> Result<serde_json::Value, Error> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let value = resource::value(object).map_err(|source| Error::Decode {
        object: kind.reference(name),
        source,
    })?;
    Ok(output::in_reading_order(output::without_managed_fields(
        value,
    )))
}

fn print_names(objects: &[(Kind, DynamicObject)], streams: &mut Streams) -> Result<(), Error> {
    for (kind, object) in objects {
        streams.line(kind.reference(object.metadata.name.as_deref().unwrap_or_default()))?;
    }
    Ok(())
}

fn columns(kind: Kind, args: &GetArgs, selection: &Selection) -> Columns {
    let is_mixed = match selection {
        Selection::Kinds(kinds) => kinds.len() > 1,
        Selection::Names(names) => names.iter().any(|(other, _)| *other != kind),
    };
    Columns {
        kind,
        scope: Scope::of(args.all_namespaces),
        is_wide: args.output == Format::Wide,
        prefix: if is_mixed {
            NamePrefix::Kind
        } else {
            NamePrefix::None
        },
    }
}

/// One table for each kind that has objects, apart by an empty line.
fn print_tables(
    objects: &[(Kind, DynamicObject)],
    args: &GetArgs,
    selection: &Selection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let now = Time(Timestamp::now());
    let mut is_first = true;
    for kind in Kind::ALL {
        let of_kind: Vec<_> = objects
            .iter()
            .filter(|(other, _)| *other == kind)
            .map(|(_, object)| object)
            .collect();
        if of_kind.is_empty() {
            continue;
        }
        if !is_first {
            streams.line("")?;
        }
        is_first = false;
        let table = table(&of_kind, columns(kind, args, selection), &now, streams);
        streams.data(&table.render())?;
    }
    Ok(())
}

/// An object that does not decode is told of and never hides the others.
fn table(objects: &[&DynamicObject], columns: Columns, now: &Time, streams: &mut Streams) -> Table {
    let mut table = Table::new(columns.header());
    for object in objects {
        match Resource::read(columns.kind, object) {
            Ok(resource) => table.push(columns.row(&resource, now)),
            Err(error) => streams.say(format_args!("warning: {}", error.chain())),
        }
    }
    table
}

async fn follow(
    args: &GetArgs,
    selection: &Selection,
    cluster: &Cluster,
    streams: &mut Streams,
) -> Result<(), Error> {
    let kinds = match selection {
        Selection::Kinds(kinds) => kinds.clone(),
        Selection::Names(names) => Kind::ALL
            .into_iter()
            .filter(|kind| names.iter().any(|(other, _)| other == kind))
            .collect(),
    };
    let scope = Scope::of(args.all_namespaces);
    let watches = kinds.into_iter().map(|kind| {
        let mut config = watcher::Config::default();
        config.label_selector.clone_from(&args.selector);
        watcher(cluster.api(kind, scope), config)
            .default_backoff()
            .touched_objects()
            .map(move |object| (kind, object))
            .boxed()
    });
    let mut changes = stream::select_all(watches);
    while let Some((kind, object)) = changes.next().await {
        let object = object.map_err(|source| Error::Watch {
            what: format!("the objects of kind {kind}"),
            source,
        })?;
        if is_selected(selection, kind, &object) {
            print_change(&object, args, columns(kind, args, selection), streams)?;
        }
    }
    Ok(())
}

fn is_selected(selection: &Selection, kind: Kind, object: &DynamicObject) -> bool {
    match selection {
        Selection::Kinds(_) => true,
        Selection::Names(names) => names
            .iter()
            .any(|(other, name)| *other == kind && object.metadata.name.as_ref() == Some(name)),
    }
}

fn print_change(
    object: &DynamicObject,
    args: &GetArgs,
    columns: Columns,
    streams: &mut Streams,
) -> Result<(), Error> {
    match args.output {
        Format::Json => streams.data(&output::json(&whole(columns.kind, object)?)),
        Format::Yaml => streams.data(&output::yaml_stream(&[whole(columns.kind, object)?])),
        Format::Name => streams.line(
            columns
                .kind
                .reference(object.metadata.name.as_deref().unwrap_or_default()),
        ),
        Format::Table | Format::Wide => {
            let table = table(&[object], columns, &Time(Timestamp::now()), streams);
            streams.data(&table.render_rows(&table.widths()))
        }
    }
}
