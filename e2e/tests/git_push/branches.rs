//! Push branches other than the source.

use flux_engine::git::{Pushed, Remote};

use crate::setting::{FILE, Setting, draft, read};

const BRANCH: &str = "flux/images";

/// Commits a content of the file to the push branch; tells what was in the files before.
fn bump(setting: &Setting, remote: &Remote, content: &str) -> (Pushed, Vec<String>) {
    let mut bases = Vec::new();
    let pushed = setting.write_with(remote, Some(BRANCH), |_, base| {
        bases.push(base.commit_id.to_string());
        draft(&[(FILE, content.as_bytes())])
    });
    (pushed.unwrap().unwrap(), bases)
}

fn parents(setting: &Setting, commit: &str) -> String {
    setting
        .repo
        .git_bare(&["log", "-1", "--format=%P", commit])
        .unwrap()
}

fn ways(setting: &Setting) -> [Remote; 3] {
    [setting.http(), setting.ssh(), setting.file()]
}

#[test]
fn a_missing_push_branch_is_created_and_then_continued() {
    for way in 0..3 {
        let setting = Setting::new();
        let remote = &ways(&setting)[way];
        let main = setting.repo.head().unwrap();
        let (first, bases) = bump(&setting, remote, "image: app:2\n");
        assert_eq!(bases, [main.as_str()]);
        assert_eq!(first.resolved.short_name.as_deref(), Some(BRANCH));
        let (second, bases) = bump(&setting, remote, "image: app:3\n");
        assert_eq!(bases, [first.resolved.commit_id.to_string()]);
        assert_eq!(
            setting.repo.remote_id(BRANCH).unwrap(),
            second.resolved.commit_id.to_string()
        );
        assert_eq!(
            setting.repo.remote_id("main").unwrap(),
            main,
            "the source stays"
        );
        // main goes on, and the branch holds what main has not: it is continued.
        setting
            .repo
            .push_files(&[("README", "other\n")], "other")
            .unwrap();
        let (third, bases) = bump(&setting, remote, "image: app:4\n");
        assert_eq!(bases, [second.resolved.commit_id.to_string()]);
        assert_eq!(read(&setting.store, &third, "README"), b"hello\n");
        setting.is_sound();
    }
}

#[test]
fn a_merged_push_branch_starts_from_the_source_again() {
    for way in 0..3 {
        let setting = Setting::new();
        let (repo, remote) = (&setting.repo, &ways(&setting)[way]);
        let (first, _) = bump(&setting, remote, "image: app:2\n");
        repo.git(&["pull", "--quiet", "--no-ff", "--no-edit", "origin", BRANCH])
            .unwrap();
        repo.push().unwrap();
        let main = repo.push_files(&[("README", "newer\n")], "newer").unwrap();
        let (second, bases) = bump(&setting, remote, "image: app:3\n");
        assert_eq!(bases, [main.as_str()]);
        let commit = second.resolved.commit_id.to_string();
        assert_eq!(parents(&setting, &commit), main);
        let old = first.resolved.commit_id.to_string();
        repo.git_bare(&["merge-base", "--is-ancestor", &old, &commit])
            .unwrap();
        setting.is_sound();
    }
}

#[test]
fn a_squashed_push_branch_starts_from_the_source_again() {
    for way in 0..3 {
        let setting = Setting::new();
        let (repo, remote) = (&setting.repo, &ways(&setting)[way]);
        bump(&setting, remote, "image: app:2\n");
        bump(&setting, remote, "image: app:3\n");
        repo.push_files(&[("README", "between\n")], "between")
            .unwrap();
        repo.push_files(&[(FILE, "image: app:3\n")], "squashed")
            .unwrap();
        let main = repo
            .push_files(&[("deploy/other.yaml", "x: 1\n")], "after")
            .unwrap();
        let (_, bases) = bump(&setting, remote, "image: app:4\n");
        assert_eq!(bases, [main]);
        setting.is_sound();
    }
}

#[test]
fn a_commit_that_is_not_merged_is_never_left_behind() {
    let setting = Setting::new();
    let (repo, remote) = (&setting.repo, &setting.http());
    bump(&setting, remote, "image: app:2\n");
    // The update is squashed into main, and a person has added a commit to the branch.
    repo.push_files(&[(FILE, "image: app:2\n")], "squashed")
        .unwrap();
    repo.git(&["fetch", "--quiet", "origin", BRANCH]).unwrap();
    repo.git(&["switch", "--quiet", "-c", BRANCH, "FETCH_HEAD"])
        .unwrap();
    let person = repo
        .push_files(&[("fix.yaml", "fix: 1\n")], "a fix")
        .unwrap();
    let (second, bases) = bump(&setting, remote, "image: app:3\n");
    assert_eq!(bases, [person.as_str()]);
    assert_eq!(
        parents(&setting, &second.resolved.commit_id.to_string()),
        person
    );
}

#[test]
fn a_person_who_takes_the_update_back_is_heard() {
    let setting = Setting::new();
    let (repo, remote) = (&setting.repo, &setting.http());
    bump(&setting, remote, "image: app:2\n");
    repo.push_files(&[("README", "main goes on\n")], "on")
        .unwrap();
    repo.git(&["fetch", "--quiet", "origin", BRANCH]).unwrap();
    repo.git(&["switch", "--quiet", "-c", BRANCH, "FETCH_HEAD"])
        .unwrap();
    repo.git(&["revert", "--no-edit", "HEAD"]).unwrap();
    repo.push().unwrap();
    let back = repo.head().unwrap();
    let (_, bases) = bump(&setting, remote, "image: app:3\n");
    assert_eq!(bases, [back]);
}

#[test]
fn a_server_that_forbids_a_fresh_start_is_believed_at_once() {
    let setting = Setting::new();
    let (repo, remote) = (&setting.repo, &setting.http());
    bump(&setting, remote, "image: app:2\n");
    repo.push_files(&[(FILE, "image: app:2\n")], "squashed")
        .unwrap();
    repo.git_bare(&["config", "receive.denyNonFastForwards", "true"])
        .unwrap();
    let before = setting.server.traffic();
    let error = setting
        .write_with(remote, Some(BRANCH), |_, _| {
            draft(&[(FILE, b"image: app:3\n")])
        })
        .unwrap_err();
    assert!(error.to_string().contains("delete it"), "{error}");
    assert_eq!(setting.server.traffic().since(before).pushes, 1);
}
