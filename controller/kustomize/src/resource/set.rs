//! All resources of a kustomization, no two of the same id.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Resource;
use crate::budget::Budget;
use crate::gvk::IdRef;
use crate::options::Scopes;
use crate::schema::Custom;

/// Resources in order.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    /// Types besides those of Kubernetes, for merging.
    pub(crate) schema: Option<Arc<Custom>>,
    /// Whether the definitions among them tell the scopes of kinds.
    pub(crate) scopes: Scopes,
    /// What may still be spent on changes.
    pub(crate) budget: Budget,
    /// Current ids; not there when a change may have made it wrong.
    index: Option<HashMap<String, usize>>,
}

impl Deref for Resources {
    type Target = Vec<Resource>;

    fn deref(&self) -> &Vec<Resource> {
        &self.list
    }
}

impl DerefMut for Resources {
    fn deref_mut(&mut self) -> &mut Vec<Resource> {
        self.index = None;
        &mut self.list
    }
}

impl Resources {
    /// Adds a resource.
    ///
    /// # Errors
    /// There is one with the same id.
    pub(crate) fn add(&mut self, resource: Resource) -> Result<(), String> {
        let list = &self.list;
        let index = self.index.get_or_insert_with(|| {
            let ids = list.iter().enumerate();
            ids.map(|(at, known)| (known.id().key(), at)).collect()
        });
        let key = resource.id().key();
        if let Some(known) = index.get(&key).and_then(|at| list.get(*at)) {
            return Err(duplicate(&resource, known));
        }
        index.insert(key, list.len());
        self.list.push(resource);
        Ok(())
    }

    /// Finds resources that have or had an id that fits.
    pub(crate) fn by_any_id(&self, fits: impl Fn(IdRef<'_>) -> bool) -> Vec<usize> {
        let all = self.list.iter().enumerate();
        all.filter(|(_, resource)| resource.any_ids().any(&fits))
            .map(|(at, _)| at)
            .collect()
    }

    /// Checks that no two resources have the same id.
    pub(crate) fn check_unique(&self) -> Result<(), String> {
        let mut seen: HashMap<String, &Resource> = HashMap::with_capacity(self.list.len());
        for resource in &self.list {
            if let Some(known) = seen.insert(resource.id().key(), resource) {
                return Err(duplicate(resource, known));
            }
        }
        Ok(())
    }

    pub(crate) fn into_list(self) -> Vec<Resource> {
        self.list
    }
}

fn duplicate(resource: &Resource, known: &Resource) -> String {
    format!(
        "{} of {} is there already, from {}",
        resource.id(),
        resource.origin,
        known.origin
    )
}
