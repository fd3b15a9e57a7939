//! Trees as text.

/// One object, and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The object.
    pub(crate) object: String,
    /// How it fares, in a word.
    pub(crate) state: String,
    /// More about it.
    pub(crate) note: String,
    /// The objects below it.
    pub(crate) children: Vec<Self>,
}

/// Returns the lines of a tree; the states stand below each other.
pub(crate) fn draw(root: &Node) -> String {
    let mut lines = Vec::new();
    collect(root, "", "", &mut lines);
    let width = lines
        .iter()
        .map(|(object, _)| object.chars().count())
        .max()
        .unwrap_or_default();
    lines
        .iter()
        .map(|(object, node)| {
            let padding = " ".repeat(width.saturating_sub(object.chars().count()) + 3);
            let line = format!(
                "{object}{padding}{}   {}",
                node.state,
                node.note.lines().next().unwrap_or_default()
            );
            line.trim_end().to_owned() + "\n"
        })
        .collect()
}

fn collect<'a>(node: &'a Node, branch: &str, below: &str, lines: &mut Vec<(String, &'a Node)>) {
    lines.push((format!("{branch}{}", node.object), node));
    for (index, child) in node.children.iter().enumerate() {
        let is_last = index + 1 == node.children.len();
        let (branch, indent) = if is_last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        collect(
            child,
            &format!("{below}{branch}"),
            &format!("{below}{indent}"),
            lines,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(object: &str, state: &str, note: &str, children: Vec<Node>) -> Node {
        Node {
            object: object.into(),
            state: state.into(),
            note: note.into(),
            children,
        }
    }

    #[test]
    fn a_tree_has_one_line_for_each_object() {
        let inner = node(
            "Sync/shop/apps",
            "Ready",
            "main@sha1:5f",
            vec![node("ConfigMap/shop/web", "Current", "", vec![])],
        );
        let root = node(
            "Sync/flux-system/all",
            "Ready",
            "main@sha1:5f from GitRepository/flux-system/fleet",
            vec![
                inner,
                node(
                    "Job/shop/migrate",
                    "Failed",
                    "backoff limit reached\nsecond line",
                    vec![],
                ),
            ],
        );
        insta::assert_snapshot!(draw(&root), @r"
        Sync/flux-system/all         Ready   main@sha1:5f from GitRepository/flux-system/fleet
        ├── Sync/shop/apps           Ready   main@sha1:5f
        │   └── ConfigMap/shop/web   Current
        └── Job/shop/migrate         Failed   backoff limit reached
        ");
    }
}
