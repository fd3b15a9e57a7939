use super::*;

/// The policy takes 2.x too; the tags it lets through, the best first.
fn target() -> Target {
    let tags = ["2.0.0", "1.5.0", "1.4.2", "1.4.1", "1.4.0"];
    Target {
        tag: "2.0.0".to_owned(),
        tags: tags.map(str::to_owned).to_vec(),
        ..super::target(UpdateStrategy::Annotations)
    }
}

#[test]
fn workloads_take_part_as_their_annotations_say() {
    let text = include_str!("files/flux-v1.yaml");
    let edited = file("x.yaml", text.as_bytes(), &[target()]).unwrap();
    insta::assert_snapshot!(shown(text, &edited));
}

#[test]
fn helm_releases_take_part_in_all_shapes() {
    let text = include_str!("files/helm-release-v1.yaml");
    let edited = file("x.yaml", text.as_bytes(), &[target()]).unwrap();
    insta::assert_snapshot!(shown(text, &edited));
}

#[test]
fn an_alias_is_edited_when_all_containers_of_it_take_part() {
    let workload = |name: &str, image: &str, automated: bool| {
        format!(
            "- apiVersion: v1\n  kind: Pod\n  metadata: {{name: {name}, annotations: {{fluxcd.io/automated: '{automated}'}}}}\n  \
             spec: {{containers: [{{name: app, image: {image}}}]}}\n"
        )
    };
    let list = |second: bool| {
        let (first, second) = (
            workload("a", "&image ghcr.io/org/app:1.4.0", true),
            workload("b", "*image", second),
        );
        format!("apiVersion: v1\nkind: List\nitems:\n{first}{second}")
    };
    let both = file("x.yaml", list(true).as_bytes(), &[target()]).unwrap();
    assert_eq!(
        text_of(&both),
        Some(list(true).replace("1.4.0", "2.0.0").as_str())
    );
    let one = file("x.yaml", list(false).as_bytes(), &[target()]).unwrap();
    assert_eq!(one.bytes, None);
    assert!(
        matches!(one.skipped[0].reason, Reason::Shared { line: 11, .. }),
        "{:?}",
        one.skipped
    );
}

#[test]
fn other_kinds_of_files_are_not_looked_at() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a, annotations: {fluxcd.io/automated: 'true'}}\n\
        spec: {containers: [{name: app, image: 'ghcr.io/org/app:1.4.0'}]}\n";
    let edited = file("x.yaml", crd.as_bytes(), &[target()]).unwrap();
    assert_eq!(edited, Edited::default());
}
