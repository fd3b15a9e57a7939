//! What reading and building cost, without process and file system.

use criterion::{Criterion, criterion_group, criterion_main};
use flux_kustomize::{MemoryTree, Options, build, parse_yaml, to_yaml};

/// Objects of the large base.
const OBJECTS: usize = 200;

fn manifests() -> String {
    let manifest = |at: usize| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{at}\n  labels: {{app: a}}\nspec:\n  template:\n    \
             spec:\n      containers:\n      - name: main\n        image: app:v1\n        env:\n        - name: A\n          value: b\n"
        )
    };
    (0..OBJECTS).map(manifest).collect::<Vec<_>>().join("---\n")
}

fn overlay() -> MemoryTree {
    let kustomization = "namespace: shop\nnamePrefix: p-\nresources: [../base]\nlabels:\n- pairs: {team: a}\n  includeSelectors: true\n\
                         images:\n- {name: app, newTag: v2}\npatches:\n- target: {kind: Deployment}\n  patch: |\n    \
                         apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: any}\n    spec: {replicas: 3}\n";
    let generator =
        "resources: [app.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [a=b]\n";
    MemoryTree::new()
        .file("base/kustomization.yaml", generator)
        .file("base/app.yaml", manifests())
        .file("app/kustomization.yaml", kustomization)
}

fn benches(criterion: &mut Criterion) {
    let text = manifests();
    criterion.bench_function("read 200 manifests", |b| {
        b.iter(|| parse_yaml(text.as_bytes(), "app.yaml"));
    });
    let tree = overlay();
    criterion.bench_function("build an overlay of 200 objects", |b| {
        b.iter(|| build(&tree, "app", &Options::default()));
    });
    let built = build(&tree, "app", &Options::default()).map(|build| build.objects);
    let objects = built.unwrap_or_default();
    criterion.bench_function("write 200 objects", |b| {
        b.iter(|| {
            objects
                .iter()
                .map(|object| to_yaml(&object.value).len())
                .sum::<usize>()
        });
    });
}

criterion_group!(all, benches);
criterion_main!(all);
