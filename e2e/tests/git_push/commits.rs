//! What is committed, and how it gets there.

use crate::setting::{FILE, Setting, draft, read};

#[test]
fn an_edit_becomes_one_commit_over_every_way() {
    let setting = Setting::new();
    for (n, remote) in [setting.http(), setting.ssh(), setting.file()]
        .iter()
        .enumerate()
    {
        let before = setting.repo.remote_id("main").unwrap();
        let content = format!("image: app:{}\r\n", n + 2);
        let files: &[(&str, &[u8])] = &[(FILE, content.as_bytes())];
        let pushed = setting.write(remote, files).unwrap().unwrap();
        let commit = setting.repo.remote_id("main").unwrap();
        assert_eq!(
            pushed.resolved.revision().to_string(),
            format!("main@sha1:{commit}")
        );
        assert_eq!(pushed.commit.parents[0].to_string(), before);
        assert_eq!(pushed.attempts, 1);
        assert!(setting.store.has(&pushed.resolved));
        assert_eq!(read(&setting.store, &pushed, FILE), content.as_bytes());
        assert_eq!(read(&setting.store, &pushed, "README"), b"hello\n");
        let shown = setting
            .repo
            .git_bare(&["log", "-1", "--format=%an <%ae> %cn <%ce> %ad|%B", "main"])
            .unwrap();
        assert_eq!(
            shown,
            "Jane <jane@example.com> Flux <flux@example.com> Thu Jan 1 12:00:00 2026 +0200|Update app\n\nfrom 1 to 2"
        );
        assert!(
            setting.write(remote, files).unwrap().is_none(),
            "nothing left to change"
        );
    }
    setting.is_sound();
}

#[test]
fn only_the_bytes_of_the_file_change_and_modes_stay() {
    let setting = Setting::new();
    let repo = &setting.repo;
    repo.write("bin/run", "#!/bin/sh\n").unwrap();
    repo.git(&["add", "bin/run"]).unwrap();
    repo.git(&["update-index", "--chmod=+x", "bin/run"])
        .unwrap();
    repo.git(&["config", "core.fileMode", "false"]).unwrap();
    repo.symlink("link.yaml", FILE).unwrap();
    repo.symlink("linked", "deploy").unwrap();
    repo.commit_and_push("modes").unwrap();
    let files: &[(&str, &[u8])] = &[("bin/run", b"#!/bin/bash\r\n"), ("new/a/b.yaml", b"x: 1")];
    setting.write(&setting.http(), files).unwrap().unwrap();
    let listed = repo
        .git_bare(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"])
        .unwrap();
    assert_eq!(
        listed,
        "100644 README\n100755 bin/run\n100644 deploy/app.yaml\n120000 link.yaml\n120000 linked\n100644 new/a/b.yaml"
    );
    let changed = repo
        .git_bare(&["diff", "--name-only", "main~1", "main"])
        .unwrap();
    assert_eq!(changed, "bin/run\nnew/a/b.yaml");
    setting.is_sound();
    for path in [
        "link.yaml",
        "linked/app.yaml",
        "deploy",
        "deploy/app.yaml/x",
        "../x",
        ".git/config",
        "/x",
        "a//b",
        "",
    ] {
        let error = setting
            .write_with(&setting.http(), None, |_, _| draft(&[(path, b"x")]))
            .unwrap_err();
        assert!(
            error.to_string().contains("cannot be written"),
            "{path}: {error}"
        );
    }
}
