//! Builds of whole trees.

use flux_kustomize::{
    Build, CommonMetadata, Failure, Limits, LoadRestriction, MemoryTree, Options, Order, Overlay,
    Read, build,
};
use serde_json::{Value, json};

fn configmap(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

fn names(build: &Build) -> Vec<String> {
    let name = |value: &Value| {
        value["metadata"]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    build
        .objects
        .iter()
        .map(|object| name(&object.value))
        .collect()
}

fn run(tree: &MemoryTree, path: &str) -> Result<Build, Failure> {
    build(tree, path, &Options::default())
}

fn errors(tree: &MemoryTree, path: &str) -> Vec<String> {
    let failure = run(tree, path).expect_err("the build fails");
    failure.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_plain_directory_is_built_from_every_manifest_below() {
    let tree = MemoryTree::new()
        .file("app/b.yaml", configmap("b"))
        .file("app/a/x.yml", configmap("x") + "---\n" + &configmap("y"))
        .file("app/c.json", r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}"#)
        .file("app/chart/Chart.yaml", "name: chart")
        .file("app/chart/templates/t.yaml", "{{ nonsense }}")
        .file("app/settings.yaml", "replicas: 1")
        .file("app/readme.md", "# no manifest")
        .file("app/base/kustomization.yaml", "namePrefix: p-\nresources: [m.yaml]")
        .file("app/base/m.yaml", configmap("m"));
    let build = run(&tree, "app").unwrap();
    assert_eq!(names(&build), ["x", "y", "b", "p-m", "s"]);
    assert_eq!(build.objects[1].origin.to_string(), "app/a/x.yml:5");
    let notes: Vec<String> = build.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "app/chart: is a Helm chart; skipped",
            "app/settings.yaml: has no kind, so it is no manifest; skipped",
        ]
    );
}

#[test]
fn references_follow_renamed_objects() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    envFrom: [{configMapRef: {name: settings}}]\n";
    let tree = MemoryTree::new()
        .file(
            "base/kustomization.yaml",
            "resources: [pod.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [a=b]\n",
        )
        .file("base/pod.yaml", pod)
        .file(
            "prod/kustomization.yaml",
            "namePrefix: prod-\nresources: [../base]\n",
        );
    let build = run(&tree, "prod").unwrap();
    let map = &build.objects[1].value["metadata"]["name"];
    assert!(map.as_str().unwrap().starts_with("prod-settings-"), "{map}");
    let reference = &build.objects[0].value["spec"]["containers"][0]["envFrom"][0];
    assert_eq!(reference["configMapRef"]["name"], *map);
}

#[test]
fn everything_that_is_wrong_is_reported_in_one_run() {
    let tree = MemoryTree::new()
        .file(
            "app/kustomization.yaml",
            "resources:\n- deploiment.yaml\n- broken.yaml\n- nameless.yaml\n",
        )
        .file("app/deployment.yaml", configmap("d"))
        .file("app/broken.yaml", "a: b: c\n")
        .file("app/nameless.yaml", "apiVersion: v1\nkind: Secret\n");
    let errors = errors(&tree, "app");
    assert_eq!(
        errors[0],
        "app/kustomization.yaml:2: resources[0]: there is no file or directory deploiment.yaml; did you mean deployment.yaml?"
    );
    assert!(
        errors[1].starts_with("app/broken.yaml:1: invalid YAML"),
        "{}",
        errors[1]
    );
    assert_eq!(
        errors[2],
        "app/nameless.yaml:1: metadata.name: missing in this Secret"
    );
    assert_eq!(errors.len(), 3);
}

#[test]
fn an_unknown_field_is_refused_with_what_was_meant() {
    let tree = MemoryTree::new().file(
        "kustomization.yaml",
        "resource: [a.yaml]\nimages:\n- name: a\n  newtag: 1\n  newNam: b\n",
    );
    assert_eq!(
        errors(&tree, ""),
        [
            "kustomization.yaml:1: resource: is not a field that is known here; did you mean resources?",
            "kustomization.yaml:4: images[0].newtag: must be text, not the number 1; put it in quotes",
            "kustomization.yaml:5: images[0].newNam: is not a field that is known here; did you mean newName?",
        ]
    );
}

#[test]
fn nothing_outside_of_the_tree_is_read() {
    let link = |target: &str| {
        MemoryTree::new()
            .file("app/kustomization.yaml", "resources: [link.yaml]\n")
            .symlink("app/link.yaml", target)
    };
    for target in ["../../etc/passwd", "/etc/passwd", "link.yaml"] {
        assert!(run(&link(target), "app").is_err(), "{target}");
    }
    for path in ["../../x", "/etc/passwd", "https://example.com/x.yaml"] {
        let tree =
            MemoryTree::new().file("app/kustomization.yaml", format!("resources: ['{path}']"));
        assert!(run(&tree, "app").is_err(), "{path}");
    }
    assert!(run(&MemoryTree::new(), "..").is_err());
}

#[test]
fn links_within_the_tree_are_followed_and_reported() {
    let tree = MemoryTree::new()
        .file("app/kustomization.yaml", "resources: [link/m.yaml]\n")
        .symlink("app/link", "../shared")
        .file("shared/m.yaml", configmap("m"));
    let build = run(&tree, "app").unwrap();
    assert_eq!(build.objects[0].origin.to_string(), "shared/m.yaml:1");
    let reads = ["app/kustomization.yaml", "app/link", "shared/m.yaml"];
    for path in reads {
        assert!(build.reads.contains(&Read::File(path.to_owned())), "{path}");
    }
    let missing = Read::Missing("app/kustomization.yml".to_owned());
    assert!(build.reads.contains(&missing), "{:?}", build.reads);
}

#[test]
fn the_load_restriction_of_the_command_can_be_asked_for() {
    let tree = MemoryTree::new()
        .file("app/kustomization.yaml", "resources: [../m.yaml]\n")
        .file("m.yaml", configmap("m"));
    assert!(run(&tree, "app").is_ok());
    let options = Options {
        restriction: LoadRestriction::RootOnly,
        ..Options::default()
    };
    assert!(build(&tree, "app", &options).is_err());
}

#[test]
fn kustomizations_that_include_each_other_are_refused() {
    let tree = MemoryTree::new()
        .file("a/kustomization.yaml", "resources: [../b]\n")
        .file("b/kustomization.yaml", "resources: [../a]\n");
    assert_eq!(
        errors(&tree, "a"),
        ["b/kustomization.yaml:1: resources[0]: a includes itself"]
    );
}

#[test]
fn an_overlay_comes_on_top_of_a_kustomization_and_of_plain_manifests() {
    let overlay = Overlay {
        source: "Sync shop/web".to_owned(),
        namespace: Some("shop".to_owned()),
        name_prefix: "p-".to_owned(),
        common_metadata: CommonMetadata {
            labels: [("team".to_owned(), "a".to_owned())].into(),
            ..CommonMetadata::default()
        },
        patches: vec![json!({
            "target": {"kind": "ConfigMap"},
            "patch": "- {op: add, path: /data, value: {k: v}}",
        })],
        ..Overlay::default()
    };
    let options = Options {
        overlay,
        ..Options::default()
    };
    let plain = MemoryTree::new().file("app/m.yaml", configmap("m"));
    let kustomized = plain
        .clone()
        .file("app/kustomization.yaml", "resources: [m.yaml]");
    for tree in [plain, kustomized] {
        let build = build(&tree, "app", &options).unwrap();
        assert_eq!(
            build.objects[0].value,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"},
                "metadata": {"name": "p-m", "namespace": "shop", "labels": {"team": "a"}},
            })
        );
    }
}

#[test]
fn a_wrong_overlay_is_named_in_the_error() {
    let options = Options {
        overlay: Overlay {
            source: "Sync shop/web".to_owned(),
            images: vec![json!({"name": "a", "tag": "1"})],
            ..Overlay::default()
        },
        ..Options::default()
    };
    let tree = MemoryTree::new().file("app/m.yaml", configmap("m"));
    let failure = build(&tree, "app", &options).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "Sync shop/web: images[0].tag: is not a field that is known here; did you mean newTag?"
    );
}

#[test]
fn the_order_is_that_of_the_files_or_that_of_the_command() {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", "resources: [m.yaml, ns.yaml]")
        .file("m.yaml", configmap("m"))
        .file(
            "ns.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
        );
    let legacy = Options {
        order: Order::Legacy,
        ..Options::default()
    };
    assert_eq!(names(&run(&tree, "").unwrap()), ["m", "n"]);
    assert_eq!(names(&build(&tree, "", &legacy).unwrap()), ["n", "m"]);
}

#[test]
fn two_objects_of_one_name_are_refused_with_both_places() {
    let tree = MemoryTree::new()
        .file("a.yaml", configmap("m"))
        .file("b.yaml", "\n".to_owned() + &configmap("m"));
    assert_eq!(
        errors(&tree, ""),
        [".: ConfigMap/m of b.yaml:2 is there already, from a.yaml:1"]
    );
}

#[test]
fn aliases_that_expand_without_end_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb = format!("{bomb}a{level}: &a{level} [{items}]\n");
    }
    let tree = MemoryTree::new().file("bomb.yaml", "kind: Bomb\n".to_owned() + &bomb);
    let errors = errors(&tree, "");
    assert!(errors[0].contains("expand to too much"), "{}", errors[0]);
}

#[test]
fn components_change_what_their_parent_has() {
    let tree = MemoryTree::new()
        .file("app/kustomization.yaml", "resources: [m.yaml]\ncomponents: [../extra]\nnamePrefix: p-\n")
        .file("app/m.yaml", configmap("m"))
        .file(
            "extra/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: m}\n    data: {extra: 'yes'}\n",
        );
    let build = run(&tree, "app").unwrap();
    assert_eq!(names(&build), ["p-m"]);
    assert_eq!(build.objects[0].value["data"]["extra"], "yes");
}

#[test]
fn a_patch_without_its_object_says_what_may_be_meant() {
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "resources: [m.yaml]\npatches:\n- path: patch.yaml\n",
        )
        .file(
            "m.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: x}\n",
        )
        .file("patch.yaml", configmap("m"));
    assert_eq!(
        errors(&tree, ""),
        [
            "kustomization.yaml:3: patches[0]: there is no ConfigMap/m to patch; did you mean ConfigMap/x/m of v1?"
        ]
    );
}

#[test]
fn a_build_explains_which_line_set_a_field() {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", "resources: [pod.yaml]\nimages:\n- name: nginx\n  newTag: '2'\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: web, labels: {a: b}}\n- path: patch.yaml\nreplacements:\n- {sourceValue: x, targets: [{select: {kind: Pod}, fieldPaths: [spec.hostname]}]}\n- {sourceValue: z, targets: [{select: {kind: Pod}, fieldPaths: [spec.subdomain]}]}\nnamePrefix: p-\nconfigMapGenerator: [{name: settings, literals: [a=b]}]\n")
        .file("patch.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {priority: 1}\n")
        .file("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: nginx, envFrom: [{configMapRef: {name: settings}}]}]\n  hostname: a\n  subdomain: b\n");
    let options = Options {
        explain: true,
        ..Options::default()
    };
    let build = build(&tree, "", &options).unwrap();
    let changes = build.objects[0].changes.iter();
    let texts: Vec<String> = changes
        .map(|change| format!("{} {} {}", change.field, change.by, change.what))
        .collect();
    assert_eq!(
        texts,
        [
            "metadata.labels.a kustomization.yaml:6 patches[0]",
            "spec.priority kustomization.yaml:10 patches[1] (patch.yaml)",
            "metadata.name kustomization.yaml:14 namePrefix",
            "spec.containers[name=web].image kustomization.yaml:3 images[0]",
            "spec.hostname kustomization.yaml:12 replacements[0]",
            "spec.subdomain kustomization.yaml:13 replacements[1]",
            "spec.containers[name=web].envFrom[0].configMapRef.name kustomization.yaml:1 reference to a renamed object",
        ]
    );
}

#[test]
fn kustomizations_that_double_at_each_level_are_refused() {
    let mut tree = MemoryTree::new()
        .file("k0/kustomization.yaml", "resources: [m.yaml]\n")
        .file("k0/m.yaml", configmap("m"));
    for level in 1..40 {
        let below = level - 1;
        for side in ["a", "b"] {
            let path = format!("{side}{level}/kustomization.yaml");
            tree = tree.file(
                &path,
                format!("namePrefix: {side}-\nresources: [../k{below}]\n"),
            );
        }
        let both = format!("resources: [../a{level}, ../b{level}]\n");
        tree = tree.file(&format!("k{level}/kustomization.yaml"), both);
    }
    let options = Options {
        limits: Limits {
            kustomizations: 500,
            ..Limits::default()
        },
        ..Options::default()
    };
    let failure = build(&tree, "k39", &options).unwrap_err();
    assert!(
        failure.to_string().contains("too many kustomizations"),
        "{failure}"
    );
}

#[test]
fn a_patch_that_copies_an_object_into_itself_again_and_again_is_refused() {
    let copy = r#"{"op": "copy", "from": "/data", "path": "/data/list/-"}"#;
    let patch = format!("[{}]", vec![copy; 60].join(","));
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "resources: [m.yaml]\npatches: [{path: p.json, target: {kind: ConfigMap}}]\n",
        )
        .file("m.yaml", configmap("m") + "data: {a: b, list: []}\n")
        .file("p.json", patch);
    let errors = errors(&tree, "");
    assert!(errors[0].contains("more than"), "{}", errors[0]);
}

#[test]
fn an_inline_patch_that_is_no_yaml_is_not_taken_for_a_path() {
    let kustomization = "resources: [a.yaml]\npatchesStrategicMerge:\n- |\n  kind: A\n  kind: A\n";
    let tree = MemoryTree::new()
        .file("kustomization.yaml", kustomization)
        .file("a.yaml", "{apiVersion: v1, kind: A, metadata: {name: a}}");
    let failure = build(&tree, "", &Options::default()).unwrap_err();
    assert_eq!(
        failure.errors[0].to_string(),
        "kustomization.yaml:4: patchesStrategicMerge[0]: line 2 of the patch: the key \"kind\" stands twice"
    );
}
