//! Cases that are kept: a tree, and what the real kustomize made of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Order, Outcome, Tree};

/// A directory with `input/` and either `expected.yaml` (and `expected.legacy.yaml`) or `expected.error`; `input/app` is
/// built.
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

    /// What it expects, as the file that holds it.
    pub fn expected(&self, order: Order) -> Result<String> {
        let read = |name: &str| fs::read_to_string(self.directory.join(name));
        let legacy = (order == Order::Legacy)
            .then(|| read("expected.legacy.yaml").ok())
            .flatten();
        match legacy {
            Some(text) => Ok(text),
            None => read("expected.yaml")
                .with_context(|| format!("read what {} expects", self.directory.display())),
        }
    }

    /// Tells whether it expects a refusal.
    pub fn expects_error(&self) -> bool {
        self.directory.join("expected.error").is_file()
    }
}

/// The directory that is built: what `case.json` says, or `app`.
fn target(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("case.json")).unwrap_or_default();
    let case: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let target = case["target"].as_str().unwrap_or("app");
    target.trim_matches('/').trim_start_matches("./").to_owned()
}

/// Writes a tree and what came of it, in one order.
pub fn record(directory: &Path, tree: &Tree, outcome: &Outcome) -> Result<()> {
    tree.write(&directory.join("input"))?;
    let (name, text) = match outcome {
        Outcome::Objects(objects) => {
            let name = match tree.order {
                Order::Fifo => "expected.yaml",
                Order::Legacy => "expected.legacy.yaml",
            };
            let texts: Vec<String> = objects.iter().map(flux_kustomize::to_yaml).collect();
            (name, texts.join("---\n"))
        }
        Outcome::Error(message) | Outcome::Crash(message) => {
            ("expected.error", format!("{message}\n"))
        }
        Outcome::Hangs => ("expected.error", "it does not end\n".to_owned()),
    };
    fs::write(directory.join(name), text).with_context(|| format!("write {name}"))
}
