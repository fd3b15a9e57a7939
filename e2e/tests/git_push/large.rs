//! A large repository: 20,000 files and 10,000 commits.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use flux_e2e::git_repo::git_command;

use crate::setting::{Setting, draft};

/// Writes the history that `git fast-import` reads.
fn history() -> String {
    let mut text = String::new();
    for n in 1..=10_000_u32 {
        let commit = format!(
            "commit refs/heads/main\nmark :{n}\ncommitter J <j@x> {} +0000\ndata 1\nx\n",
            1_767_225_600 + n
        );
        text.push_str(&commit);
        let first = 2 * (n - 1);
        for file in [first, first + 1] {
            let content = format!("image: app:{file}\n");
            writeln!(
                text,
                "M 100644 inline apps/{:03}/app-{file:05}.yaml\ndata {}\n{content}",
                file % 200,
                content.len()
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn one_line_of_many_files_is_committed_within_a_second() {
    let setting = Setting::new();
    let mut import = git_command(setting.repo.bare());
    import
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import
        .stdin
        .take()
        .unwrap()
        .write_all(history().as_bytes())
        .unwrap();
    assert!(import.wait().unwrap().success());
    let path = "apps/123/app-00123.yaml";
    for remote in [setting.http(), setting.ssh()] {
        let mut best = Duration::MAX;
        for round in 0..4 {
            let content = format!("image: app:{}-{round}\n", remote.url.port());
            let files: &[(&str, &[u8])] = &[(path, content.as_bytes())];
            let before = setting.server.traffic();
            let begin = Instant::now();
            let pushed = setting.write(&remote, files).unwrap().unwrap();
            best = best.min(begin.elapsed());
            let received = setting.server.traffic().since(before).received;
            assert!(pushed.bytes_sent < 20_000, "{} bytes", pushed.bytes_sent);
            assert!(received < 100_000, "{received} bytes");
        }
        assert!(best < Duration::from_secs(1), "{best:?}");
    }
    let outcome = setting.write_with(&setting.http(), None, |_, _| {
        draft(&[(path, b"image: app:last\n")])
    });
    assert_eq!(outcome.unwrap().unwrap().attempts, 1);
}
