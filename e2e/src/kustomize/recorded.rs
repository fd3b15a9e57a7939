//! Cases that are kept: a tree, and what the real kustomize made of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Order, Outcome, Tree};

/// A directory with `input/`, and what kustomize made of `input/app` in both orders: `expected.yaml` and
/// `expected.legacy.yaml`, or `expected.error`.
#[derive(Debug)]
pub struct Recorded {
    /// The directory.
    pub directory: PathBuf,
    /// Its tree.
    pub tree: Tree,
}

impl Recorded {
    /// Reads all cases of a directory, in the order of their names.
    pub fn all(directory: &Path) -> Result<Vec<Self>> {
        let entries =
            fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))?;
        let mut directories: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        directories.sort();
        let mut all = Vec::new();
        for directory in directories {
            let input = directory.join("input");
            if !input.is_dir() {
                continue;
            }
            if let Some(tree) = Tree::read(&input, &target(&directory))? {
                all.push(Self { directory, tree });
            }
        }
        Ok(all)
    }

    /// What it expects in the order of its tree.
    pub fn expected(&self) -> Result<Outcome> {
        if let Ok(message) = fs::read_to_string(self.directory.join("expected.error")) {
            return Ok(Outcome::Error(message));
        }
        let path = self.directory.join(file_of(self.tree.order));
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let documents = flux_kustomize::parse_yaml(&bytes, "")?;
        let values = documents.into_iter().map(|document| document.value);
        Ok(Outcome::Objects(values.collect()))
    }
}

/// The file with the objects in an order.
fn file_of(order: Order) -> &'static str {
    match order {
        Order::Fifo => "expected.yaml",
        Order::Legacy => "expected.legacy.yaml",
    }
}

/// The directory that is built: what `case.json` says, or `app`.
fn target(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("case.json")).unwrap_or_default();
    let case: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let target = case["target"].as_str().unwrap_or("app");
    target.trim_matches('/').trim_start_matches("./").to_owned()
}

/// Writes what came of a tree, in one order.
pub fn record(directory: &Path, order: Order, outcome: &Outcome) -> Result<()> {
    let (name, text) = match outcome {
        Outcome::Objects(objects) => {
            let texts: Vec<String> = objects.iter().map(flux_kustomize::to_yaml).collect();
            (file_of(order), texts.join("---\n"))
        }
        Outcome::Error(message) | Outcome::Crash(message) => {
            ("expected.error", format!("{}\n", message.trim_end()))
        }
        Outcome::Hangs => ("expected.error", "it does not end\n".to_owned()),
    };
    fs::write(directory.join(name), text).with_context(|| format!("write {name}"))
}
