mod annotations;
mod images;
mod manual;
mod markers;
mod properties;
mod trees;

use super::*;

fn policy(text: &str) -> PolicyName {
    let (namespace, name) = text.split_once(':').unwrap();
    PolicyName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn digest() -> String {
    format!("sha256:{}", "a".repeat(64))
}

/// What the policy `apps:app` wants: `ghcr.io/org/app:1.5.0`.
fn target(strategy: UpdateStrategy) -> Target {
    Target {
        policy: policy("apps:app"),
        name: "ghcr.io/org/app".parse().unwrap(),
        tag: "1.5.0".to_owned(),
        digest: Some(digest()),
        mode: DigestMode::IfPinned,
        strategy,
        tags: Vec::new(),
        path: "./".to_owned(),
    }
}

fn text_of(edited: &Edited) -> Option<&str> {
    let bytes = edited.bytes.as_deref()?;
    Some(std::str::from_utf8(bytes).unwrap())
}

/// Shows what became of a text: the lines that differ, the changes, what was left alone.
fn shown(text: &str, edited: &Edited) -> String {
    let mut lines = Vec::new();
    if let Some(new) = text_of(edited) {
        assert_eq!(text.lines().count(), new.lines().count());
        let differing = text
            .lines()
            .zip(new.lines())
            .filter(|(old, new)| old != new);
        lines.extend(differing.map(|(old, new)| format!("-{old}\n+{new}")));
    }
    lines.extend(edited.changes.iter().map(|change| {
        let object = change.object.as_deref().unwrap_or("nothing");
        let container = change.container.as_deref().unwrap_or("nothing");
        format!(
            "{}: {object}, {container}: {} -> {}",
            change.line, change.old, change.new
        )
    }));
    lines.extend(edited.skipped.iter().map(ToString::to_string));
    lines.push(format!("{} places", edited.places.values().sum::<usize>()));
    lines.join("\n")
}
