//! Submodules: each is a repository of its own, fetched at the commit that its parent pins.

use std::collections::BTreeMap;

use flux_core::git::{ObjectId, RepositoryUrl, Resolved};

use super::{
    client::Client, deadline::Deadline, error::Error, remote::Remote, store::Store, tree::GitTree,
};

/// Submodules of submodules, but not without end.
const MAX_DEPTH: usize = 8;
const MAX_SUBMODULES: usize = 200;

/// Opens commits with the files of their submodules, fetching what is missing.
///
/// Addresses in `.gitmodules` are subject to the same rules as that of the repository; credentials
/// go to its own server only. The objects of a submodule are in a store below that of its parent.
#[derive(Debug, Clone, Copy)]
pub struct Submodules<'a> {
    /// The way to the servers.
    pub client: &'a Client,
    /// The repository that has submodules.
    pub remote: &'a Remote,
    /// When to give up.
    pub deadline: &'a Deadline,
}

impl Submodules<'_> {
    /// Opens a commit of the store like [`GitTree::open`], its submodules as directories.
    pub fn open(
        &self,
        store: &Store,
        commit_id: ObjectId,
        ignore: Option<&str>,
    ) -> Result<GitTree, Error> {
        self.open_level(&self.remote.url, store, (commit_id, ignore), 0)
    }

    fn open_level(
        &self,
        url: &RepositoryUrl,
        store: &Store,
        (commit_id, ignore): (ObjectId, Option<&str>),
        depth: usize,
    ) -> Result<GitTree, Error> {
        let bare = GitTree::open(store, commit_id, None)?;
        let links = bare.links()?;
        if links.is_empty() {
            return GitTree::open(store, commit_id, ignore);
        }
        if depth >= MAX_DEPTH || links.len() > MAX_SUBMODULES {
            let message = format!(
                "there are more than {MAX_SUBMODULES} submodules, or more than {MAX_DEPTH} within each other"
            );
            return Err(modules(".gitmodules", message));
        }
        let text = bare
            .read_raw(".gitmodules")
            .ok_or_else(|| modules(".gitmodules", "the file is missing"))?;
        let addresses = parse(&String::from_utf8_lossy(&text));
        let mut trees = BTreeMap::new();
        for (path, pinned) in links {
            let address = addresses
                .get(&path)
                .ok_or_else(|| modules(&path, "it has no url in .gitmodules"))?;
            let tree = self.submodule(url, store, (address, pinned), depth);
            let tree = tree.map_err(|source| Error::Submodule {
                path: path.clone(),
                source: Box::new(source),
            })?;
            trees.insert(path, tree);
        }
        GitTree::with_submodules(store, commit_id, ignore, trees)
    }

    fn submodule(
        &self,
        parent: &RepositoryUrl,
        store: &Store,
        (address, commit_id): (&str, ObjectId),
        depth: usize,
    ) -> Result<GitTree, Error> {
        let url = parent.join(address)?;
        let store = store.submodule(&url)?;
        let resolved = Resolved {
            ref_name: None,
            short_name: None,
            commit_id,
            tag_id: None,
        };
        if !store.has(&resolved) {
            let remote = Remote {
                credentials: self.remote.credentials.for_other(&self.remote.url, &url),
                url: url.clone(),
                proxy: self.remote.proxy.clone(),
            };
            self.client
                .connect(&remote, self.deadline)?
                .fetch(&store, &resolved)?;
        }
        self.open_level(&url, &store, (commit_id, None), depth + 1)
    }
}

fn modules(path: &str, message: impl Into<String>) -> Error {
    Error::Modules {
        path: path.to_owned(),
        message: message.into(),
    }
}

/// Reads path and url of each section of `.gitmodules`, in the syntax of git's configuration files.
fn parse(text: &str) -> BTreeMap<String, String> {
    let mut addresses = BTreeMap::new();
    let mut section = (None, None);
    let mut finish = |section: &mut (Option<String>, Option<String>)| {
        if let (Some(path), Some(url)) = std::mem::take(section) {
            addresses.insert(path, url);
        }
    };
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            finish(&mut section);
        } else if let Some((name, value)) = line.split_once('=') {
            let value = Some(value.trim().trim_matches('"').to_owned());
            match name.trim().to_ascii_lowercase().as_str() {
                "path" => section.0 = value,
                "url" => section.1 = value,
                _ => {}
            }
        }
    }
    finish(&mut section);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_url_of_each_section_are_read() {
        let text = "# mine\n[submodule \"a\"]\n\tpath = libs/a\n\turl = ../a.git\n\tbranch = x\n[submodule \"b\"]\n\tURL=\"https://example.com/b\"\n\tpath=b\n[submodule \"c\"]\n\tpath = c\n";
        let read = parse(text);
        assert_eq!(read.get("libs/a").map(String::as_str), Some("../a.git"));
        assert_eq!(
            read.get("b").map(String::as_str),
            Some("https://example.com/b")
        );
        assert_eq!(read.len(), 2, "a section without a url does not count");
    }
}
