//! Which fields of which kinds each transformer works on.

mod fields;
mod references;

use std::sync::{Arc, LazyLock};

use crate::fieldspec::{self, FieldSpec};
use crate::gvk::Gvk;

/// The fields that transformers work on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) volume_claim_template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

/// A kind that other objects name, and the fields in which they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameReference {
    pub(crate) gvk: Gvk,
    pub(crate) referrers: Vec<FieldSpec>,
}

static BUILT_IN: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let mut config = fields::built_in();
    config.sort();
    Arc::new(config)
});

impl Config {
    /// Returns what is known without any configuration.
    pub(crate) fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Adds what another configuration has, each field once.
    ///
    /// # Errors
    /// A field that is to be created by the one and not by the other.
    pub(crate) fn merge(self: &Arc<Self>, other: &Arc<Self>) -> Result<Arc<Self>, String> {
        if Arc::ptr_eq(self, other) || **other == Self::default() {
            return Ok(Arc::clone(self));
        }
        if **self == Self::default() && Arc::ptr_eq(other, &BUILT_IN) {
            return Ok(Arc::clone(other));
        }
        let mut merged = Self::clone(self);
        for (into, new) in merged.lists().into_iter().zip(Self::clone(other).lists()) {
            fieldspec::merge(into, new)?;
        }
        for reference in &other.name_reference {
            let known = merged
                .name_reference
                .iter_mut()
                .find(|known| known.gvk == reference.gvk);
            match known {
                Some(known) => fieldspec::merge(&mut known.referrers, &reference.referrers)?,
                None => merged.name_reference.push(reference.clone()),
            }
        }
        merged.sort();
        Ok(Arc::new(merged))
    }

    fn lists(&mut self) -> [&mut Vec<FieldSpec>; 11] {
        [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.volume_claim_template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ]
    }

    pub(crate) fn sort(&mut self) {
        for list in self.lists() {
            list.sort_by(|a, b| a.gvk.as_ref().legacy_cmp(b.gvk.as_ref()));
        }
        self.name_reference
            .sort_by(|a, b| a.gvk.as_ref().legacy_cmp(b.gvk.as_ref()));
    }
}
