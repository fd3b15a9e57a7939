//! Which objects a verb acts on.

use std::fmt;

use crate::{
    args::TargetArgs,
    cluster::{Cluster, Scope, place},
    error::Error,
    kind::{Kind, Selection},
};

/// One object to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
}

impl Target {
    /// Returns the error that it does not exist.
    pub(crate) fn not_found(&self) -> Error {
        Error::NotFound {
            kind: self.kind,
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.reference(&self.name))
    }
}

/// Reads `NAME`, `sync NAME` or `sync/NAME`, for a verb that acts on one Sync.
pub(crate) fn sync_name(words: &[String], verb: &str) -> Result<String, Error> {
    let hint = format!("write kubectl flux {verb} sync NAME");
    match words {
        [name] if !name.contains('/') => Ok(name.clone()),
        words => match Selection::read(words)? {
            Selection::Names(names) => match names.as_slice() {
                [(Kind::Sync, name)] => Ok(name.clone()),
                _ => Err(Error::usage(format!("{verb} is for a sync"), hint)),
            },
            Selection::Kinds(_) => Err(Error::usage("no name is given", hint)),
        },
    }
}

/// What the words of the command line ask to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Targets {
    selection: Selection,
    scope: Scope,
}

impl Targets {
    /// Reads the words. Whole kinds must be asked for with `--all`.
    pub(crate) fn read(args: &TargetArgs) -> Result<Self, Error> {
        let selection = Selection::read(&args.resources)?;
        match (&selection, args.all) {
            (Selection::Kinds(_), false) => Err(Error::usage(
                "no name is given",
                "name an object, or act on all of them with --all",
            )),
            (Selection::Names(_), true) => Err(Error::usage(
                "both a name and --all are given",
                "leave one of them out",
            )),
            (Selection::Names(_), false) | (Selection::Kinds(_), true) => Ok(Self {
                selection,
                scope: Scope::of(args.all_namespaces),
            }),
        }
    }

    /// Returns the objects to act on. Those that are named may not exist.
    pub(crate) async fn find(self, cluster: &Cluster) -> Result<Vec<Target>, Error> {
        match self.selection {
            Selection::Names(names) => {
                let target = |(kind, name)| Target {
                    kind,
                    namespace: cluster.namespace.clone(),
                    name,
                };
                Ok(names.into_iter().map(target).collect())
            }
            Selection::Kinds(_) => {
                let objects = cluster.select(&self.selection, self.scope, None).await?;
                Ok(objects
                    .iter()
                    .map(|(kind, object)| target_of(*kind, place(object)))
                    .collect())
            }
        }
    }
}

fn target_of(kind: Kind, (namespace, name): (String, String)) -> Target {
    Target {
        kind,
        namespace,
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_can_be_named_in_three_ways() {
        let name = |words: &[&str]| {
            sync_name(
                &words
                    .iter()
                    .map(|&word| word.to_owned())
                    .collect::<Vec<_>>(),
                "tree",
            )
            .ok()
        };
        assert_eq!(name(&["apps"]).as_deref(), Some("apps"));
        assert_eq!(name(&["sync", "apps"]).as_deref(), Some("apps"));
        assert_eq!(name(&["sync/apps"]).as_deref(), Some("apps"));
        assert_eq!(name(&["git", "fleet"]), None);
        assert_eq!(name(&["git/fleet"]), None);
    }
}
