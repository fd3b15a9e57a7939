//! Kinds and names on the command line, which the grammar alone does not know.

use std::time::Duration;

use crate::{
    args::Connection,
    cluster::{Cluster, Scope, place},
    kind::{Kind, kind},
};

/// The verbs that take `[KIND] [NAME]`.
const VERBS: &[&str] = &[
    "get",
    "export",
    "delete",
    "suspend",
    "resume",
    "reconcile",
    "sync",
    "wait",
    "events",
    "history",
    "rollback",
];
/// Nobody waits longer for a completion.
const LIMIT: Duration = Duration::from_secs(2);

/// What the incomplete word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A kind.
    Kind,
    /// The name of an object.
    Name(Kind),
    /// Something that the grammar knows.
    Other,
}

/// The flags that take a word of their own.
const FLAGS_WITH_VALUES: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--kubeconfig",
    "--as",
    "--as-group",
    "-o",
    "--output",
    "-l",
    "--selector",
    "--timeout",
    "--for",
];

/// The words so far, read as far as they can be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    /// What the flags say about the cluster.
    pub(crate) connection: Connection,
    positional: Vec<String>,
    lacks_value: bool,
}

impl Words {
    /// Reads the words in front of the incomplete one.
    pub(crate) fn read(words: &[String]) -> Self {
        let mut read = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None if FLAGS_WITH_VALUES.contains(&word.as_str()) => {
                    (word.as_str(), words.next().cloned())
                }
                None => (word.as_str(), Some(String::new())),
            };
            if !flag.starts_with('-') {
                read.positional.push(word.clone());
                continue;
            }
            read.lacks_value = value.is_none();
            match flag {
                "-n" | "--namespace" => read.connection.namespace = value,
                "--context" => read.connection.context = value,
                "--kubeconfig" => read.connection.kubeconfig = value.map(Into::into),
                _ => {}
            }
        }
        read
    }

    /// Returns what the next word stands for.
    pub(crate) fn wanted(&self) -> Wanted {
        match self.positional.as_slice() {
            _ if self.lacks_value => Wanted::Other,
            [verb] if VERBS.contains(&verb.as_str()) => Wanted::Kind,
            [verb] if verb == "tree" => Wanted::Name(Kind::Sync),
            [verb, word, ..]
                if VERBS.contains(&verb.as_str()) || verb == "tree" || verb == "diff" =>
            {
                kind(word).map_or(Wanted::Other, Wanted::Name)
            }
            _ => Wanted::Other,
        }
    }
}

/// Returns the words for kinds, and what they are.
pub(crate) fn kinds() -> Vec<(String, String)> {
    let mut kinds: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (kind.word().to_owned(), kind.in_manifests()))
        .collect();
    kinds.push(("all".into(), "every kind".into()));
    kinds
}

/// Returns the names of the objects of a kind; none when the cluster does not answer in time.
pub(crate) async fn names(kind: Kind, connection: &Connection) -> Vec<String> {
    let listing = async {
        let cluster = Cluster::connect(connection).await?;
        cluster.list(kind, Scope::Namespace, None).await
    };
    let objects = tokio::time::timeout(LIMIT, listing)
        .await
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default();
    objects.iter().map(|object| place(object).1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Words {
        Words::read(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_kind_follows_the_verb_and_a_name_the_kind() {
        assert_eq!(read("get").wanted(), Wanted::Kind);
        assert_eq!(read("-n shop get -o yaml").wanted(), Wanted::Kind);
        assert_eq!(
            read("reconcile git").wanted(),
            Wanted::Name(Kind::GitRepository)
        );
        assert_eq!(read("delete sync apps").wanted(), Wanted::Name(Kind::Sync));
        assert_eq!(read("tree").wanted(), Wanted::Name(Kind::Sync));
    }

    #[test]
    fn everything_else_is_for_the_grammar() {
        for line in [
            "",
            "create",
            "create git",
            "build",
            "get deployment",
            "get git -o",
        ] {
            assert_eq!(read(line).wanted(), Wanted::Other, "{line}");
        }
    }

    #[test]
    fn the_cluster_is_that_of_the_flags() {
        let connection = read("get git --namespace=shop --context staging").connection;
        assert_eq!(connection.namespace.as_deref(), Some("shop"));
        assert_eq!(connection.context.as_deref(), Some("staging"));
    }
}
