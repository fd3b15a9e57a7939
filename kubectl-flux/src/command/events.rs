//! `events`: what was told about objects.

use flux_crds::{Time, names::API_VERSION};
use futures::StreamExt as _;
use k8s_openapi::{api::core::v1::Event, jiff::Timestamp};
use kube::{
    Api,
    api::ListParams,
    runtime::{WatchStreamExt as _, watcher},
};

use crate::{
    args::{Connection, EventsArgs},
    cluster::{Cluster, Scope},
    error::Error,
    kind::{Kind, Selection},
    output::{self, Format, Whole},
    resource,
    streams::Streams,
    table::Table,
};

/// Prints the events of the selected objects, the oldest first.
pub(crate) async fn run(
    args: &EventsArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let selection = Selection::read(&args.resources)?;
    let cluster = Cluster::connect(connection).await?;
    let api = match Scope::of(args.all_namespaces) {
        Scope::Namespace => Api::namespaced(cluster.client.clone(), &cluster.namespace),
        Scope::All => Api::all(cluster.client.clone()),
    };
    let list = api
        .list(&ListParams::default())
        .await
        .map_err(Error::api("list events"))?;
    let mut events: Vec<_> = list
        .items
        .into_iter()
        .filter(|event| is_selected(event, &selection))
        .collect();
    events.sort_by_key(last_seen);
    if events.is_empty() && !args.watch {
        streams.say("no events found");
    }
    print(&events, args, streams)?;
    if args.watch {
        follow(api, &events, args, &selection, streams).await
    } else {
        Ok(())
    }
}

fn print(events: &[Event], args: &EventsArgs, streams: &mut Streams) -> Result<(), Error> {
    match args.output {
        Format::Table | Format::Wide if events.is_empty() => Ok(()),
        Format::Table | Format::Wide => {
            streams.data(&table(events, args, &Time(Timestamp::now())).render())
        }
        Format::Name => events.iter().try_for_each(|event| {
            streams.line(format_args!(
                "event/{}",
                event.metadata.name.as_deref().unwrap_or_default()
            ))
        }),
        Format::Json | Format::Yaml => {
            let values = events.iter().map(whole).collect::<Result<_, _>>()?;
            let value = Whole::Many(values).into_value();
            streams.data(&if args.output == Format::Json {
                output::json(&value)
            } else {
                flux_kustomize::to_yaml(&value)
            })
        }
    }
}

fn whole(event: &Event) -> Result<serde_json::Value, Error> {
    let name = event.metadata.name.as_deref().unwrap_or_default();
    let value = resource::value(event).map_err(|source| Error::Decode {
        object: format!("event/{name}"),
        source,
    })?;
    Ok(output::without_managed_fields(value))
}

/// Prints events that come, and those that come again.
async fn follow(
    api: Api<Event>,
    shown: &[Event],
    args: &EventsArgs,
    selection: &Selection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let widths = table(shown, args, &Time(Timestamp::now())).widths();
    let latest = shown.last().and_then(last_seen);
    let mut changes = watcher(api, watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .boxed();
    while let Some(event) = changes.next().await {
        let event = event.map_err(|source| Error::Watch {
            what: "events".into(),
            source,
        })?;
        if !is_selected(&event, selection) || (latest.is_some() && last_seen(&event) <= latest) {
            continue;
        }
        match args.output {
            Format::Table | Format::Wide => {
                let table = table(std::slice::from_ref(&event), args, &Time(Timestamp::now()));
                streams.data(&table.render_rows(&widths))?;
            }
            Format::Json => streams.data(&output::json(&whole(&event)?))?,
            Format::Yaml => streams.data(&output::yaml_stream(&[whole(&event)?]))?,
            Format::Name => print(std::slice::from_ref(&event), args, streams)?,
        }
    }
    Ok(())
}

fn table(events: &[Event], args: &EventsArgs, now: &Time) -> Table {
    let mut header = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    if args.all_namespaces {
        header.insert(0, "NAMESPACE");
    }
    let mut table = Table::new(header);
    for event in events {
        let seen = last_seen(event).map_or_else(String::new, |time| {
            crate::age::human(now.0.as_second() - time.as_second())
        });
        let object = &event.involved_object;
        let kind = object
            .kind
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let message = event.message.as_deref().unwrap_or_default();
        let mut row = vec![
            seen,
            event.type_.clone().unwrap_or_default(),
            event.reason.clone().unwrap_or_default(),
            format!("{kind}/{}", object.name.as_deref().unwrap_or_default()),
            if args.output == Format::Wide {
                message.replace('\n', "; ")
            } else {
                message.to_owned()
            },
        ];
        if args.all_namespaces {
            row.insert(0, object.namespace.clone().unwrap_or_default());
        }
        table.push(row);
    }
    table
}

fn is_selected(event: &Event, selection: &Selection) -> bool {
    let object = &event.involved_object;
    if object.api_version.as_deref() != Some(API_VERSION) {
        return false;
    }
    let is_kind = |kind: &Kind| object.kind.as_deref() == Some(kind.in_manifests().as_str());
    match selection {
        Selection::Kinds(kinds) => kinds.iter().any(is_kind),
        Selection::Names(names) => names
            .iter()
            .any(|(kind, name)| is_kind(kind) && object.name.as_ref() == Some(name)),
    }
}

/// An event of the new API has a time of its own and, when it came again, a series; one of the old API has two times.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref())
        .map(|time| time.0);
    series
        .or(event.last_timestamp.as_ref().map(|time| time.0))
        .or(event.event_time.as_ref().map(|time| time.0))
        .or(event
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::MicroTime,
    };

    use super::*;

    fn event(kind: &str, name: &str, message: &str) -> Event {
        let involved_object = ObjectReference {
            api_version: Some(API_VERSION.into()),
            kind: Some(kind.into()),
            name: Some(name.into()),
            namespace: Some("shop".into()),
            ..ObjectReference::default()
        };
        Event {
            involved_object,
            event_time: Some(MicroTime("2026-01-01T00:00:00Z".parse().expect("a time"))),
            type_: Some("Normal".into()),
            reason: Some("Applied".into()),
            message: Some(message.into()),
            ..Event::default()
        }
    }

    fn args(all_namespaces: bool, output: Format) -> EventsArgs {
        EventsArgs {
            resources: Vec::new(),
            all_namespaces,
            output,
            watch: false,
        }
    }

    #[test]
    fn a_table_shows_the_first_line_and_a_wide_one_all() {
        let events = [event(
            "Sync",
            "apps",
            "applied main@sha1:5f\nConfigMap/shop/web created",
        )];
        let now = &Time("2026-01-01T00:00:42Z".parse().expect("a time"));
        insta::assert_snapshot!(table(&events, &args(false, Format::Table), now).render(), @r"
        LAST SEEN   TYPE     REASON    OBJECT      MESSAGE
        42s         Normal   Applied   sync/apps   applied main@sha1:5f …
        ");
        insta::assert_snapshot!(table(&events, &args(true, Format::Wide), now).render(), @r"
        NAMESPACE   LAST SEEN   TYPE     REASON    OBJECT      MESSAGE
        shop        42s         Normal   Applied   sync/apps   applied main@sha1:5f; ConfigMap/shop/web created
        ");
    }

    #[test]
    fn events_of_other_objects_are_not_ours() {
        let all = Selection::Kinds(Kind::ALL.to_vec());
        let mut of_a_pod = event("Pod", "web", "");
        assert!(!is_selected(&of_a_pod, &all));
        of_a_pod.involved_object.api_version = Some("v1".into());
        assert!(!is_selected(&of_a_pod, &all));
        let one = Selection::Names(vec![(Kind::Sync, "apps".into())]);
        assert!(is_selected(&event("Sync", "apps", ""), &one));
        assert!(!is_selected(&event("Sync", "infra", ""), &one));
    }
}
