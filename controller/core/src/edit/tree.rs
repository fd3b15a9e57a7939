//! Finding the files to edit: thousands are looked at, few are parsed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use flux_crds::image_policy::UpdateStrategy;
use flux_kustomize::{Entry, FileTree, TreeError};
use regex::bytes::Regex;

use super::{Change, Error, Memo, PolicyName, Reason, Skip, Target, edit, marker};
use crate::git::ObjectId;

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

/// Returns the id of the file or directory at a path, if the tree knows ids.
type Identify<'a> = dyn Fn(&str) -> Result<Option<ObjectId>, TreeError> + 'a;

/// Writes what the targets want into the YAML files of a tree, each below its own `path`.
///
/// A file that cannot be edited is left alone with a reason and does not keep others from being edited, nor does a path
/// that does not exist. Links are not followed: what they lead to is edited where it is.
///
/// # Errors
/// The tree cannot be read.
pub fn tree(tree: &dyn FileTree, targets: &[Target]) -> Result<Edits, Error> {
    tree_again(tree, targets, &mut Memo::default(), &|_| Ok(None))
}

/// Does the same without reading what is known to be of no interest; `id` returns the id of what the tree shows at a path.
///
/// # Errors
/// The tree cannot be read.
pub fn tree_again(
    tree: &dyn FileTree,
    targets: &[Target],
    memo: &mut Memo,
    id: &Identify<'_>,
) -> Result<Edits, Error> {
    memo.begin();
    let mut walk = Walk {
        tree,
        targets: Vec::new(),
        edits: Edits::default(),
        memo,
        id,
        of_interest: 0,
    };
    for target in targets {
        walk.edits.places.entry(target.policy.clone()).or_default();
        match root(tree, &target.path)? {
            Ok(root) => walk.targets.push(Looked::new(root, target)),
            Err(reason) => walk.edits.skipped.push(Skip {
                policy: Some(target.policy.clone()),
                path: target.path.clone(),
                line: 0,
                object: None,
                reason,
            }),
        }
    }
    for root in walk.roots() {
        match tree.entry(&root).map_err(Error::Tree)? {
            Some(Entry::File) => walk.file(&root)?,
            _ => walk.directory(&root)?,
        }
    }
    walk.edits.files.sort();
    Ok(walk.edits)
}

/// Whether a file may be of interest to any target, by its bytes alone.
///
/// The answer never changes for the same bytes, so that it can be kept by their id ([`Memo`]).
pub fn is_of_interest(bytes: &[u8]) -> bool {
    Signs::of(bytes).any()
}

/// Whether a file may hold a place of a target, by its bytes.
pub(super) fn concerns(bytes: &[u8], target: &Target) -> bool {
    has_sign(target.strategy, bytes) && Looked::new(String::new(), target).concerns(bytes)
}

static MARKER: LazyLock<Regex> = LazyLock::new(|| pattern(&regex::escape(marker::KEY)));
static AUTOMATED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(fluxcd\.io|flux\.weave\.works)/automated"));
static IMAGES: LazyLock<Regex> = LazyLock::new(|| pattern(r#"images["']?\s*:"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Whether a file has what all places of a strategy have.
fn has_sign(strategy: UpdateStrategy, bytes: &[u8]) -> bool {
    match strategy {
        UpdateStrategy::Markers => MARKER.is_match(bytes),
        UpdateStrategy::Annotations => AUTOMATED.is_match(bytes),
        UpdateStrategy::Images => IMAGES.is_match(bytes),
    }
}

/// Returns the directory that a target looks into, or why there is none.
fn root(tree: &dyn FileTree, path: &str) -> Result<Result<String, Reason>, Error> {
    let Some(root) = normalise(path) else {
        return Ok(Err(Reason::Outside));
    };
    Ok(match tree.entry(&root).map_err(Error::Tree)? {
        Some(Entry::Directory | Entry::File) => Ok(root),
        _ if root.is_empty() => Ok(root),
        Some(Entry::Symlink(_) | Entry::Submodule) | None => Err(Reason::NoDirectory),
    })
}

/// Takes `.` and `..` out of a path; `None` if it leads out.
fn normalise(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A target, where it looks, and what for.
struct Looked<'t> {
    root: String,
    target: &'t Target,
    /// What stands in a file with a place for this target; without it every file may be one.
    needle: Option<Regex>,
}

impl<'t> Looked<'t> {
    fn new(root: String, target: &'t Target) -> Self {
        let PolicyName { namespace, name } = &target.policy;
        let image = target.name.path().rsplit('/').next().unwrap_or_default();
        let text = match target.strategy {
            UpdateStrategy::Markers => {
                format!(
                    r"{}\s*:\s*{}",
                    regex::escape(namespace),
                    regex::escape(name)
                )
            }
            UpdateStrategy::Annotations | UpdateStrategy::Images => regex::escape(image),
        };
        Self {
            root,
            target,
            needle: Regex::new(&text).ok(),
        }
    }

    fn concerns(&self, bytes: &[u8]) -> bool {
        let needle = self.needle.as_ref();
        needle.is_none_or(|needle| needle.is_match(bytes))
    }
}

fn is_within(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    root.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The strategies that a file may hold places of: many targets share the answer.
struct Signs {
    markers: bool,
    annotations: bool,
    images: bool,
}

impl Signs {
    fn of(bytes: &[u8]) -> Self {
        Self {
            markers: has_sign(UpdateStrategy::Markers, bytes),
            annotations: has_sign(UpdateStrategy::Annotations, bytes),
            images: has_sign(UpdateStrategy::Images, bytes),
        }
    }

    fn any(&self) -> bool {
        self.markers || self.annotations || self.images
    }

    fn has(&self, strategy: UpdateStrategy) -> bool {
        match strategy {
            UpdateStrategy::Markers => self.markers,
            UpdateStrategy::Annotations => self.annotations,
            UpdateStrategy::Images => self.images,
        }
    }
}

struct Walk<'t> {
    tree: &'t dyn FileTree,
    targets: Vec<Looked<'t>>,
    edits: Edits,
    memo: &'t mut Memo,
    id: &'t Identify<'t>,
    /// Files so far that are of interest.
    of_interest: usize,
}

/// A step of the way through directories.
enum Step {
    Enter(String),
    /// All below it has been looked at; it is of no interest if no more files are than before.
    Leave(ObjectId, usize),
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
        let mut steps = vec![Step::Enter(path.to_owned())];
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(directory) => self.enter(&directory, &mut steps)?,
                Step::Leave(id, before) if self.of_interest == before => self.memo.remember(id),
                Step::Leave(..) => {}
            }
        }
        Ok(())
    }

    /// Looks at the files of a directory, and leaves the directories within for later.
    fn enter(&mut self, directory: &str, steps: &mut Vec<Step>) -> Result<(), Error> {
        if let Some(id) = (self.id)(directory).map_err(Error::Tree)? {
            if self.memo.knows(id) {
                return Ok(());
            }
            steps.push(Step::Leave(id, self.of_interest));
        }
        let mut inner = Vec::new();
        for (name, entry) in self.tree.list(directory).map_err(Error::Tree)? {
            let path = match directory {
                "" => name.clone(),
                directory => format!("{directory}/{name}"),
            };
            match entry {
                Entry::Directory => inner.push(Step::Enter(path)),
                Entry::File if is_yaml(&name) => self.file(&path)?,
                Entry::File | Entry::Symlink(_) | Entry::Submodule => {}
            }
        }
        steps.extend(inner.into_iter().rev());
        Ok(())
    }

    fn file(&mut self, path: &str) -> Result<(), Error> {
        let id = (self.id)(path).map_err(Error::Tree)?;
        if id.is_some_and(|id| self.memo.knows(id)) {
            return Ok(());
        }
        let bytes = self.tree.read(path).map_err(Error::Tree)?;
        let signs = Signs::of(&bytes);
        if signs.any() {
            self.of_interest += 1;
            self.edit(path, &bytes, &signs);
        } else if let Some(id) = id {
            self.memo.remember(id);
        }
        Ok(())
    }

    fn edit(&mut self, path: &str, bytes: &[u8], signs: &Signs) {
        let targets: Vec<&Target> = self
            .targets
            .iter()
            .filter(|looked| signs.has(looked.target.strategy) && is_within(path, &looked.root))
            .filter(|looked| looked.concerns(bytes))
            .map(|looked| looked.target)
            .collect();
        if targets.is_empty() {
            return;
        }
        match edit(path, bytes, &targets) {
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
    }
}

fn unreadable(path: &str, targets: &[&Target], error: &Error) -> Vec<Skip> {
    let line = match error {
        Error::Yaml(error) => error.line.unwrap_or(0),
        Error::Differs { line, .. } => *line,
        Error::LeftAlone(skip) => skip.line,
        Error::NoObject { .. }
        | Error::SeveralObjects { .. }
        | Error::NoContainer { .. }
        | Error::Tree(_) => 0,
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
