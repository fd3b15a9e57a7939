//! Whatever a patch says, strategic or JSON: the build ends.
//!
//! `cargo +nightly fuzz run patch -- -timeout=5 -rss_limit_mb=1024`, in the directory above.
#![no_main]

use flux_kustomize::{MemoryTree, Options, build};
use libfuzzer_sys::fuzz_target;

const KUSTOMIZATION: &str =
    "resources: [objects.yaml]\npatches:\n- path: patch\n  target: {name: web}\n";

const OBJECTS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}, finalizers: [x, y]}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - {name: a, image: x, ports: [{containerPort: 80, protocol: TCP}], env: [{name: A, value: b}], args: [1, 2]}
      - {name: b, image: y}
      volumes: [{name: v, emptyDir: {}}]
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: web, annotations: {a/b: c}}
spec: {list: [1, {name: x}, [2]], deep: {deeper: {deepest: null}}}
";

fuzz_target!(|patch: &[u8]| {
    let tree = MemoryTree::new()
        .file("kustomization.yaml", KUSTOMIZATION)
        .file("objects.yaml", OBJECTS)
        .file("patch", patch);
    drop(build(&tree, "", &Options::default()));
});
