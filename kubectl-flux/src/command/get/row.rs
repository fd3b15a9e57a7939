//! The columns of each kind.

use flux_crds::{ConditionType, Time};

use crate::{cluster::Scope, kind::Kind, resource::Resource};

/// What stands in front of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamePrefix {
    /// Nothing; the table has one kind.
    None,
    /// The kind, so that the name can be given to the next command.
    Kind,
}

/// The columns of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    /// The kind of every row.
    pub(crate) kind: Kind,
    /// Where the rows are from.
    pub(crate) scope: Scope,
    /// Whether there are more of them.
    pub(crate) is_wide: bool,
    /// What stands in front of a name.
    pub(crate) prefix: NamePrefix,
}

impl Columns {
    /// Returns the names of the columns.
    pub(crate) fn header(self) -> Vec<&'static str> {
        let mut header = Vec::new();
        if self.scope == Scope::All {
            header.push("NAMESPACE");
        }
        header.extend(["NAME", "READY"]);
        header.push(match self.kind {
            Kind::GitRepository | Kind::Sync => "REVISION",
            Kind::ImagePolicy => "IMAGE",
        });
        header.push("AGE");
        if self.is_wide {
            header.extend(match self.kind {
                Kind::GitRepository => ["SUSPENDED", "URL"].as_slice(),
                Kind::Sync => &["SUSPENDED", "SOURCE", "PATH", "OBJECTS"],
                Kind::ImagePolicy => &["SUSPENDED", "REPOSITORY"],
            });
        }
        header.push("MESSAGE");
        header
    }

    /// Returns the cells of one object.
    pub(crate) fn row(self, resource: &Resource, now: &Time) -> Vec<String> {
        let mut row = Vec::new();
        if self.scope == Scope::All {
            row.push(resource.namespace().to_owned());
        }
        row.push(match self.prefix {
            NamePrefix::None => resource.name().to_owned(),
            NamePrefix::Kind => format!("{}/{}", self.kind.word(), resource.name()),
        });
        let ready = resource.condition(ConditionType::Ready);
        row.push(
            ready
                .map_or("Unknown", |condition| condition.status.as_str())
                .to_owned(),
        );
        row.push(resource.revision().map(short_revision).unwrap_or_default());
        row.push(resource.age(now));
        if self.is_wide {
            row.push(
                if resource.is_suspended() {
                    "True"
                } else {
                    "False"
                }
                .to_owned(),
            );
            row.extend(more(resource));
        }
        row.push(if self.is_wide {
            message(resource)
        } else {
            shorten(message(resource))
        });
        row
    }
}

fn more(resource: &Resource) -> Vec<String> {
    match resource {
        Resource::GitRepository(repository) => vec![repository.spec.url.clone()],
        Resource::Sync(sync) => {
            let source = &sync.spec.source_ref;
            let source_name = source.namespace.as_ref().map_or_else(
                || source.name.clone(),
                |namespace| format!("{namespace}/{}", source.name),
            );
            let inventory = sync
                .status
                .as_ref()
                .and_then(|status| status.inventory.as_ref());
            let count = inventory.map_or(0, |inventory| inventory.entries.len());
            vec![source_name, sync.spec.path().to_owned(), count.to_string()]
        }
        Resource::ImagePolicy(policy) => vec![policy.spec.image.clone()],
    }
}

/// A suspended object does not say so in its conditions, so we do.
fn message(resource: &Resource) -> String {
    let message = resource
        .condition(ConditionType::Ready)
        .map_or("", |condition| condition.message.as_str());
    match (resource.is_suspended(), message.is_empty()) {
        (false, false) => message.to_owned(),
        (false, true) => "the controller has not seen it yet".to_owned(),
        (true, true) => "suspended".to_owned(),
        (true, false) => format!("suspended; {message}"),
    }
}

/// A list of errors would break every line of a terminal.
fn shorten(message: String) -> String {
    const SHOWN: usize = 160;
    match message.char_indices().nth(SHOWN) {
        Some((end, _)) => message.split_at(end).0.to_owned() + "…",
        None => message,
    }
}

/// Shortens the commit id of a revision as git does: `main@sha1:5f701c1`.
pub(crate) fn short_revision(revision: String) -> String {
    const SHOWN: usize = 8;
    match revision.rsplit_once(':') {
        Some((name, id)) if id.len() >= 40 && id.chars().all(|digit| digit.is_ascii_hexdigit()) => {
            format!("{name}:{}", id.chars().take(SHOWN).collect::<String>())
        }
        _ => revision,
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::{
        Condition, GitRepository, Sync,
        sync::{Inventory, InventoryEntry},
    };

    use super::*;
    use crate::table::Table;

    fn time(text: &str) -> Time {
        Time(text.parse().expect("a timestamp"))
    }

    fn ready(status: &str, message: &str) -> Condition {
        Condition {
            type_: "Ready".into(),
            status: status.into(),
            reason: "Succeeded".into(),
            message: message.into(),
            last_transition_time: time("2026-01-01T00:00:00Z"),
            observed_generation: None,
        }
    }

    fn applied_sync() -> Sync {
        let mut sync = Sync::test();
        sync.metadata.creation_timestamp = Some(time("2026-01-01T00:00:00Z"));
        let status = sync.status.get_or_insert_default();
        status
            .conditions
            .push(ready("True", "applied revision main@sha1:5f701c1a"));
        status.last_applied_revision =
            Some("main@sha1:5f701c1a9e1f0a4b7c6d8e9f0a1b2c3d4e5f6a7b".into());
        status.inventory = Some(Inventory {
            entries: vec![InventoryEntry::default(); 3],
        });
        sync
    }

    fn render(columns: Columns, resources: &[Resource]) -> String {
        let mut table = Table::new(columns.header());
        for resource in resources {
            table.push(columns.row(resource, &time("2026-01-01T00:05:00Z")));
        }
        table.render()
    }

    fn columns(kind: Kind) -> Columns {
        Columns {
            kind,
            scope: Scope::Namespace,
            is_wide: false,
            prefix: NamePrefix::None,
        }
    }

    #[test]
    fn a_table_of_syncs_shows_what_a_person_looks_for() {
        let new = Sync::test().named("new").suspended();
        let resources = [
            Resource::Sync(Box::new(applied_sync())),
            Resource::Sync(Box::new(new)),
        ];
        insta::assert_snapshot!(render(columns(Kind::Sync), &resources), @r"
        NAME   READY     REVISION             AGE   MESSAGE
        apps   True      main@sha1:5f701c1a   5m    applied revision main@sha1:5f701c1a
        new    Unknown   -                    -     suspended
        ");
    }

    #[test]
    fn a_wide_table_of_all_namespaces_shows_more() {
        let columns = Columns {
            is_wide: true,
            scope: Scope::All,
            prefix: NamePrefix::Kind,
            ..columns(Kind::Sync)
        };
        insta::assert_snapshot!(render(columns, &[Resource::Sync(Box::new(applied_sync()))]), @r"
        NAMESPACE   NAME        READY   REVISION             AGE   SUSPENDED   SOURCE   PATH   OBJECTS   MESSAGE
        default     sync/apps   True    main@sha1:5f701c1a   5m    False       fleet    ./     3         applied revision main@sha1:5f701c1a
        ");
    }

    #[test]
    fn a_repository_that_nobody_saw_says_so() {
        let resources = [Resource::GitRepository(Box::new(GitRepository::test()))];
        insta::assert_snapshot!(render(columns(Kind::GitRepository), &resources), @r"
        NAME    READY     REVISION   AGE   MESSAGE
        fleet   Unknown   -          -     the controller has not seen it yet
        ");
    }
}
