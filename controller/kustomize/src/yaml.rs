//! YAML in and out.
//!
//! Kubernetes tools read YAML in dialects that differ from YAML 1.2 and from each other: see [`Dialect`].
//! The values that come out are those of JSON; what JSON cannot say is an error.

mod compose;
mod emit;
mod node;
mod outline;
mod scalar;

use serde_json::Value;

pub(crate) use compose::{Lines, parse_lines, parse_unique};
pub use emit::to_yaml;
pub(crate) use node::{Node as TextNode, Text};
pub use outline::{Comment, Content, Node, NodeId, Outline, Style, write_scalar};

use crate::Error;

/// Which scalars without quotes are more than strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Manifests: `yes`, `on` and `y` are strings; a key that stands twice is an error.
    Manifest,
    /// Kustomization files and JSON patches: `yes`, `on` and `y` are booleans; of a key that
    /// stands twice the last wins.
    Configuration,
    /// A text in a field of a manifest: like a manifest, but any plain value is a key.
    Text,
}

/// One document of a YAML stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The content; never null.
    pub value: Value,
    /// The line of its first node, from 1.
    pub line: usize,
    /// Plain values that are written in another way than they would be printed, such as `1.50`.
    pub(crate) notations: Vec<Notation>,
    /// Folded texts outside of lists, as they are before kustomize writes them.
    pub(crate) folded: Vec<Notation>,
}

/// How a plain value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notation {
    /// Where it is, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) text: String,
}

/// Reads all documents of a YAML or JSON stream, as Kubernetes tools read manifests.
///
/// Empty documents are left out. Aliases and merge keys are resolved, within bounds. `path` is
/// only used to say where an error is.
///
/// # Errors
/// Broken YAML, a key that stands twice or is no string, `.nan` and `.inf`, more than 255 levels
/// of nesting, aliases that expand to very much more than what was written.
///
/// ```
/// let documents = flux_kustomize::parse_yaml(b"mode: 0755\nready: yes\n---\na: 1\n", "x.yaml")?;
/// assert_eq!(documents[0].value, serde_json::json!({"mode": 493, "ready": "yes"}));
/// assert_eq!(documents[1].line, 4);
/// # Ok::<(), flux_kustomize::Error>(())
/// ```
pub fn parse_yaml(bytes: &[u8], path: &str) -> Result<Vec<Document>, Error> {
    parse(bytes, path, Dialect::Manifest)
}

/// Returns the value of a text without quotes in a manifest, if JSON has it.
pub(crate) fn resolve_plain(text: &str) -> Option<Value> {
    scalar::resolve(text, Dialect::Manifest).ok()
}

/// What becomes of a text whose field is folded, when kustomize writes it.
pub(crate) fn folded_again(text: &str) -> String {
    node::folded_again(text)
}

/// Tells whether a text in a manifest can only have stood in quotes, or as a block.
pub(crate) fn had_quotes(text: &str) -> bool {
    const MARKS: [char; 13] = [
        '*', '&', '!', '|', '>', '%', '@', '`', '{', '[', '#', ',', '"',
    ];
    let is_word = resolve_plain(text).is_some_and(|value| value == text);
    !is_word || text.contains(['\n', '\t']) || text.starts_with(MARKS)
}

/// Reads all documents of a stream in one of the dialects.
pub(crate) fn parse(bytes: &[u8], path: &str, dialect: Dialect) -> Result<Vec<Document>, Error> {
    compose::parse(bytes, path, dialect).map(without_empty)
}

/// Reads all documents of manifests that a build writes again; folded text is then not quite what it was.
pub(crate) fn parse_manifests(bytes: &[u8], path: &str) -> Result<Vec<Document>, Error> {
    compose::parse_manifests(bytes, path).map(without_empty)
}

fn without_empty(mut documents: Vec<Document>) -> Vec<Document> {
    documents.retain(|document| !document.value.is_null());
    documents
}
