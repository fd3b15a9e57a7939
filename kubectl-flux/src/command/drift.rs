//! `drift`: what in the cluster differs from what syncs applied, and who did it.
//!
//! Two sources: what the controller noted in the status, which knows the fields, and the live objects, compared with the
//! record of the last apply by their metadata alone. Nothing is built, and no manifest is read.

use std::collections::BTreeMap;

use flux_core::{
    hash::owned_hash,
    inventory::Inventory,
    live::Metadata,
    managed_fields::{own_entry, thieves},
    owner::Owner,
};
use flux_crds::{Sync, sync::ObjectDrift};
use flux_engine::cluster::{self, Actor, Connection as Target, survey::survey};
use serde_json::{Value, json};

use super::target::sync_name;
use crate::{
    args::{Connection, DriftArgs},
    cluster::{Cluster, Scope, place},
    error::Error,
    kind::Kind,
    output::{self, Format},
    resource::Resource,
    streams::Streams,
    table::Table,
};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    sync: String,
    object: String,
    change: &'static str,
    by: String,
    fields: Vec<String>,
}

/// Prints what differs.
pub(crate) async fn run(
    args: &DriftArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let syncs = syncs(args, &cluster).await?;
    let target = Target::new(cluster.client.clone()).acting_as(Actor::Own);
    let mut rows = Vec::new();
    for sync in &syncs {
        if sync.spec.kube_config.is_some() {
            let name = of(sync).name;
            streams.say(format_args!(
                "note: {name} applies to another cluster; only what its status says is shown"
            ));
            rows.extend(noted(sync));
            continue;
        }
        rows.extend(differences(sync, &target).await?);
    }
    if rows.is_empty() {
        streams.say(format_args!("nothing differs from what was applied"));
    }
    print(&rows, args, streams)
}

async fn syncs(args: &DriftArgs, cluster: &Cluster) -> Result<Vec<Sync>, Error> {
    let objects = if args.subject.is_empty() {
        let scope = Scope::of(args.all_namespaces);
        cluster.list(Kind::Sync, scope, None).await?
    } else {
        let name = sync_name(&args.subject, "drift")?;
        vec![cluster.get(Kind::Sync, &name).await?]
    };
    let mut syncs = Vec::with_capacity(objects.len());
    for object in &objects {
        match Resource::read(Kind::Sync, object)? {
            Resource::Sync(sync) => syncs.push(*sync),
            _ => return Err(Error::Failed(format!("{} is no sync", place(object).1))),
        }
    }
    Ok(syncs)
}

fn of(sync: &Sync) -> Owner {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Owner {
        namespace: text(&sync.metadata.namespace),
        name: text(&sync.metadata.name),
    }
}

/// Returns what the controller has found.
fn noted(sync: &Sync) -> Vec<Row> {
    let drift = sync.status.as_ref().map_or(&[][..], |status| &status.drift);
    let row = |drift: &ObjectDrift| Row {
        sync: of(sync).to_string(),
        object: drift.object.clone(),
        change: if drift.paths.is_empty() && drift.manager.is_none() {
            "deleted"
        } else {
            "changed"
        },
        by: drift.manager.clone().unwrap_or_default(),
        fields: drift.paths.clone(),
    };
    drift.iter().map(row).collect()
}

/// Returns what differs now, with the fields of what the controller has found as well.
async fn differences(sync: &Sync, target: &cluster::Cluster) -> Result<Vec<Row>, Error> {
    let status = sync.status.as_ref();
    let Some(inventory) = status.and_then(|status| status.inventory.as_ref()) else {
        return Ok(Vec::new());
    };
    let inventory = Inventory::from_status(inventory)
        .map_err(|error| Error::Failed(format!("the inventory cannot be read: {error}")))?;
    let mut known: BTreeMap<String, Row> = noted(sync)
        .into_iter()
        .map(|row| (row.object.clone(), row))
        .collect();
    let live = survey(target, &of(sync), inventory.0.keys()).await;
    let live = live.map_err(|source| Error::Engine {
        action: "list what lives".into(),
        source,
    })?;
    let mut rows = Vec::new();
    for (id, entry) in &inventory.0 {
        let Some(record) = entry.record.filter(|_| live.covers(id)) else {
            rows.extend(known.remove(&id.to_string()));
            continue;
        };
        let found = live.live.get(id);
        if found.is_some_and(|live| owned_hash(&live.managed_fields) == Some(record.owned)) {
            continue;
        }
        let row = known.remove(&id.to_string());
        rows.push(row.unwrap_or_else(|| Row {
            sync: of(sync).to_string(),
            object: id.to_string(),
            change: found.map_or("deleted, or lost its label", |_| "changed"),
            by: found.map(by).unwrap_or_default(),
            fields: Vec::new(),
        }));
    }
    Ok(rows)
}

/// Returns who wrote after our last apply.
fn by(live: &Metadata) -> String {
    let since = own_entry(&live.managed_fields).and_then(|entry| entry.time.as_deref());
    thieves(&live.managed_fields, since).join(", ")
}

fn print(rows: &[Row], args: &DriftArgs, streams: &mut Streams) -> Result<(), Error> {
    match args.output {
        Format::Table | Format::Wide if rows.is_empty() => Ok(()),
        Format::Table | Format::Wide => streams.data(&table(rows)),
        Format::Json => streams.data(&output::json(&value(rows))),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&value(rows))),
        Format::Name => rows.iter().try_for_each(|row| streams.line(&row.object)),
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(vec!["SYNC", "OBJECT", "CHANGE", "BY", "FIELDS"]);
    for row in rows {
        table.push(vec![
            row.sync.clone(),
            row.object.clone(),
            row.change.to_owned(),
            row.by.clone(),
            row.fields.join(", "),
        ]);
    }
    table.render()
}

fn value(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({"sync": row.sync, "object": row.object, "change": row.change,
            "manager": row.by, "paths": row.fields})
    };
    rows.iter().map(row).collect()
}

/// Returns what the controller has found, as notes for other verbs.
pub(super) fn notes(sync: &Sync) -> Vec<String> {
    let note = |row: Row| {
        let by = if row.by.is_empty() {
            String::new()
        } else {
            format!(" by {}", row.by)
        };
        let fields = if row.fields.is_empty() {
            String::new()
        } else {
            format!(": {}", row.fields.join(", "))
        };
        format!("{} was {}{by}{fields}", row.object, row.change)
    };
    noted(sync).into_iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sync() -> Sync {
        let status = json!({"drift": [
            {"object": "Deployment/shop/web", "manager": "kubectl-edit", "paths": ["spec.replicas"]},
            {"object": "ConfigMap/shop/gone"},
        ]});
        let mut sync = Sync::test().named("apps").in_namespace("flux");
        sync.status = serde_json::from_value(status).unwrap();
        sync
    }

    #[test]
    fn a_table_says_what_was_done_to_which_object_and_by_whom() {
        insta::assert_snapshot!(table(&noted(&sync())), @r"
        SYNC        OBJECT                CHANGE    BY             FIELDS
        flux/apps   Deployment/shop/web   changed   kubectl-edit   spec.replicas
        flux/apps   ConfigMap/shop/gone   deleted   -              -
        ");
    }

    #[test]
    fn notes_are_sentences() {
        assert_eq!(
            notes(&sync()),
            [
                "Deployment/shop/web was changed by kubectl-edit: spec.replicas",
                "ConfigMap/shop/gone was deleted"
            ]
        );
    }
}
