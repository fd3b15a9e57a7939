use flux_kustomize::MemoryTree;
use rstest::rstest;

use super::*;

const MARKED: &str = "image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n";

fn at(path: &str) -> Target {
    Target {
        path: path.to_owned(),
        ..target(UpdateStrategy::Markers)
    }
}

fn paths(edits: &Edits) -> Vec<&str> {
    edits.files.iter().map(|(path, _)| path.as_str()).collect()
}

fn files() -> MemoryTree {
    MemoryTree::new()
        .file("apps/a.yaml", MARKED)
        .file("apps/deep/b.yml", MARKED)
        .file("apps/c.txt", MARKED)
        .symlink("apps/link.yaml", "a.yaml")
        .file("apps-too/d.yaml", MARKED)
}

#[rstest]
#[case("./apps", &["apps/a.yaml", "apps/deep/b.yml"])]
#[case("apps/", &["apps/a.yaml", "apps/deep/b.yml"])]
#[case("apps/../apps/deep", &["apps/deep/b.yml"])]
#[case("apps/a.yaml", &["apps/a.yaml"])]
#[case("", &["apps-too/d.yaml", "apps/a.yaml", "apps/deep/b.yml"])]
fn files_below_the_path_are_edited(#[case] path: &str, #[case] expected: &[&str]) {
    let edits = tree(&files(), &[at(path)]).unwrap();
    assert_eq!(paths(&edits), expected);
    assert_eq!(
        edits.places,
        BTreeMap::from([(policy("apps:app"), expected.len())])
    );
    assert_eq!(edits.changes.len(), expected.len());
}

#[rstest]
#[case("..", Reason::Outside)]
#[case("apps/../../x", Reason::Outside)]
#[case("nowhere", Reason::NoDirectory)]
#[case("apps/link.yaml", Reason::NoDirectory)]
fn a_path_that_is_none_does_not_keep_others_from_being_edited(
    #[case] path: &str,
    #[case] reason: Reason,
) {
    let edits = tree(&files(), &[at(path), at("apps")]).unwrap();
    assert_eq!(edits.files.len(), 2);
    assert_eq!(
        edits
            .skipped
            .iter()
            .map(|skip| &skip.reason)
            .collect::<Vec<_>>(),
        [&reason]
    );
    assert!(
        edits.skipped[0]
            .to_string()
            .starts_with(&format!("{path}: "))
    );
}

#[test]
fn a_broken_file_does_not_keep_others_from_being_edited() {
    let files = files().file("apps/broken.yaml", format!("a: [\n{MARKED}"));
    let edits = tree(&files, &[at("apps")]).unwrap();
    assert_eq!(edits.files.len(), 2);
    assert!(
        edits.skipped[0]
            .to_string()
            .starts_with("apps/broken.yaml:"),
        "{:?}",
        edits.skipped
    );
}

#[test]
fn a_file_of_several_targets_is_edited_once() {
    let web = Target {
        policy: policy("apps:web"),
        tag: "3.0.0".to_owned(),
        ..at("apps/deep")
    };
    let text = format!("{MARKED}b: x:1 # {{\"$imagepolicy\": \"apps:web\"}}\n");
    let files = MemoryTree::new()
        .file("apps/deep/a.yaml", text.as_str())
        .file("apps/b.yaml", text);
    let edits = tree(&files, &[at("apps"), web, at("apps")]).unwrap();
    let places = BTreeMap::from([(policy("apps:app"), 2), (policy("apps:web"), 1)]);
    assert_eq!(
        (edits.files.len(), edits.changes.len(), edits.places),
        (2, 3, places)
    );
}

#[test]
fn a_policy_without_a_place_is_counted_too() {
    let files = MemoryTree::new().file("a.yaml", "a: 1\n");
    let edits = tree(&files, &[at("")]).unwrap();
    assert_eq!(edits.places, BTreeMap::from([(policy("apps:app"), 0)]));
}

#[test]
fn a_large_tree_is_searched_and_not_parsed() {
    // A file that would be an error, if it were parsed.
    let mut files = files();
    for at in 0..20_000 {
        files = files.file(
            &format!("other/{}/{at}.yaml", at % 100),
            "a: [\n# no marker here\n",
        );
    }
    let edits = tree(&files, &[at("")]).unwrap();
    assert_eq!((edits.files.len(), edits.skipped.len()), (3, 0));
    assert!(is_of_interest(MARKED.as_bytes()) && !is_of_interest(b"a: [\n# no marker here\n"));
}
