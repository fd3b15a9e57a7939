use flux_kustomize::{MemoryTree, Options, build};

use super::*;

fn objects(yaml: &str) -> Vec<Object> {
    build(
        &MemoryTree::new().file("a.yaml", yaml),
        "",
        &Options::default(),
    )
    .unwrap()
    .objects
}

fn owner() -> Owner {
    Owner {
        namespace: "flux-system".into(),
        name: "web".into(),
    }
}

fn scopes(entries: &[(&str, &str, Scope)]) -> Scopes {
    entries
        .iter()
        .map(|(version, kind, scope)| (((*version).to_owned(), (*kind).to_owned()), *scope))
        .collect()
}

#[test]
fn a_namespace_on_a_cluster_scoped_object_is_dropped() {
    let objects = objects("apiVersion: x.io/v1\nkind: Zone\nmetadata: {name: a, namespace: b}\n");
    let desired = desire(
        objects,
        &owner(),
        &scopes(&[("x.io/v1", "Zone", Scope::Cluster)]),
    )
    .unwrap();
    assert_eq!(desired[0].id.to_string(), "Zone/a");
    assert!(desired[0].value["metadata"].get("namespace").is_none());
}

#[test]
fn a_namespaced_object_without_a_namespace_is_refused_with_its_place() {
    let objects = objects("# c\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    let problems = desire(
        objects,
        &owner(),
        &scopes(&[("v1", "ConfigMap", Scope::Namespaced)]),
    )
    .unwrap_err();
    assert_eq!(problems[0].origin.path, "a.yaml");
    assert!(
        problems[0]
            .message
            .contains("metadata.namespace is missing"),
        "{}",
        problems[0].message
    );
}

#[test]
fn an_identity_that_only_the_scope_shows_to_come_twice_names_both_places() {
    let yaml = "apiVersion: x.io/v1\nkind: Zone\nmetadata: {name: a, namespace: b}\n---\n\
                apiVersion: x.io/v1\nkind: Zone\nmetadata: {name: a, namespace: c}\n";
    let scopes = scopes(&[("x.io/v1", "Zone", Scope::Cluster)]);
    let problems = desire(objects(yaml), &owner(), &scopes).unwrap_err();
    assert_eq!(problems[0].origin.to_string(), "a.yaml:5");
    assert!(
        problems[0].message.contains("a.yaml:1"),
        "{}",
        problems[0].message
    );
}

#[test]
fn definitions_of_the_build_tell_the_scope_of_their_kinds() {
    let yaml = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: zones.x.io}\n\
                spec: {group: x.io, scope: Cluster, names: {kind: Zone}, versions: [{name: v1}, {name: v2}]}\n";
    let scopes = brought_scopes(&objects(yaml));
    assert_eq!(
        scopes.get(&("x.io/v2".to_owned(), "Zone".to_owned())),
        Some(&Scope::Cluster)
    );
}
