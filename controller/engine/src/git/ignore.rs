//! Which files of a commit exist for a build: `.sourceignore` files and `spec.ignore`, as gitignore rules.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bstr::ByteSlice;
use gix_glob::{Pattern, pattern::Case, wildmatch::Mode};
use sha1::{Digest, Sha1};

/// Files that mean something to git and nothing to a cluster.
const OF_GIT: [&str; 4] = [".git", ".gitignore", ".gitmodules", ".gitattributes"];
/// The name of the files with rules.
const FILE: &str = ".sourceignore";
const MAX_RULES: usize = 1 << 20;

/// Reads a file of the tree by its path, whether it is ignored or not.
pub(crate) type Read<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// The rules of one revision.
#[derive(Default)]
pub(crate) struct Rules {
    /// `spec.ignore`, which has the last word.
    extra: Option<Arc<List>>,
    levels: Mutex<HashMap<String, Arc<Level>>>,
}

/// The rules that hold within one directory.
#[derive(Default)]
pub(crate) struct Level {
    is_hidden: bool,
    /// From the root downwards.
    lists: Vec<Arc<List>>,
}

struct List {
    base: String,
    patterns: Vec<Pattern>,
    digest: [u8; 20],
}

impl Rules {
    pub(crate) fn new(extra: Option<&str>) -> Self {
        let extra = extra.filter(|text| !text.trim().is_empty());
        Self {
            extra: extra.map(|text| Arc::new(List::parse("", text.as_bytes()))),
            levels: Mutex::default(),
        }
    }

    /// Whether a build may see what stands at a path.
    pub(crate) fn shows(&self, path: &str, is_directory: bool, read: &Read<'_>) -> bool {
        if path.is_empty() {
            return true;
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let level = self.level(parent, read);
        if level.is_hidden {
            return false;
        }
        let lists = level.lists.iter().chain(&self.extra);
        let verdict = lists
            .rev()
            .find_map(|list| list.verdict(path, is_directory));
        verdict.unwrap_or(!OF_GIT.contains(&name))
    }

    /// Returns a digest of the rules that hold below a directory; `None` if there are none.
    pub(crate) fn digest(&self, directory: &str, read: &Read<'_>) -> Option<[u8; 20]> {
        let level = self.level(directory, read);
        let mut lists = level.lists.iter().chain(&self.extra).peekable();
        lists.peek()?;
        let mut hasher = Sha1::new();
        lists.for_each(|list| hasher.update(list.digest));
        Some(hasher.finalize().into())
    }

    fn level(&self, directory: &str, read: &Read<'_>) -> Arc<Level> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(level) = levels.get(directory) {
            return level.clone();
        }
        drop(levels);
        let level = Arc::new(self.read_level(directory, read));
        levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        levels.entry(directory.to_owned()).or_insert(level).clone()
    }

    fn read_level(&self, directory: &str, read: &Read<'_>) -> Level {
        if !self.shows(directory, true, read) {
            return Level {
                is_hidden: true,
                lists: Vec::new(),
            };
        }
        let mut lists = match directory.rsplit_once('/') {
            Some((parent, _)) => self.level(parent, read).lists.clone(),
            None if directory.is_empty() => Vec::new(),
            None => self.level("", read).lists.clone(),
        };
        let file = if directory.is_empty() {
            FILE.to_owned()
        } else {
            format!("{directory}/{FILE}")
        };
        if let Some(text) = read(&file) {
            lists.push(Arc::new(List::parse(directory, &text)));
        }
        Level {
            is_hidden: false,
            lists,
        }
    }
}

impl List {
    fn parse(base: &str, text: &[u8]) -> Self {
        let text = text.get(..MAX_RULES).unwrap_or(text);
        let patterns = gix_ignore::parse(text, false)
            .map(|(pattern, ..)| pattern)
            .collect();
        let mut hasher = Sha1::new();
        hasher.update(base);
        hasher.update([0]);
        hasher.update(text);
        Self {
            base: base.to_owned(),
            patterns,
            digest: hasher.finalize().into(),
        }
    }

    /// The last rule that matches decides.
    fn verdict(&self, path: &str, is_directory: bool) -> Option<bool> {
        let path = match self.base.as_str() {
            "" => path,
            base => path.strip_prefix(base)?.strip_prefix('/')?,
        };
        let name = path.rfind('/').map(|at| at + 1);
        let matches = |pattern: &&Pattern| {
            pattern.matches_repo_relative_path(
                path.as_bytes().as_bstr(),
                name,
                Some(is_directory),
                Case::Sensitive,
                Mode::NO_MATCH_SLASH_LITERAL,
            )
        };
        self.patterns
            .iter()
            .rev()
            .find(matches)
            .map(Pattern::is_negative)
    }
}

#[cfg(test)]
mod tests;
