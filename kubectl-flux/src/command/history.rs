//! `history` and `rollback`: the revisions of a Sync, and the way back to one.

use flux_crds::sync::{HistoryEntry, SyncResult};
use flux_crds::{Sync, Time};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Target,
    get::short_revision,
    reconcile::{Extent, look, reconcile},
    target::sync_name,
};
use crate::{
    age,
    args::{Connection, HistoryArgs, RollbackArgs},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    output::{self, Format},
    resource::Resource,
    streams::Streams,
    table::Table,
};

/// Characters of a commit id that are enough to name one.
const SHORTEST: usize = 4;

/// Prints the revisions of a Sync and how they ended.
pub(crate) async fn history(
    args: &HistoryArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let name = sync_name(&args.subject, "history")?;
    let cluster = Cluster::connect(connection).await?;
    let sync = read(&cluster, &name).await?;
    let entries = entries(&sync);
    match args.output {
        Format::Table | Format::Wide => streams.data(&table(&sync, args.output)),
        Format::Json => streams.data(&output::json(&value(entries))),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&value(entries))),
        Format::Name => entries
            .iter()
            .try_for_each(|entry| streams.line(&entry.revision)),
    }
}

/// Holds a Sync at an earlier revision, and shows what that changes.
pub(crate) async fn rollback(
    args: &RollbackArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let name = sync_name(&args.subject, "rollback")?;
    let cluster = Cluster::connect(connection).await?;
    let revision = choose(&*read(&cluster, &name).await?, args.to.as_deref())?;
    let target = Target {
        kind: Kind::Sync,
        namespace: cluster.namespace.clone(),
        name,
    };
    let looks = look(std::slice::from_ref(&target), &cluster).await?;
    let change = json!({"spec": {"revision": revision}});
    cluster.merge(Kind::Sync, &target.name, &change).await?;
    streams.line(format_args!("{target} rolled back to {revision}"))?;
    let name = &target.name;
    streams.hint(format_args!(
        "it stays there until kubectl flux resume sync {name}"
    ));
    if args.patience.no_wait {
        return Ok(());
    }
    reconcile(&looks, &cluster, (args.patience, Extent::Changed), streams).await
}

async fn read(cluster: &Cluster, name: &str) -> Result<Box<Sync>, Error> {
    let object = cluster.get(Kind::Sync, name).await?;
    match Resource::read(Kind::Sync, &object)? {
        Resource::Sync(sync) => Ok(sync),
        _ => Err(Error::Failed(format!("{name} is no sync"))),
    }
}

fn entries(sync: &Sync) -> &[HistoryEntry] {
    sync.status
        .as_ref()
        .map_or(&[], |status| &status.history[..])
}

fn value(entries: &[HistoryEntry]) -> Value {
    json!(entries)
}

fn table(sync: &Sync, format: Format) -> String {
    let is_wide = format == Format::Wide;
    let mut header = vec!["REVISION", "RESULT", "AGE", "CURRENT"];
    if is_wide {
        header.push("DIGEST");
    }
    let mut table = Table::new(header);
    let now = Timestamp::now();
    let mut shown = false;
    for entry in entries(sync) {
        let is_current = !shown && is_applied(entry) && Some(&entry.revision) == applied(sync);
        shown |= is_current;
        let mut row = vec![
            if is_wide {
                entry.revision.clone()
            } else {
                short_revision(entry.revision.clone())
            },
            format!("{:?}", entry.result),
            since(&entry.time, now),
            if is_current { "*" } else { "" }.to_owned(),
        ];
        if is_wide {
            row.push(entry.digest.clone().unwrap_or_default());
        }
        table.push(row);
    }
    table.render()
}

fn since(time: &Time, now: Timestamp) -> String {
    age::human(now.as_second() - time.0.as_second())
}

fn applied(sync: &Sync) -> Option<&String> {
    sync.status.as_ref()?.last_applied_revision.as_ref()
}

/// Tells whether the cluster was equal to the revision as a whole.
fn is_applied(entry: &HistoryEntry) -> bool {
    match entry.result {
        SyncResult::Applied | SyncResult::Unhealthy | SyncResult::Superseded => true,
        SyncResult::Failed | SyncResult::RolledBack => false,
    }
}

/// Returns the revision to go to: the one that `to` names, or the one that was applied before.
fn choose(sync: &Sync, to: Option<&str>) -> Result<String, Error> {
    let name = sync.metadata.name.as_deref().unwrap_or_default();
    let hint = format!("see kubectl flux history sync {name}");
    let mut fits = entries(sync).iter().filter(|entry| match to {
        Some(to) => is_meant(&entry.revision, to),
        None => is_applied(entry) && Some(&entry.revision) != applied(sync),
    });
    let Some(first) = fits.next() else {
        let message = match to {
            Some(to) => format!("no revision {to:?} is in the history of sync {name}"),
            None => format!("sync {name} has no revision to go back to"),
        };
        return Err(Error::usage(message, hint));
    };
    if to.is_some() && fits.any(|entry| entry.revision != first.revision) {
        let message = "more than one revision of the history begins like that";
        return Err(Error::usage(message, hint));
    }
    Ok(first.revision.clone())
}

/// Tells whether a person means a revision: all of it, its commit, or the beginning of the commit's id.
fn is_meant(revision: &str, text: &str) -> bool {
    let id = revision.rsplit(':').next().unwrap_or_default();
    revision == text || (text.len() >= SHORTEST && id.starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sync(history: &[(&str, SyncResult)]) -> Sync {
        let mut sync = Sync::test();
        let entry = |(id, result): &(&str, SyncResult)| HistoryEntry {
            revision: format!("main@sha1:{}", id.repeat(10)),
            digest: None,
            time: Time(Timestamp::UNIX_EPOCH),
            result: *result,
        };
        let history: Vec<_> = history.iter().map(entry).collect();
        let status = flux_crds::SyncStatus {
            last_applied_revision: history
                .iter()
                .find(|entry| is_applied(entry))
                .map(|entry| entry.revision.clone()),
            history,
            ..flux_crds::SyncStatus::default()
        };
        sync.status = Some(status);
        sync
    }

    #[test]
    fn without_a_word_it_is_the_one_applied_before() {
        let sync = sync(&[
            ("dddd", SyncResult::RolledBack),
            ("cccc", SyncResult::Applied),
            ("bbbb", SyncResult::Failed),
            ("aaaa", SyncResult::Applied),
        ]);
        assert!(choose(&sync, None).unwrap().ends_with("aaaa"));
    }

    #[test]
    fn a_commit_is_named_by_its_beginning() {
        let sync = sync(&[("cccc", SyncResult::Applied), ("aaaa", SyncResult::Applied)]);
        assert!(choose(&sync, Some("aaaaa")).unwrap().ends_with("aaaa"));
        assert!(choose(&sync, Some("aa")).is_err(), "too short to be meant");
        assert!(choose(&sync, Some("bbbb")).is_err());
    }

    #[test]
    fn there_may_be_nothing_to_go_back_to() {
        assert!(choose(&sync(&[("aaaa", SyncResult::Applied)]), None).is_err());
    }
}
