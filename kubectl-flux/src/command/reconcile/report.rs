//! What a reconcile changed: from the event that it leaves, or else from the inventories before and after.

use std::{collections::BTreeSet, time::Duration};

use flux_crds::Reason;
use k8s_openapi::api::core::v1::Event;
use kube::{Api, ResourceExt, api::ListParams};

use super::Target;
use crate::{cluster::Cluster, error::Error, kind::Kind, resource::Resource};

/// What there was before the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    revision: Option<String>,
    inventory: BTreeSet<String>,
    events: BTreeSet<String>,
}

impl Before {
    /// Looks at an object and its events.
    pub(crate) async fn look(
        resource: &Resource,
        target: &Target,
        cluster: &Cluster,
    ) -> Result<Self, Error> {
        let events = applied(target, cluster)
            .await?
            .iter()
            .map(ResourceExt::name_any)
            .collect();
        Ok(Self {
            revision: resource.revision(),
            inventory: inventory(resource),
            events,
        })
    }
}

/// Returns a line for each object that was created, configured or deleted.
pub(crate) async fn changes(
    before: &Before,
    after: &Resource,
    target: &Target,
    cluster: &Cluster,
) -> Result<Vec<String>, Error> {
    if target.kind != Kind::Sync {
        return Ok(Vec::new());
    }
    // The event is sent beside the status and may come a moment later.
    let attempts = if after.revision() == before.revision && inventory(after) == before.inventory {
        1
    } else {
        5
    };
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..attempts {
        pause.tick().await;
        let new: Vec<_> = applied(target, cluster)
            .await?
            .into_iter()
            .filter(|event| !before.events.contains(&event.name_any()))
            .collect();
        let lines: Vec<_> = new
            .iter()
            .filter_map(|event| event.message.as_deref())
            .flat_map(change_lines)
            .collect();
        if !lines.is_empty() {
            return Ok(lines);
        }
    }
    // An earlier pass may have applied it, and this one have found nothing to do.
    Ok(difference(&before.inventory, &inventory(after)))
}

async fn applied(target: &Target, cluster: &Cluster) -> Result<Vec<Event>, Error> {
    if target.kind != Kind::Sync {
        return Ok(Vec::new());
    }
    let api: Api<Event> = Api::namespaced(cluster.client.clone(), &target.namespace);
    let selector = format!(
        "involvedObject.kind={},involvedObject.name={}",
        target.kind.in_manifests(),
        target.name
    );
    let events = match api.list(&ListParams::default().fields(&selector)).await {
        Ok(events) => events,
        // Who may not read events still sees what the inventories tell.
        Err(kube::Error::Api(status)) if status.code == 403 => return Ok(Vec::new()),
        Err(source) => {
            return Err(Error::Api {
                action: "list events".into(),
                source,
            });
        }
    };
    Ok(events
        .items
        .into_iter()
        .filter(|event| event.reason.as_deref() == Some(Reason::Applied.as_str()))
        .collect())
}

/// The note of an event has a sentence and a line for each object.
fn change_lines(note: &str) -> Vec<String> {
    let is_change = |line: &&str| {
        let verbs = ["created", "configured", "recreated", "deleted"];
        let is_object = line
            .split_once(' ')
            .is_some_and(|(object, verb)| object.contains('/') && verbs.contains(&verb));
        is_object || line.starts_with("… and ")
    };
    note.lines()
        .map(str::trim)
        .filter(is_change)
        .map(str::to_owned)
        .collect()
}

fn inventory(resource: &Resource) -> BTreeSet<String> {
    let Resource::Sync(sync) = resource else {
        return BTreeSet::new();
    };
    let inventory = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref());
    inventory
        .into_iter()
        .flat_map(|inventory| &inventory.entries)
        .map(|entry| entry.id.clone())
        .collect()
}

fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let readable = |key: &String| {
        flux_core::object::ObjectId::parse_key(key)
            .map_or_else(|_| key.clone(), |id| id.to_string())
    };
    let created = after
        .difference(before)
        .map(|key| format!("{} created", readable(key)));
    let deleted = before
        .difference(after)
        .map(|key| format!("{} deleted", readable(key)));
    created.chain(deleted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_event_are_its_objects() {
        let note = "applied revision main@sha1:5f701c1a in 0.2s\nConfigMap/shop/web created\nDeployment/shop/web configured\n… and 3 more";
        let lines = change_lines(note).join("\n");
        insta::assert_snapshot!(lines, @r"
        ConfigMap/shop/web created
        Deployment/shop/web configured
        … and 3 more
        ");
    }

    #[test]
    fn without_an_event_the_inventories_tell() {
        let keys = |keys: &[&str]| {
            keys.iter()
                .map(|&key| key.to_owned())
                .collect::<BTreeSet<_>>()
        };
        let lines = difference(
            &keys(&["shop_old__ConfigMap", "shop_web_apps_Deployment"]),
            &keys(&["shop_web_apps_Deployment", "_shop__Namespace"]),
        );
        insta::assert_snapshot!(lines.join("\n"), @r"
        Namespace/shop created
        ConfigMap/shop/old deleted
        ");
    }
}
