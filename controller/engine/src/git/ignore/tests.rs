use super::*;

fn nothing(_: &str) -> Option<Vec<u8>> {
    None
}

#[test]
fn files_of_git_are_hidden_everywhere() {
    let rules = Rules::new(None);
    assert!(!rules.shows(".gitignore", false, &nothing));
    assert!(!rules.shows("a/.gitattributes", false, &nothing));
    assert!(!rules.shows("a/.git/config", false, &nothing));
    assert!(rules.shows("a/.github/x.yaml", false, &nothing));
    assert!(rules.digest("", &nothing).is_none());
}

#[test]
fn everything_but_one_directory_can_be_ignored() {
    let rules = Rules::new(Some("/*\n!/deploy\n/deploy/**/*.md\n"));
    assert!(rules.shows("deploy", true, &nothing));
    assert!(rules.shows("deploy/a/b.yaml", false, &nothing));
    assert!(!rules.shows("deploy/a/b.md", false, &nothing));
    assert!(!rules.shows("other/b.yaml", false, &nothing));
    assert!(!rules.shows("x.yaml", false, &nothing));
}

#[test]
fn a_file_within_a_hidden_directory_cannot_be_shown_again() {
    let rules = Rules::new(Some("secret/\n!secret/x.yaml\n"));
    assert!(!rules.shows("secret/x.yaml", false, &nothing));
    assert!(
        rules.shows("secret", false, &nothing),
        "a file is not a directory"
    );
}

#[test]
fn rules_of_a_directory_hold_below_it_only() {
    let read = |path: &str| (path == "a/.sourceignore").then(|| b"*.txt\n/top.yaml\n".to_vec());
    let rules = Rules::new(None);
    assert!(!rules.shows("a/b/x.txt", false, &read));
    assert!(!rules.shows("a/top.yaml", false, &read));
    assert!(rules.shows("a/b/top.yaml", false, &read));
    assert!(rules.shows("x.txt", false, &read));
    assert!(rules.digest("", &read).is_none());
    assert!(rules.digest("a/b", &read).is_some());
}

#[test]
fn deeper_rules_and_spec_ignore_have_the_last_word() {
    let read = |path: &str| match path {
        ".sourceignore" => Some(b"*.txt\n".to_vec()),
        "a/.sourceignore" => Some(b"!keep.txt\n".to_vec()),
        _ => None,
    };
    let rules = Rules::new(None);
    assert!(rules.shows("a/keep.txt", false, &read));
    assert!(!rules.shows("a/other.txt", false, &read));
    let rules = Rules::new(Some("keep.txt\n!.gitignore\n"));
    assert!(!rules.shows("a/keep.txt", false, &read));
    assert!(rules.shows(".gitignore", false, &read));
}

#[test]
fn other_rules_have_another_digest() {
    let digest = |text| Rules::new(Some(text)).digest("", &nothing);
    assert_eq!(digest("*.md"), digest("*.md"));
    assert_ne!(digest("*.md"), digest("*.txt"));
}
