//! Finding the files to edit: thousands are looked at, few are parsed.

use std::collections::BTreeMap;

use flux_crds::image_policy::UpdateStrategy;
use flux_kustomize::{Entry, FileTree};
use regex::bytes::Regex;

use super::{Change, Error, PolicyName, Reason, Skip, Target, edit, marker};

/// What became of the files of a tree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    /// The files that changed with their new content, sorted by path.
    pub files: Vec<(String, Vec<u8>)>,
    /// What changed, in the order of the files.
    pub changes: Vec<Change>,
    /// What was left alone.
    pub skipped: Vec<Skip>,
    /// How many places were found for each policy, changed or not; each policy has an entry.
    pub places: BTreeMap<PolicyName, usize>,
}

/// Writes what the targets want into the YAML files of a tree, each below its own `path`.
///
/// A file that cannot be edited is left alone with a reason and does not keep others from being edited.
/// Links are not followed: what they lead to is edited where it is.
///
/// # Errors
/// A target's path does not exist or leads out of the tree, or the tree cannot be read.
pub fn tree(tree: &dyn FileTree, targets: &[Target]) -> Result<Edits, Error> {
    let mut walk = Walk {
        tree,
        targets: Vec::new(),
        edits: Edits::default(),
    };
    for target in targets {
        let root = normalise(&target.path)?;
        match tree.entry(&root).map_err(Error::Tree)? {
            Some(Entry::Directory | Entry::File) => {}
            _ if root.is_empty() => {}
            _ => return Err(Error::NoDirectory(target.path.clone())),
        }
        walk.edits.places.entry(target.policy.clone()).or_default();
        walk.targets.push(Looked::new(root, target));
    }
    for root in walk.roots() {
        match tree.entry(&root).map_err(Error::Tree)? {
            Some(Entry::File) => walk.file(&root)?,
            _ => walk.directory(&root)?,
        }
    }
    Ok(walk.edits)
}

/// Whether a file may hold a place of a target, by its bytes.
pub(super) fn concerns(path: &str, bytes: &[u8], target: &Target) -> bool {
    Looked::new(String::new(), target).concerns(path, bytes)
}

/// Takes `.` and `..` out of a path.
fn normalise(path: &str) -> Result<String, Error> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let parent = parts.pop();
                parent.ok_or_else(|| Error::Outside(path.to_owned()))?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// A target, where it looks, and what for.
struct Looked<'t> {
    root: String,
    target: &'t Target,
    /// Texts that all stand in a file with a place for this target.
    needles: Vec<Regex>,
}

impl<'t> Looked<'t> {
    fn new(root: String, target: &'t Target) -> Self {
        let PolicyName { namespace, name } = &target.policy;
        let image = target.name.path().rsplit('/').next().unwrap_or_default();
        let texts = match target.strategy {
            UpdateStrategy::Markers => vec![
                regex::escape(marker::KEY),
                // Spaces may stand between them.
                format!("{}.*{}", regex::escape(namespace), regex::escape(name)),
            ],
            UpdateStrategy::Annotations => vec![
                r"(fluxcd\.io|flux\.weave\.works)/automated".to_owned(),
                regex::escape(image),
            ],
            UpdateStrategy::Images => vec!["images".to_owned(), regex::escape(image)],
        };
        // A text that is escaped is an expression; if not, nothing is left out.
        let needles = texts
            .iter()
            .filter_map(|text| Regex::new(text).ok())
            .collect();
        Self {
            root,
            target,
            needles,
        }
    }

    fn is_above(&self, path: &str) -> bool {
        is_within(path, &self.root)
    }

    fn concerns(&self, path: &str, bytes: &[u8]) -> bool {
        self.is_above(path) && self.needles.iter().all(|needle| needle.is_match(bytes))
    }
}

fn is_within(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    root.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

struct Walk<'t> {
    tree: &'t dyn FileTree,
    targets: Vec<Looked<'t>>,
    edits: Edits,
}

impl Walk<'_> {
    /// Returns the directories to walk: none of them is within another one.
    fn roots(&self) -> Vec<String> {
        let mut roots: Vec<String> = self.targets.iter().map(|t| t.root.clone()).collect();
        roots.sort();
        roots.dedup();
        let is_inner = |root: &String| roots.iter().any(|r| r != root && is_within(root, r));
        roots
            .iter()
            .filter(|root| !is_inner(root))
            .cloned()
            .collect()
    }

    fn directory(&mut self, path: &str) -> Result<(), Error> {
        let mut directories = vec![path.to_owned()];
        while let Some(directory) = directories.pop() {
            let mut inner = Vec::new();
            for (name, entry) in self.tree.list(&directory).map_err(Error::Tree)? {
                let path = match directory.as_str() {
                    "" => name.clone(),
                    directory => format!("{directory}/{name}"),
                };
                match entry {
                    Entry::Directory => inner.push(path),
                    Entry::File if is_yaml(&name) => self.file(&path)?,
                    Entry::File | Entry::Symlink(_) | Entry::Submodule => {}
                }
            }
            directories.extend(inner.into_iter().rev());
        }
        self.edits.files.sort();
        Ok(())
    }

    fn file(&mut self, path: &str) -> Result<(), Error> {
        let bytes = self.tree.read(path).map_err(Error::Tree)?;
        let targets: Vec<&super::Target> = self
            .targets
            .iter()
            .filter(|target| target.concerns(path, &bytes))
            .map(|target| target.target)
            .collect();
        if targets.is_empty() {
            return Ok(());
        }
        match edit(path, &bytes, &targets) {
            Ok(edited) => {
                self.edits.changes.extend(edited.changes);
                self.edits.skipped.extend(edited.skipped);
                for (policy, places) in edited.places {
                    *self.edits.places.entry(policy).or_default() += places;
                }
                self.edits
                    .files
                    .extend(edited.bytes.map(|bytes| (path.to_owned(), bytes)));
            }
            Err(error) => self
                .edits
                .skipped
                .extend(unreadable(path, &targets, &error)),
        }
        Ok(())
    }
}

fn unreadable(path: &str, targets: &[&Target], error: &Error) -> Vec<Skip> {
    let line = match error {
        Error::Yaml(error) => error.line.unwrap_or(1),
        Error::Differs { line, .. } => *line,
        Error::LeftAlone(skip) => skip.line,
        Error::NoObject { .. }
        | Error::SeveralObjects { .. }
        | Error::NoContainer { .. }
        | Error::Outside(_)
        | Error::NoDirectory(_)
        | Error::Tree(_) => 1,
    };
    let skip = |target: &&Target| Skip {
        policy: Some(target.policy.clone()),
        path: path.to_owned(),
        line,
        object: None,
        reason: Reason::Unreadable(error.to_string()),
    };
    targets.iter().map(skip).collect()
}

fn is_yaml(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("yaml" | "yml")) || name == "Kustomization"
}
