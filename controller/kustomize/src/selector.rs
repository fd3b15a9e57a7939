//! Which objects a target means.

mod labels;

use regex::Regex;

use crate::gvk::{GvkRef, IdRef};
use crate::kustomization::Selector;
use crate::resource::{Resource, Resources};

pub use labels::LabelSelector;

/// A selector that is ready to be used. Its parts are regular expressions for the whole text.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    annotations: LabelSelector,
    labels: LabelSelector,
}

impl Selection {
    /// Prepares a selector.
    ///
    /// # Errors
    /// A part that is no regular expression, or labels that are no label selector.
    pub(crate) fn new(selector: &Selector) -> Result<Self, String> {
        Ok(Self {
            group: anchored("group", &selector.group)?,
            version: anchored("version", &selector.version)?,
            kind: anchored("kind", &selector.kind)?,
            name: anchored("name", &selector.name)?,
            namespace: anchored("namespace", &selector.namespace)?,
            annotations: LabelSelector::parse(&selector.annotations)
                .map_err(|error| format!("annotationSelector: {error}"))?,
            labels: LabelSelector::parse(&selector.labels)
                .map_err(|error| format!("labelSelector: {error}"))?,
        })
    }

    /// Returns the objects that are meant. Names and namespaces may be the first or current ones.
    pub(crate) fn select(&self, resources: &Resources) -> Vec<usize> {
        let all = resources.iter().enumerate();
        all.filter(|(_, resource)| self.selects(resource))
            .map(|(at, _)| at)
            .collect()
    }

    fn selects(&self, resource: &Resource) -> bool {
        let ids = [resource.original_id(), resource.id()];
        ids.iter()
            .any(|id| fits(self.namespace.as_ref(), id.effective_namespace()))
            && ids.iter().any(|id| fits(self.name.as_ref(), id.name))
            && self.selects_kind(resource.gvk())
            && self.selects_texts(resource)
    }

    fn selects_kind(&self, gvk: GvkRef<'_>) -> bool {
        fits(self.group.as_ref(), gvk.group)
            && fits(self.version.as_ref(), gvk.version)
            && fits(self.kind.as_ref(), gvk.kind)
    }

    /// Whether an id is meant, whatever the labels and annotations are.
    pub(crate) fn selects_id(&self, id: IdRef<'_>) -> bool {
        self.selects_kind(id.gvk)
            && fits(self.name.as_ref(), id.name)
            && fits(self.namespace.as_ref(), id.namespace)
    }

    pub(crate) fn selects_texts(&self, resource: &Resource) -> bool {
        self.labels.matches(|key| resource.text("labels", key))
            && self
                .annotations
                .matches(|key| resource.text("annotations", key))
    }
}

fn anchored(part: &str, pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    Regex::new(&format!("^(?:{pattern})$"))
        .map(Some)
        .map_err(|_| format!("{part}: {pattern} is not a regular expression"))
}

fn fits(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}
