//! Numbers and dates whose text is copied: it is the one that was written.

use flux_kustomize::{MemoryTree, Options, build};
use rstest::rstest;

const TARGET: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: to}\ndata: {text: x}\n";

fn copied(source: &str, more: &str) -> String {
    let replacement = "replacements:\n- source: {kind: ConfigMap, name: from, fieldPath: data.value}\n  targets: [{select: {name: to}, fieldPaths: [data.text]}]\n";
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            format!("resources: [from.yaml, to.yaml]\n{replacement}{more}"),
        )
        .file("from.yaml", source)
        .file("to.yaml", TARGET);
    let build = build(&tree, "", &Options::default()).expect("the build works");
    let text = build.objects.last().expect("the target").value["data"]["text"].clone();
    text.as_str().expect("text").to_owned()
}

#[rstest]
#[case("1.50")]
#[case("1.0")]
#[case("0755")]
#[case("1_000")]
#[case("1e3")]
#[case("True")]
#[case("2001-01-01")]
#[case("7")]
fn a_replacement_copies_the_text_as_it_is_written(#[case] text: &str) {
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: from}}\ndata: {{a: 1.20, value: {text}}}\n"
    );
    assert_eq!(copied(&map, ""), text);
    let list = format!(
        "kind: List\napiVersion: v1\nitems:\n- {{apiVersion: v1, kind: Pod, metadata: {{name: p}}}}\n- {}",
        map.trim_end().replace('\n', "\n  ")
    );
    assert_eq!(copied(&list, ""), text);
}

#[test]
fn what_a_patch_writes_counts() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from}\ndata: {value: 1.50}\n";
    let merge = "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: from}, data: {value: 2.50}}'}]\n";
    assert_eq!(copied(map, merge), "2.50");
    let json = "patches: [{target: {name: from}, patch: '[{op: add, path: /data/b, value: 1}]'}]\n";
    assert_eq!(
        copied(map, json),
        "1.5",
        "a JSON patch makes JSON of the object"
    );
}

#[rstest]
#[case("|\n  x", "x")]
#[case("|\n  x\n", "x\n")]
#[case("|\n  x\n  ", "x\n")]
#[case("|+\n  x\n\n", "x\n\n")]
#[case(">\n  x\n  y", "x y")]
fn a_block_at_the_end_of_a_file_ends_as_the_file_does(#[case] block: &str, #[case] text: &str) {
    let documents = flux_kustomize::parse_yaml(format!("a: {block}").as_bytes(), "x.yaml");
    assert_eq!(documents.expect("YAML")[0].value["a"], text);
}
