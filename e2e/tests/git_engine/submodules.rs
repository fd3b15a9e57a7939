//! Repositories within repositories, and links that lead out of one.

use std::time::Duration;

use flux_core::git::{Reference, Resolved};
use flux_e2e::{GitRepo, git_server::Access};
use flux_engine::git::{Deadline, Error, GitTree, Remote, Submodules};
use flux_kustomize::{Entry, FileTree};

use crate::setting::{Setting, with_secret};

/// Pins the head of a library in a repository.
fn pin(repo: &GitRepo, path: &str, url: &str, library: &GitRepo) {
    let modules = format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
    repo.write(".gitmodules", modules).unwrap();
    let link = format!("160000,{},{path}", library.head().unwrap());
    repo.git(&["update-index", "--add", "--cacheinfo", &link])
        .unwrap();
    repo.git(&["add", ".gitmodules"]).unwrap();
    repo.git(&["commit", "--quiet", "--message", "pin"])
        .unwrap();
    repo.push().unwrap();
}

impl Setting {
    fn with_submodules(&self, remote: &Remote) -> Result<GitTree, Error> {
        let (Resolved { commit_id, .. }, _) = self.fetch(remote, &Reference::Default).unwrap();
        let deadline = Deadline::after(Duration::from_secs(20));
        let submodules = Submodules {
            client: &self.client,
            remote,
            deadline: &deadline,
        };
        submodules.open(&self.store, commit_id, None)
    }
}

#[test]
fn submodules_are_directories_at_their_pinned_commit() {
    let setting = Setting::new();
    let inner = setting.server.create_repository("team/inner").unwrap();
    inner
        .push_files(&[("inner.yaml", "i: 1\n")], "inner")
        .unwrap();
    let library = setting.server.create_repository("team/library").unwrap();
    library
        .push_files(&[("base/x.yaml", "x: 1\n")], "library")
        .unwrap();
    pin(&library, "deep", "../inner.git", &inner);
    pin(&setting.repo, "libs/library", "../library.git", &library);
    library
        .push_files(&[("base/x.yaml", "x: 2\n")], "newer")
        .unwrap();

    for remote in [setting.http(), setting.ssh()] {
        let tree = setting.with_submodules(&remote).unwrap();
        assert_eq!(tree.read("libs/library/base/x.yaml").unwrap(), b"x: 1\n");
        assert_eq!(
            tree.read("libs/library/deep/inner.yaml").unwrap(),
            b"i: 1\n"
        );
        assert_eq!(tree.entry("libs/library").unwrap(), Some(Entry::Directory));
        let listed = tree.list("libs").unwrap();
        assert_eq!(listed, [("library".to_owned(), Entry::Directory)]);
    }
    let plain = setting.tree(&setting.http());
    assert_eq!(plain.entry("libs/library").unwrap(), Some(Entry::Submodule));
    assert!(plain.read("libs/library/base/x.yaml").is_err());
}

#[test]
fn a_submodule_is_fetched_once() {
    let setting = Setting::new();
    let library = setting.server.create_repository("team/library").unwrap();
    library
        .push_files(&[("x.yaml", "x: 1\n")], "library")
        .unwrap();
    pin(&setting.repo, "library", "../library.git", &library);
    setting.with_submodules(&setting.http()).unwrap();
    let before = setting.server.traffic();
    setting.with_submodules(&setting.http()).unwrap();
    assert_eq!(setting.server.traffic().since(before).fetches, 0);
}

#[test]
fn credentials_are_not_sent_to_the_server_of_a_submodule() {
    let setting = Setting::new();
    let library = setting.server.create_repository("team/library").unwrap();
    library
        .push_files(&[("x.yaml", "x: 1\n")], "library")
        .unwrap();
    // The same machine by another name is another server.
    let elsewhere = setting
        .server
        .http_url("team/library")
        .replace("127.0.0.1", "localhost");
    pin(&setting.repo, "library", &elsewhere, &library);
    setting
        .server
        .set_access(Access::anonymous().with_basic("jane", "secret"));
    let url = setting.server.http_url("team/app");
    let remote = with_secret(&url, &[("username", "jane"), ("password", "secret")]);
    let error = setting.with_submodules(&remote).unwrap_err();
    assert!(
        matches!(&error, Error::Submodule { path, .. } if path == "library"),
        "{error}"
    );
    let Error::Submodule { source, .. } = error else {
        return;
    };
    assert!(matches!(*source, Error::Unauthorized { .. }), "{source}");
}

#[test]
fn dangerous_addresses_of_submodules_are_refused() {
    let setting = Setting::new();
    let library = setting.server.create_repository("team/library").unwrap();
    library
        .push_files(&[("x.yaml", "x: 1\n")], "library")
        .unwrap();
    for url in ["ext::sh", "file:///etc", "-u./x", "../../../../etc/passwd"] {
        pin(&setting.repo, "library", url, &library);
        let error = setting.with_submodules(&setting.http()).unwrap_err();
        assert!(matches!(error, Error::Submodule { .. }), "{url}: {error}");
    }
}

#[test]
fn links_are_shown_as_links_and_never_followed() {
    let setting = Setting::new();
    setting.repo.symlink("out", "/etc/passwd").unwrap();
    setting.repo.symlink("up", "../../..").unwrap();
    setting.repo.commit_and_push("links").unwrap();
    let tree = setting.tree(&setting.http());
    assert_eq!(
        tree.entry("out").unwrap(),
        Some(Entry::Symlink("/etc/passwd".to_owned()))
    );
    assert!(tree.read("out").is_err());
    assert!(tree.list("up").is_err());
    assert_eq!(tree.entry("up/etc/passwd").unwrap(), None);
    assert_eq!(tree.entry("../app").unwrap(), None);
}
