//! Small trees in which this build once differed from kustomize, and what kustomize makes of them.
//!
//! `flux-e2e fuzz record` writes the expectations with the real kustomize.

use std::fs;
use std::path::{Path, PathBuf};

use flux_kustomize::{DirectoryTree, LoadRestriction, Options, Order, build, parse_yaml};
use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(directory).expect("the cases are beside this file");
    let mut cases: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    cases.sort();
    cases
}

/// Builds `input/app` as the `kustomize` command does.
fn built(case: &Path, order: Order) -> Result<Vec<Value>, String> {
    let options = Options {
        order,
        restriction: LoadRestriction::RootOnly,
        require_kustomization: true,
        ..Options::default()
    };
    let tree = DirectoryTree::new(case.join("input"));
    let built = build(&tree, "app", &options).map_err(|failure| failure.to_string())?;
    Ok(built
        .objects
        .into_iter()
        .map(|object| object.value)
        .collect())
}

fn documents(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).expect("a case has its expectations");
    let documents = parse_yaml(&bytes, "").expect("expectations are YAML");
    let documents = documents.into_iter();
    documents.map(|document| document.value).collect()
}

fn check(case: &Path) {
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    if let Ok(expected) = fs::read_to_string(case.join("expected.error")) {
        let result = built(case, Order::Fifo);
        assert!(result.is_err(), "{name} is to be refused: {expected}");
        return;
    }
    let fifo = case.join("expected.yaml");
    let legacy = case.join("expected.legacy.yaml");
    for (order, expected) in [(Order::Fifo, &fifo), (Order::Legacy, &legacy)] {
        assert_eq!(
            built(case, order),
            Ok(documents(expected)),
            "{name}, {order:?}"
        );
    }
}

#[test]
fn builds_equal_what_kustomize_makes_of_the_same_tree() {
    let cases = cases();
    assert!(cases.len() > 10, "the cases are found");
    for case in cases {
        check(&case);
    }
}
