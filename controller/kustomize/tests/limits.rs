//! Files that make a build grow or go on: it ends with an error, soon.

use std::time::{Duration, Instant};

use flux_kustomize::{Limits, MemoryTree, Options, build, parse_yaml};

fn errors(tree: &MemoryTree, limits: Limits) -> Vec<String> {
    let options = Options {
        limits,
        ..Options::default()
    };
    let failure = build(tree, "", &options).expect_err("the build is refused");
    failure.errors.iter().map(ToString::to_string).collect()
}

fn configmaps(count: usize) -> String {
    let one = |at| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{at}}}\ndata: {{}}\n")
    };
    (0..count).map(one).collect()
}

#[test]
fn a_build_is_given_up_when_its_time_is_over() {
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "resources: [a.yaml, b.yaml]\nnamespace: n\n",
        )
        .file("a.yaml", configmaps(1))
        .file("b.yaml", "kind: [");
    let limits = Limits {
        deadline: Some(Instant::now()),
        ..Limits::default()
    };
    let errors = errors(&tree, limits);
    assert_eq!(
        errors.len(),
        1,
        "what follows from it is not told: {errors:?}"
    );
    assert!(
        errors[0].ends_with("the build takes longer than it may"),
        "{errors:?}"
    );
}

#[test]
fn a_build_in_time_is_not_disturbed() {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", "resources: [a.yaml]\n")
        .file("a.yaml", configmaps(3));
    let options = Options {
        limits: Limits {
            deadline: Some(Instant::now() + Duration::from_mins(10)),
            ..Limits::default()
        },
        ..Options::default()
    };
    let build = build(&tree, "", &options).expect("there is time enough");
    assert_eq!(build.objects.len(), 3);
}

/// Each of these multiplies what is written once by the number of objects.
#[test]
fn what_is_written_into_many_objects_is_bounded() {
    let long = "x".repeat(10_000);
    let steps = [
        format!("commonAnnotations: {{a: {long}}}\n"),
        format!("labels: [{{pairs: {{a: {long}}}}}]\n"),
        format!("namePrefix: {long}\n"),
        format!("namespace: {long}\n"),
        format!(
            "patches: [{{target: {{kind: .*}}, patch: '{{\"kind\": \"x\", \"metadata\": {{\"name\": \"x\"}}, \"data\": {{\"a\": \"{long}\"}}}}'}}]\n"
        ),
        format!(
            "patches: [{{target: {{kind: .*}}, patch: '[{{\"op\": \"add\", \"path\": \"/data/a\", \"value\": \"{long}\"}}]'}}]\n"
        ),
        format!(
            "replacements: [{{sourceValue: {long}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [data.a], options: {{create: true}}}}]}}]\n"
        ),
    ];
    for step in steps {
        let tree = MemoryTree::new()
            .file("kustomization.yaml", format!("resources: [a.yaml]\n{step}"))
            .file("a.yaml", configmaps(100));
        let limits = Limits {
            values: 10_000,
            ..Limits::default()
        };
        let errors = errors(&tree, limits);
        assert!(
            errors.len() == 1 && errors[0].contains("makes more than 10000 values"),
            "{}: {errors:?}",
            &step[..20]
        );
    }
}

#[test]
fn variables_in_long_texts_are_bounded() {
    let many = "$(A)".repeat(1000);
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "resources: [a.yaml]\nvars: [{name: A, objref: {apiVersion: v1, kind: Pod, name: p}, fieldref: {fieldpath: metadata.annotations.long}}]\n",
        )
        .file(
            "a.yaml",
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, annotations: {{long: {}}}}}\nspec: {{containers: [{{name: a, command: [{many}]}}]}}\n",
                "x".repeat(10_000)
            ),
        );
    let limits = Limits {
        values: 10_000,
        ..Limits::default()
    };
    let errors = errors(&tree, limits);
    assert!(
        errors[0].contains("makes more than 10000 values"),
        "{errors:?}"
    );
}

#[test]
fn a_long_text_that_many_aliases_repeat_is_refused() {
    let text = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a,".repeat(100)
    );
    let error = parse_yaml(text.as_bytes(), "x.yaml").expect_err("it expands to 100 MiB");
    assert!(error.to_string().contains("aliases"), "{error}");
}

#[test]
fn anchors_around_anchors_are_refused_when_they_hold_too_much() {
    let open = "&a [".repeat(200);
    let text = format!("{open}{}{}", "x,".repeat(100_000), "]".repeat(200));
    let error = parse_yaml(text.as_bytes(), "x.yaml").expect_err("it is kept 200 times");
    assert!(error.to_string().contains("anchors"), "{error}");
}
