//! Whatever a field path says, as source or target of a replacement, of a variable or of a configuration: the build ends.
//!
//! `cargo +nightly fuzz run path -- -timeout=5 -rss_limit_mb=1024`, in the directory above.
#![no_main]

use flux_kustomize::{MemoryTree, Options, build};
use libfuzzer_sys::fuzz_target;

const OBJECTS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {x/y: z}}
data:
  json: '{\"a\":[{\"name\":\"b\",\"value\":1}]}'
  yaml: |
    # a comment
    list: [{name: x}, 1]
---
apiVersion: v1
kind: Pod
metadata: {name: b}
spec: {containers: [{name: main, image: 'x:1', env: [{name: A, value: b}]}], list: [[1], 2]}
";

fuzz_target!(|input: (&str, &str, u8)| {
    let (source, target, options) = input;
    let quoted = |text: &str| format!("{text:?}");
    let (source, target) = (json(source), json(target));
    let replacement = format!(
        "- source: {{kind: ConfigMap, fieldPath: {source}}}\n  targets:\n  - select: {{name: '.*'}}\n    \
         fieldPaths: [{target}]\n    options: {{create: {}, delimiter: {}, index: {}}}\n",
        options & 1 == 1,
        quoted(if options & 2 == 2 { "/" } else { "" }),
        i8::from_ne_bytes([options]) / 16,
    );
    let tree = MemoryTree::new()
        .file(
            "kustomization.yaml",
            "resources: [objects.yaml]\nreplacements: [{path: replacement}]\nconfigurations: [configuration]\n\
             namePrefix: p-\n",
        )
        .file("objects.yaml", OBJECTS)
        .file("configuration", format!("namePrefix: [{{path: {target}, create: true}}]\n"))
        .file("replacement", replacement);
    drop(build(&tree, "", &Options::default()));
});

/// A text in quotes that YAML reads.
fn json(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
