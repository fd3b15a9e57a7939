//! Definitions of custom resources that are built along with their objects.

use flux_kustomize::{MemoryTree, Options, Scopes, build};
use serde_json::{Value, json};

/// Two kinds, one of them outside namespaces, with lists of each type.
const DEFINITIONS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pools.example.com}
spec:
  group: example.com
  names: {kind: Pool, plural: pools}
  scope: Cluster
  versions:
  - name: v1alpha1
    schema: {openAPIV3Schema: {type: object}}
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              members:
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [host, port]
                items: {properties: {tags: {x-kubernetes-list-type: set}}}
              order: {x-kubernetes-list-type: atomic}
---
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: users.example.com}
spec:
  group: example.com
  names: {kind: User, plural: users}
  scope: Namespaced
  validation:
    openAPIV3Schema:
      properties:
        spec:
          additionalProperties:
            properties:
              keys: {x-kubernetes-patch-merge-key: id}
";

const POOL: &str = r"
apiVersion: example.com/v1
kind: Pool
metadata: {name: a}
spec:
  members:
  - {host: x, port: 1, weight: 1, tags: [old]}
  - {host: x, port: 2}
  order: [1, 2]
";

fn defined() -> Options {
    Options {
        scopes: Scopes::Defined,
        ..Options::default()
    }
}

fn pool(kustomization: &str, options: &Options) -> Value {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", kustomization)
        .file("definitions.yaml", DEFINITIONS)
        .file("pool.yaml", POOL);
    let mut build = build(&tree, "", options).expect("the build works");
    build.objects.pop().expect("an object").value
}

#[test]
fn no_namespace_is_written_into_an_object_whose_definition_has_none() {
    let both = "namespace: shop\nresources: [definitions.yaml, pool.yaml]\n";
    let inside = json!({"name": "a", "namespace": "shop"});
    assert_eq!(pool(both, &defined())["metadata"], json!({"name": "a"}));
    assert_eq!(
        pool(both, &Options::default())["metadata"],
        inside,
        "kustomize takes it for namespaced"
    );
    let alone = "namespace: shop\nresources: [pool.yaml]\n";
    assert_eq!(pool(alone, &defined())["metadata"], inside);
}

#[test]
fn lists_of_a_defined_kind_merge_by_the_keys_of_the_definition() {
    let patch = "patches:\n- patch: |\n    apiVersion: example.com/v1\n    kind: Pool\n    metadata: {name: a}\n    spec:\n      members: [{host: x, port: 1, tags: [new]}, {host: y, port: 1}]\n      order: [3]\n";
    let pool = pool(
        &format!("resources: [definitions.yaml, pool.yaml]\n{patch}"),
        &Options::default(),
    );
    assert_eq!(
        pool["spec"],
        json!({
            "members": [
                {"host": "y", "port": 1},
                {"host": "x", "port": 1, "weight": 1, "tags": ["new", "old"]},
                {"host": "x", "port": 2},
            ],
            "order": [3],
        })
    );
}

#[test]
fn a_definition_under_crds_is_refused_with_its_right_place() {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", "crds: [definition.yaml]\n")
        .file("definition.yaml", DEFINITIONS);
    let failure = build(&tree, "", &Options::default()).expect_err("kustomize refuses it too");
    assert!(
        failure.to_string().contains("name it under resources"),
        "{failure}"
    );
}

#[test]
fn a_definition_with_one_schema_for_all_versions_is_understood() {
    let user = "apiVersion: example.com/v1beta1\nkind: User\nmetadata: {name: u}\nspec: {home: {keys: [{id: 1, a: 1}, {id: 2}]}}\n";
    let patch = "apiVersion: example.com/v1beta1\nkind: User\nmetadata: {name: u}\nspec: {home: {keys: [{id: 1, b: 1}]}}\n";
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "namespace: shop\nresources: [definitions.yaml, user.yaml]\npatches: [{path: patch.yaml}]\n",
        )
        .file("definitions.yaml", DEFINITIONS)
        .file("user.yaml", user)
        .file("patch.yaml", patch);
    let build = build(&tree, "", &defined()).expect("the build works");
    let user = &build.objects[2].value;
    assert_eq!(user["metadata"]["namespace"], "shop");
    assert_eq!(
        user["spec"]["home"]["keys"],
        json!([{"id": 1, "a": 1, "b": 1}, {"id": 2}])
    );
}

#[test]
fn a_reference_to_an_object_outside_namespaces_follows_its_name() {
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "namespace: shop\nnamePrefix: p-\nresources: [definitions.yaml, pool.yaml, claim.yaml]\nconfigurations: [references.yaml]\n",
        )
        .file("definitions.yaml", DEFINITIONS)
        .file("pool.yaml", POOL)
        .file(
            "claim.yaml",
            "apiVersion: example.com/v1\nkind: Claim\nmetadata: {name: c}\nspec: {pool: a}\n",
        )
        .file(
            "references.yaml",
            "nameReference:\n- kind: Pool\n  fieldSpecs: [{kind: Claim, path: spec/pool}]\n",
        );
    let build = build(&tree, "", &defined()).expect("the build works");
    assert_eq!(build.objects[3].value["spec"]["pool"], "p-a");
}
