//! Whatever stands in the files: a build ends with objects or with errors.

use flux_kustomize::{MemoryTree, Options, Overlay, build, parse_yaml, to_yaml};
use proptest::prelude::*;
use serde_json::json;

/// Pieces of which YAML, paths and patches are made.
fn noise() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b",
        ":",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&x ",
        "*x",
        "<<: ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "\\",
        "#",
        "---\n",
        "!!int ",
        "0x1",
        "1e3",
        "~",
        "null",
        "$patch: delete",
        "metadata",
        "name: n",
        "kind: ConfigMap",
        "apiVersion: v1",
        "data",
        "..",
        "/",
        ".",
        "*",
        "=",
        "\u{feff}",
        "\u{85}",
        "é",
        "😀",
        "\t",
        "?",
        "%YAML 1.2\n",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in noise()) {
        if let Ok(documents) = parse_yaml(text.as_bytes(), "x") {
            for document in documents {
                let written = to_yaml(&document.value);
                let read = parse_yaml(written.as_bytes(), "x");
                prop_assert_eq!(&read.expect("our own text")[0].value, &document.value, "{}", written);
            }
        }
    }

    #[test]
    fn any_files_build_or_fail(kustomization in noise(), manifest in noise(), patch in noise()) {
        let manifest = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n}}\ndata:\n  a: b\n{manifest}");
        let tree = MemoryTree::new()
            .file("kustomization.yaml", format!("resources: [m.yaml]\npatches: [{{path: p.yaml, target: {{kind: .*}}}}]\n{kustomization}"))
            .file("m.yaml", manifest)
            .file("p.yaml", patch);
        let built = build(&tree, "", &Options::default());
        prop_assert!(built.is_ok_and(|build| !build.reads.is_empty()) || build(&tree, "", &Options::default()).is_err());
    }

    #[test]
    fn any_patch_and_path_ends(patch in noise(), path in "[a-z.\\[\\]=*0-9\\\\/-]{0,20}") {
        let tree = MemoryTree::new()
            .file("m.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: n}\nspec: {containers: [{name: a, image: b}], text: '{\"a\": [1]}'}\n")
            .file("c/kustomization.yaml", json!({
                "apiVersion": "kustomize.config.k8s.io/v1alpha1",
                "kind": "Component",
                "replacements": [{"source": {"kind": "Pod"}, "targets": [{"select": {"kind": "Pod"}, "fieldPaths": [path], "options": {"create": true}}]}],
            }).to_string());
        let overlay = Overlay {
            patches: vec![json!({"patch": patch, "target": {"kind": "Pod"}})],
            components: vec!["c".to_owned()],
            ..Overlay::default()
        };
        let options = Options { overlay, explain: true, ..Options::default() };
        if let Err(failure) = build(&tree, "", &options) {
            prop_assert!(!failure.errors.is_empty());
        }
    }
}
