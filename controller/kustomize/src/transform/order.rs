//! The order of the objects.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::gvk::GvkRef;
use crate::kustomization::LegacySortOptions;
use crate::resource::{Resource, Resources};

/// Sorts by kind, as the `kustomize` command does; with the kinds that come first and last if given.
pub(crate) fn sort(resources: &mut Resources, options: Option<&LegacySortOptions>) {
    let ranks = options.map(ranks);
    let mut keyed: Vec<Keyed> = std::mem::take(&mut **resources)
        .into_iter()
        .map(|resource| Keyed::new(resource, ranks.as_ref()))
        .collect();
    keyed.sort_by(Keyed::compare);
    resources.extend(keyed.into_iter().map(|keyed| keyed.resource));
}

fn ranks(options: &LegacySortOptions) -> HashMap<&str, i64> {
    let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    let count = number(options.order_first.len());
    let first = options.order_first.iter().enumerate();
    let last = options.order_last.iter().enumerate();
    first
        .map(|(at, kind)| (kind.as_str(), number(at) - count))
        .chain(last.map(|(at, kind)| (kind.as_str(), number(at) + 1)))
        .collect()
}

struct Keyed {
    rank: i64,
    kind: String,
    id: String,
    /// Namespaces of the core come before those of other groups.
    is_namespace: bool,
    is_core: bool,
    resource: Resource,
}

impl Keyed {
    fn new(resource: Resource, ranks: Option<&HashMap<&str, i64>>) -> Self {
        let gvk: GvkRef<'_> = resource.gvk();
        Self {
            rank: match ranks {
                Some(ranks) => ranks.get(gvk.kind).copied().unwrap_or_default(),
                None => i64::from(gvk.rank()),
            },
            kind: gvk.stable_text(),
            id: resource.id().legacy_text(),
            is_namespace: gvk.kind == "Namespace",
            is_core: gvk.group.is_empty(),
            resource,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let kinds = self.kind.cmp(&other.kind);
        let kinds = if self.is_namespace && other.is_namespace && (self.is_core || other.is_core) {
            kinds.reverse()
        } else {
            kinds
        };
        self.rank
            .cmp(&other.rank)
            .then(kinds)
            .then_with(|| self.id.cmp(&other.id))
    }
}
