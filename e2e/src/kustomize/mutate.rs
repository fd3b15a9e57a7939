//! Trees made of others: lines go, come twice, or come from elsewhere.

use super::{Order, Tree, chance::Chance, shrink::block_end};

/// Changes a tree in one to three places; `donors` lend blocks of lines.
pub(super) fn mutate(seed: u64, tree: &Tree, donors: &[Tree]) -> Tree {
    let mut chance = Chance::new(seed);
    let mut changed = tree.clone();
    if chance.one_in(4) {
        changed.order = Order::Legacy;
    }
    for _ in 0..chance.between(1, 3) {
        let names: Vec<String> = changed.files.keys().cloned().collect();
        let Some(name) = chance.choose(&names) else {
            break;
        };
        let content = changed.files.get(name).cloned().unwrap_or_default();
        let content = lines(&mut chance, &content, donors);
        changed.files.insert(name.clone(), content);
    }
    changed
}

fn lines(chance: &mut Chance, content: &str, donors: &[Tree]) -> String {
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    if lines.is_empty() {
        return content.to_owned();
    }
    let at = chance.below(lines.len());
    let end = block_end(&lines, at);
    let (before, block, after) = (
        lines[..at].concat(),
        lines[at..end].concat(),
        lines[end..].concat(),
    );
    let margin = block.len() - block.trim_start().len();
    match chance.below(7) {
        0 | 1 => before + &after,
        2 => before + &block + &block + &after,
        3 => {
            let other = chance.below(lines.len());
            let other = lines[other..block_end(&lines, other)].concat();
            before + &indent(&other, margin) + &block + &after
        }
        4 => {
            let other = borrowed(chance, donors).unwrap_or_default();
            before + &indent(&other, margin) + &after
        }
        _ => before + &word(chance, &block, content) + &after,
    }
}

/// A block of a file of another tree.
fn borrowed(chance: &mut Chance, donors: &[Tree]) -> Option<String> {
    let tree = chance.choose(donors)?;
    let files: Vec<&String> = tree.files.values().collect();
    let lines: Vec<&str> = chance.choose(&files)?.split_inclusive('\n').collect();
    let at = chance.below(lines.len());
    Some(lines.get(at..block_end(&lines, at))?.concat())
}

fn indent(block: &str, margin: usize) -> String {
    let first = block.lines().next().unwrap_or_default();
    let old = first.len() - first.trim_start().len();
    let line = |line: &str| {
        format!(
            "{}{}\n",
            " ".repeat(margin),
            line.get(old..).unwrap_or_default()
        )
    };
    block.lines().map(line).collect()
}

/// Puts a word of the file, or an odd one, in the place of another.
fn word(chance: &mut Chance, block: &str, content: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_./*$".contains(c);
    let of = |text: &str| -> Vec<(usize, String)> {
        let found = text.match_indices(is_word).map(|(at, _)| at);
        let starts = found.filter(|&at| at == 0 || !text[..at].ends_with(is_word));
        starts
            .map(|at| (at, text[at..].chars().take_while(|c| is_word(*c)).collect()))
            .collect()
    };
    let odd = [
        "null", "true", "1", "[]", "{}", "''", "~", "default", "-1", "a.b", "*", "0755", "\"x\"",
        "$patch",
    ];
    let words = of(content);
    let new = match chance.choose(&words) {
        Some((_, word)) if !chance.one_in(3) => word.clone(),
        _ => chance.pick(&odd).to_owned(),
    };
    let places = of(block);
    let Some((at, old)) = chance.choose(&places) else {
        return block.to_owned();
    };
    format!("{}{new}{}", &block[..*at], &block[at + old.len()..])
}
