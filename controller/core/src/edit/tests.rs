use flux_kustomize::MemoryTree;
use rstest::rstest;

use super::*;

fn policy(text: &str) -> PolicyName {
    let (namespace, name) = text.split_once(':').unwrap();
    PolicyName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// What the policy `apps:app` wants: `ghcr.io/org/app:1.5.0`.
fn target() -> Target {
    Target {
        policy: policy("apps:app"),
        name: "ghcr.io/org/app".parse().unwrap(),
        tag: "1.5.0".to_owned(),
        digest: Some(format!("sha256:{}", "a".repeat(64))),
        mode: DigestMode::IfPinned,
        strategy: UpdateStrategy::Markers,
        tags: vec!["1.5.0".to_owned()],
        path: "./".to_owned(),
    }
}

fn edited(text: &str) -> Edited {
    file("x.yaml", text.as_bytes(), &[target()]).unwrap()
}

fn text_of(edited: &Edited) -> Option<&str> {
    edited
        .bytes
        .as_deref()
        .map(|bytes| std::str::from_utf8(bytes).unwrap())
}

#[rstest]
#[case::plain("image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::double("image: \"ghcr.io/org/app:1.4.0\"   #{\"$imagepolicy\":\"apps:app\"}")]
#[case::single(
    "image: 'ghcr.io/org/app:1.4.0' # { \"$imagepolicy\" : \" apps : app \" }\r\nb: 1\r\n"
)]
#[case::list("images:\n- ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n- other:1\n")]
#[case::flow("c: {name: app, image: ghcr.io/org/app:1.4.0} # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::flow_list("c: [ghcr.io/org/app:1.4.0, other] # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::bom("\u{feff}image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::more(
    "image: ghcr.io/org/app:1.4.0 # keep {\"$imagepolicy\": \"apps:app\", \"$openapi\": \"x\"} this\n"
)]
#[case::second_document(
    "a: 1\n---\n# none\n---\nimage: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n...\n"
)]
fn a_marked_image_changes_and_nothing_else(#[case] text: &str) {
    let edited = edited(text);
    assert_eq!(edited.skipped, []);
    assert_eq!(
        text_of(&edited),
        Some(text.replace("1.4.0", "1.5.0").as_str())
    );
    assert_eq!(edited.places, BTreeMap::from([(policy("apps:app"), 1)]));
}

#[test]
fn a_tree_is_edited_where_the_targets_look() {
    let text = "image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n";
    let files = MemoryTree::new()
        .file("apps/a.yaml", text)
        .file("apps/deep/b.yml", text)
        .file("apps/c.txt", text)
        .file("other/d.yaml", text);
    let target = Target {
        path: "./apps".to_owned(),
        ..target()
    };
    let edits = tree(&files, &[target]).unwrap();
    let paths: Vec<&str> = edits.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["apps/a.yaml", "apps/deep/b.yml"]);
    assert_eq!(edits.places, BTreeMap::from([(policy("apps:app"), 2)]));
}
