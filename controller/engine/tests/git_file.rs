//! A repository in a directory, made by git itself, read through the whole engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{path::Path, process::Command, time::Duration};

use flux_core::git::{ObjectId, Reference};
use flux_engine::git::{Client, Commit, Deadline, Error, GitTree, Options, Remote, Store};
use flux_kustomize::{Entry, FileTree};
use tempfile::TempDir;

/// A repository and a store, both gone when the test ends.
struct Fixture {
    directory: TempDir,
    client: Client,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let options = Options {
            allow_file: true,
            ..Options::default()
        };
        let fixture = Self {
            client: Client::new(options).unwrap(),
            store: Store::open(directory.path().join("store")).unwrap(),
            directory,
        };
        std::fs::create_dir(fixture.repository()).unwrap();
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    fn repository(&self) -> std::path::PathBuf {
        self.directory.path().join("repository")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.repository())
            .args([
                "-c",
                "user.name=Jane",
                "-c",
                "user.email=jane@example.com",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repository().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, message: &str) -> ObjectId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    fn remote(&self) -> Remote {
        Remote::anonymous(
            format!("file://{}", self.repository().display())
                .parse()
                .unwrap(),
        )
    }

    fn fetch(&self, reference: &Reference) -> Result<ObjectId, Error> {
        let deadline = Deadline::after(Duration::from_secs(20));
        let mut session = self.client.connect(&self.remote(), &deadline)?;
        let resolved = session.resolve(reference)?;
        session.fetch(&self.store, &resolved)?;
        assert!(self.store.has(&resolved));
        Ok(resolved.commit_id)
    }

    fn tree(&self) -> GitTree {
        let commit_id = self.fetch(&Reference::Default).unwrap();
        GitTree::open(&self.store, commit_id, None).unwrap()
    }
}

fn names(tree: &GitTree, path: &str) -> Vec<String> {
    tree.list(path)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn the_files_of_the_default_branch_are_read() {
    let fixture = Fixture::new();
    fixture.write("a/b.yaml", "b: 1\n");
    fixture.write("a.yaml", "a: 1\n");
    fixture.write("a-b/x", "x");
    fixture.write(".gitignore", "none");
    std::os::unix::fs::symlink("../a.yaml", fixture.repository().join("a/link")).unwrap();
    fixture.commit("first");

    let tree = fixture.tree();
    assert_eq!(names(&tree, ""), ["a", "a-b", "a.yaml"]);
    assert_eq!(tree.read("a/b.yaml").unwrap(), b"b: 1\n");
    assert_eq!(tree.entry("a").unwrap(), Some(Entry::Directory));
    assert_eq!(tree.entry("a/b.yaml").unwrap(), Some(Entry::File));
    assert_eq!(
        tree.entry("a/link").unwrap(),
        Some(Entry::Symlink("../a.yaml".to_owned()))
    );
    assert_eq!(tree.entry("a/none").unwrap(), None);
    assert_eq!(tree.entry("a.yaml/x").unwrap(), None);
    assert_eq!(tree.entry("../a.yaml").unwrap(), None);
    assert!(tree.read("a").is_err());
    assert!(tree.list("none").is_err());
}

#[test]
fn object_ids_are_those_of_git_and_change_only_where_something_changed() {
    let fixture = Fixture::new();
    fixture.write("one/x.yaml", "x: 1\n");
    fixture.write("two/y.yaml", "y: 1\n");
    fixture.commit("first");
    let before = fixture.tree();
    let git_id = fixture.git(&["rev-parse", "HEAD:one"]);
    assert_eq!(
        before.object_id("one").unwrap().unwrap().to_string(),
        git_id
    );

    fixture.write("two/y.yaml", "y: 2\n");
    fixture.commit("second");
    let after = fixture.tree();
    assert_eq!(
        before.object_id("one").unwrap(),
        after.object_id("one").unwrap()
    );
    assert_ne!(
        before.object_id("two").unwrap(),
        after.object_id("two").unwrap()
    );
    assert_ne!(before.object_id("").unwrap(), after.object_id("").unwrap());
    assert_eq!(
        before.read("two/y.yaml").unwrap(),
        b"y: 1\n",
        "an older revision stays readable"
    );
}

#[test]
fn a_changed_ignore_file_above_changes_the_id_of_a_directory() {
    let fixture = Fixture::new();
    fixture.write("one/x.yaml", "x: 1\n");
    fixture.write(".sourceignore", "*.md\n");
    fixture.commit("first");
    let before = fixture.tree();
    fixture.write(".sourceignore", "*.yaml\n");
    fixture.commit("second");
    let after = fixture.tree();
    assert_ne!(
        before.object_id("one").unwrap(),
        after.object_id("one").unwrap()
    );
    assert_eq!(names(&before, "one"), ["x.yaml"]);
    assert!(names(&after, "one").is_empty());
    assert_eq!(after.object_id("one/x.yaml").unwrap(), None);
}

#[test]
fn a_commit_says_who_when_and_what() {
    let fixture = Fixture::new();
    let commit_id = fixture.commit("subject line\n\nbody");
    fixture.tree();
    let commit = Commit::read(&fixture.store, commit_id).unwrap();
    assert_eq!(commit.author, "Jane <jane@example.com>");
    assert_eq!(commit.subject, "subject line");
    let seconds: i64 = fixture.git(&["log", "-1", "--format=%ct"]).parse().unwrap();
    assert_eq!(commit.time.as_second(), seconds);
}

#[test]
fn branches_tags_versions_names_and_commits_are_found() {
    let fixture = Fixture::new();
    let first = fixture.commit("first");
    fixture.git(&["tag", "v1.0.0"]);
    let second = fixture.commit("second");
    fixture.git(&["tag", "-a", "v1.1.0", "-m", "annotated"]);
    fixture.git(&["branch", "release/1"]);
    fixture.git(&["pack-refs", "--all"]);
    let third = fixture.commit("third");
    let find = |reference: Reference| fixture.fetch(&reference);
    assert_eq!(find(Reference::Default).unwrap(), third);
    assert_eq!(find(Reference::Branch("release/1".into())).unwrap(), second);
    assert_eq!(find(Reference::Tag("v1.0.0".into())).unwrap(), first);
    assert_eq!(find(Reference::Tag("v1.1.0".into())).unwrap(), second);
    assert_eq!(
        find(Reference::SemVer("1.x".parse().unwrap())).unwrap(),
        second
    );
    assert_eq!(
        find(Reference::Name("refs/heads/release/1".into())).unwrap(),
        second
    );
    let commit = Reference::Commit {
        commit_id: first,
        branch: None,
    };
    assert_eq!(find(commit).unwrap(), first);
    let error = find(Reference::Branch("none".into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the repository has no ref refs/heads/none"
    );
}

#[test]
fn file_repositories_need_an_option() {
    let fixture = Fixture::new();
    let client = Client::new(Options::default()).unwrap();
    let error = client
        .connect(&fixture.remote(), &Deadline::after(Duration::from_secs(1)))
        .unwrap_err();
    assert!(matches!(error, Error::SchemeNotAllowed { .. }), "{error}");
}

#[test]
fn garbage_of_a_killed_fetch_is_removed_when_the_store_is_opened() {
    let fixture = Fixture::new();
    fixture.commit("first");
    fixture.tree();
    let packs = fixture.store.path().join("objects/pack");
    let count = || std::fs::read_dir(&packs).unwrap().count();
    let before = count();
    std::fs::write(packs.join("tmp_pack_123"), "half").unwrap();
    std::fs::write(
        packs.join("pack-0000000000000000000000000000000000000000.pack"),
        "half",
    )
    .unwrap();
    Store::open(fixture.store.path()).unwrap();
    assert_eq!(count(), before);
}

#[test]
fn a_damaged_store_heals_by_one_fetch() {
    let fixture = Fixture::new();
    fixture.write("x.yaml", &"x: 1\n".repeat(1000));
    fixture.commit("first");
    fixture.tree();
    let packs = fixture.store.path().join("objects/pack");
    for entry in std::fs::read_dir(&packs).unwrap() {
        let path = entry.unwrap().path();
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        std::fs::write(&path, vec![0; usize::try_from(length).unwrap()]).unwrap();
    }
    let store = Store::open(fixture.store.path()).unwrap();
    let healed = Fixture { store, ..fixture };
    assert_eq!(healed.tree().read("x.yaml").unwrap().len(), 5000);
}

#[test]
fn many_fetches_become_one_pack_and_old_commits_go() {
    let fixture = Fixture::new();
    let mut commits = Vec::new();
    for round in 0..20 {
        fixture.write("x.yaml", &format!("x: {round}\n"));
        fixture.write(&format!("keep/{round}.yaml"), "k: 1\n");
        commits.push(fixture.commit("more"));
        fixture.tree();
    }
    let oldest = commits[0];
    fixture.store.retain([oldest]);
    let old = GitTree::open(&fixture.store, commits[15], None).unwrap();
    assert!(fixture.store.collect().unwrap());
    let packs = std::fs::read_dir(fixture.store.path().join("objects/pack"))
        .unwrap()
        .count();
    assert_eq!(packs, 2, "a pack and its index");
    assert_eq!(old.read("x.yaml").unwrap(), b"x: 15\n");
    assert!(
        GitTree::open(&fixture.store, commits[5], None).is_err(),
        "no longer kept"
    );
    assert_eq!(fixture.tree().read("x.yaml").unwrap(), b"x: 19\n");
    let reopened = Store::open(fixture.store.path()).unwrap();
    let tree = GitTree::open(&reopened, commits[19], None).unwrap();
    assert_eq!(names(&tree, "keep").len(), 20);
}

#[test]
fn a_symlink_that_no_system_could_have_is_refused() {
    let fixture = Fixture::new();
    fixture.write("a.yaml", &"a".repeat(4097));
    fixture.commit("first");
    let id = fixture.git(&["rev-parse", "HEAD:a.yaml"]);
    let link = format!("120000,{},link", id.trim());
    fixture.git(&["update-index", "--add", "--cacheinfo", &link]);
    fixture.git(&["commit", "--message", "second"]);
    let tree = fixture.tree();
    for error in [tree.entry("link").unwrap_err(), tree.list("").unwrap_err()] {
        assert!(error.to_string().contains("4096 bytes"), "{error}");
    }
}
