//! A smaller tree that still differs.

use std::time::{Duration, Instant};

use super::Tree;

/// How long one case is worked on.
const PATIENCE: Duration = Duration::from_mins(2);

/// Takes away files and blocks of lines as long as `differs` holds.
pub(super) fn shrink(tree: Tree, mut differs: impl FnMut(&Tree) -> bool) -> Tree {
    let deadline = Instant::now() + PATIENCE;
    let mut best = tree;
    loop {
        let before = best.size();
        files(&mut best, &mut differs);
        let names: Vec<String> = best.files.keys().cloned().collect();
        for name in names {
            blocks(&mut best, &name, deadline, &mut differs);
        }
        if best.size() == before || Instant::now() >= deadline {
            return best;
        }
    }
}

fn files(best: &mut Tree, differs: &mut impl FnMut(&Tree) -> bool) {
    for name in best.files.keys().cloned().collect::<Vec<_>>() {
        let mut less = best.clone();
        less.files.remove(&name);
        if differs(&less) {
            *best = less;
        }
    }
}

/// Tries to go without each line and what hangs below it.
fn blocks(best: &mut Tree, name: &str, deadline: Instant, differs: &mut impl FnMut(&Tree) -> bool) {
    let mut at = 0;
    while Instant::now() < deadline {
        let Some(content) = best.files.get(name) else {
            return;
        };
        let lines: Vec<&str> = content.split_inclusive('\n').collect();
        if at >= lines.len() {
            return;
        }
        let candidates = [block_end(&lines, at), at + 1];
        let smaller = candidates.into_iter().find_map(|end| {
            let text = [lines.get(..at)?.concat(), lines.get(end..)?.concat()].concat();
            let mut less = best.clone();
            less.files.insert(name.to_owned(), text);
            differs(&less).then_some(less)
        });
        match smaller {
            Some(less) => *best = less,
            None => at += 1,
        }
    }
}

/// Returns the line behind the block that begins at a line: all that is indented deeper, and a key's own list.
pub(super) fn block_end(lines: &[&str], start: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = lines.get(start) else {
        return start + 1;
    };
    let depth = indent(first);
    let is_key = first.trim_end().ends_with(':') && !first.trim_start().starts_with("- ");
    let belongs = |line: &&&str| {
        let text = line.trim();
        text.is_empty()
            || indent(line) > depth
            || (is_key && indent(line) == depth && text.starts_with("- "))
    };
    let rest = lines.get(start + 1..).unwrap_or_default();
    start + 1 + rest.iter().take_while(belongs).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kustomize::Order;

    #[test]
    fn only_what_matters_is_left() {
        let tree = Tree {
            files: [
                ("a", "one:\n- x: 1\n  y: 2\n- z: 3\ntwo: 2\n"),
                ("b", "three: 3\n"),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
            target: String::new(),
            order: Order::Fifo,
        };
        let least = shrink(tree, |tree| {
            let text = tree.files.get("a").map_or("", String::as_str);
            text.contains("one:") && text.contains("z: 3")
        });
        assert_eq!(least.files.len(), 1);
        assert_eq!(least.files["a"], "one:\n- z: 3\n");
    }
}
