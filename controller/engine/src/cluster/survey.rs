//! What of an inventory lives: one metadata LIST per kind, selected by the owner's labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use flux_core::live::Metadata;
use flux_core::object::ObjectId;
use flux_core::owner::Owner;
use futures::{FutureExt as _, StreamExt as _};

use super::live;
use super::{Cluster, Error, Resource, at_once};

/// Objects of one kind that a single LIST of one namespace covers; with more namespaces, one LIST of all is cheaper.
const NAMESPACES_ONE_BY_ONE: usize = 2;

/// Requests of one survey under way at once.
const AT_ONCE: usize = 8;

/// The live objects of an owner.
#[derive(Debug, Default)]
pub struct Survey {
    /// Metadata by identity; an object of the inventory that is not here is missing, or carries other labels.
    pub live: HashMap<ObjectId, Metadata>,
    /// Kinds that the actor may not list: nothing is known about their objects.
    pub unseen: BTreeSet<(String, String)>,
}

impl Survey {
    /// Tells whether the survey can say anything about this object.
    pub fn covers(&self, id: &ObjectId) -> bool {
        !self.unseen.contains(&(id.group.clone(), id.kind.clone()))
    }
}

/// Lists what lives of `ids`. A kind that is not served any more has no objects. A kind that the actor may not list is
/// named in [`Survey::unseen`].
pub async fn survey<'a>(
    cluster: &Cluster,
    owner: &Owner,
    ids: impl IntoIterator<Item = &'a ObjectId>,
) -> Result<Survey, Error> {
    let mut kinds: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for id in ids {
        kinds
            .entry((&id.group, &id.kind))
            .or_default()
            .insert(&id.namespace);
    }
    let selector = owner.selector();
    let selector = &selector;
    let lists = kinds.into_iter().map(|((group, kind), namespaces)| {
        let list = async move {
            let found = list_kind(cluster, selector, (group, kind), &namespaces).await;
            ((group.to_owned(), kind.to_owned()), found)
        };
        list.boxed()
    });
    let mut lists = at_once(lists, AT_ONCE);
    let mut survey = Survey::default();
    while let Some(((group, kind), found)) = lists.next().await {
        match found {
            Ok(objects) => survey.live.extend(objects.into_iter().map(|metadata| {
                let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
                (
                    ObjectId {
                        group: group.clone(),
                        kind: kind.clone(),
                        namespace,
                        name,
                    },
                    metadata,
                )
            })),
            Err(error) if error.is_forbidden() => {
                survey.unseen.insert((group, kind));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(survey)
}

async fn list_kind(
    cluster: &Cluster,
    selector: &str,
    (group, kind): (&str, &str),
    namespaces: &BTreeSet<&str>,
) -> Result<Vec<Metadata>, Error> {
    let resource = cluster.kinds().preferred(group, kind).await?;
    if resource.namespaced && namespaces.len() > NAMESPACES_ONE_BY_ONE {
        match live::list(cluster, &resource, "", selector).await {
            Err(error) if error.is_forbidden() => {}
            listed => return listed,
        }
    }
    one_by_one(cluster, &resource, selector, namespaces).await
}

async fn one_by_one(
    cluster: &Cluster,
    resource: &Resource,
    selector: &str,
    namespaces: &BTreeSet<&str>,
) -> Result<Vec<Metadata>, Error> {
    let mut found = Vec::new();
    for namespace in namespaces {
        found.extend(live::list(cluster, resource, namespace, selector).await?);
    }
    Ok(found)
}
