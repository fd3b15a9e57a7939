//! What happened to an object: the one vocabulary of logs, events, the inventory and the plugin's tables.

use std::fmt;

use crate::object::ObjectId;

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It did not exist.
    Created,
    /// It existed and is different now.
    Configured,
    /// It was deleted and created again, because a field cannot be changed.
    Recreated,
    /// It was applied and nothing about it moved.
    Unchanged,
    /// It is left alone, as an annotation on it says.
    Skipped,
    /// It was deleted.
    Deleted,
}

impl Action {
    /// Returns the word that kubectl users know.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Recreated => "recreated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Deleted => "deleted",
        }
    }

    /// Tells whether the cluster is different for it.
    pub fn is_change(self) -> bool {
        match self {
            Self::Created | Self::Configured | Self::Recreated | Self::Deleted => true,
            Self::Unchanged | Self::Skipped => false,
        }
    }
}

/// One object and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// What was done.
    pub action: Action,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.action.as_str())
    }
}

/// Returns a line a change, the changes of the cluster only, within `limit` bytes; the last line says how many were left out.
pub fn summary(changes: &[Change], limit: usize) -> String {
    let lines: Vec<String> = changes
        .iter()
        .filter(|change| change.action.is_change())
        .map(ToString::to_string)
        .collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let left = lines.len() - index;
        let more = format!("… and {left} more");
        let room = limit.saturating_sub(text.len() + 1);
        let needed = if left == 1 {
            line.len()
        } else {
            line.len() + 1 + more.len()
        };
        if !text.is_empty() {
            text.push('\n');
        }
        if needed > room {
            text.push_str(&more);
            break;
        }
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, action: Action) -> Change {
        let (group, kind, namespace) = (String::new(), "ConfigMap".to_owned(), "a".to_owned());
        Change {
            id: ObjectId {
                group,
                kind,
                namespace,
                name: name.to_owned(),
            },
            action,
        }
    }

    #[test]
    fn a_summary_names_only_what_changed() {
        let changes = [
            change("x", Action::Created),
            change("y", Action::Unchanged),
            change("z", Action::Deleted),
        ];
        assert_eq!(
            summary(&changes, 1000),
            "ConfigMap/a/x created\nConfigMap/a/z deleted"
        );
    }

    #[test]
    fn a_summary_that_is_too_long_counts_the_rest() {
        let changes: Vec<_> = (0..100)
            .map(|index| change(&format!("n{index}"), Action::Created))
            .collect();
        let text = summary(&changes, 200);
        assert!(
            text.len() <= 200,
            "the limit holds, found {} bytes",
            text.len()
        );
        let shown = text.lines().count() - 1;
        assert!(
            text.ends_with(&format!("… and {} more", 100 - shown)),
            "{text}"
        );
    }
}
