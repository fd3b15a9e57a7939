//! Other annotations for a workload: what Flux v1 calls its policies.

use std::collections::BTreeMap;

use flux_core::edit;

use super::{Made, Outcome, Status, Subject, verify::Expected};
use crate::{error, workload::spellings};

/// An annotation, by the name that it has without its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Annotation {
    /// `automated`, `locked` and the like.
    Set {
        /// The name.
        name: String,
        /// The value; none takes it away.
        value: Option<String>,
    },
    /// The filter of all containers.
    TagAll(Option<String>),
}

impl Annotation {
    /// Sets one.
    pub(crate) fn set(name: &str, value: &str) -> Self {
        Self::Set {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        }
    }

    /// Takes one away.
    pub(crate) fn remove(name: &str) -> Self {
        Self::Set {
            name: name.to_owned(),
            value: None,
        }
    }

    /// Filters the tags of a container; `*` takes the filter away.
    pub(crate) fn tag(container: &str, pattern: &str) -> Self {
        Self::Set {
            name: format!("tag.{container}"),
            value: filter(pattern),
        }
    }

    /// Filters the tags of all containers; `*` takes the filters away.
    pub(crate) fn tag_all(pattern: &str) -> Self {
        Self::TagAll(filter(pattern))
    }
}

fn filter(pattern: &str) -> Option<String> {
    (pattern != "*" && pattern != "glob:*").then(|| pattern.to_owned())
}

/// Writes the annotations into the file of the workload, unless they are there.
pub(super) fn make(subject: &Subject<'_>, annotations: &[Annotation]) -> Result<Made, Outcome> {
    let id = &subject.workload.id;
    let keys = keys(subject, annotations);
    if keys.is_empty() {
        return Err(Outcome::new(id, Status::Skipped, "no change"));
    }
    let mut bytes = subject
        .read(&subject.path)
        .map_err(|reason| Outcome::failed(id, reason))?;
    let mut lines = Vec::with_capacity(keys.len());
    for (key, value) in &keys {
        let edited = edit::set_annotation(
            &subject.path,
            &bytes,
            &subject.written,
            key,
            value.as_deref(),
        );
        let edited = edited.map_err(|error| Outcome::failed(id, error::chain(&error)))?;
        bytes = edited.bytes.unwrap_or(bytes);
        lines.push(match value {
            Some(value) => format!("{key}: {value}"),
            None => format!("{key} removed"),
        });
    }
    let mut files = subject.files.clone();
    files.insert(subject.path.clone(), bytes);
    Ok(Made {
        files,
        changes: Vec::new(),
        lines,
        expected: Expected::Annotations(keys),
    })
}

/// Returns the keys whose values differ. A key that is there already is used, by whatever prefix.
fn keys(subject: &Subject<'_>, annotations: &[Annotation]) -> BTreeMap<String, Option<String>> {
    let workload = &subject.workload;
    let mut keys = BTreeMap::new();
    let mut set = |name: &str, value: &Option<String>| {
        let spellings = spellings(name);
        let present: Vec<_> = spellings
            .iter()
            .filter(|key| workload.annotations.contains_key(*key))
            .collect();
        match value {
            None => keys.extend(present.into_iter().map(|key| (key.clone(), None))),
            Some(value) => {
                let key = present.first().copied().or(spellings.first());
                let is_new = |key: &&String| workload.annotations.get(*key) != Some(value);
                keys.extend(
                    key.filter(is_new)
                        .map(|key| (key.clone(), Some(value.clone()))),
                );
            }
        }
    };
    for annotation in annotations {
        match annotation {
            Annotation::Set { name, value } => set(name, value),
            Annotation::TagAll(value) => workload
                .containers
                .iter()
                .for_each(|container| set(&format!("tag.{}", container.name), value)),
        }
    }
    keys
}
