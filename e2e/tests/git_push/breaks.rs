//! Connections that break when the pack is on its way.

use flux_e2e::git_server::Conduct;

use crate::{
    refusal::hook,
    setting::{FILE, Setting, draft, read},
};

const FILES: &[(&str, &[u8])] = &[(FILE, b"image: app:2\n")];

fn count(setting: &Setting) -> String {
    setting
        .repo
        .git_bare(&["rev-list", "--count", "main"])
        .unwrap()
}

#[test]
fn a_push_whose_answer_was_lost_is_not_done_twice() {
    for way in 0..2 {
        let setting = Setting::new();
        let remote = if way == 0 {
            setting.http()
        } else {
            setting.ssh()
        };
        let outcome = setting.write_with(&remote, None, |_, _| {
            setting.server.set_conduct(Conduct::LosingAnswers);
            draft(FILES)
        });
        let pushed = outcome.unwrap().unwrap();
        assert_eq!(pushed.attempts, 1);
        assert_eq!(
            setting.repo.remote_id("main").unwrap(),
            pushed.resolved.commit_id.to_string()
        );
        assert_eq!(read(&setting.store, &pushed, FILE), FILES[0].1);
        assert_eq!(count(&setting), "2");
    }
}

#[test]
fn a_lost_answer_is_understood_when_others_went_on() {
    for way in 0..2 {
        let setting = Setting::new();
        let remote = if way == 0 {
            setting.http()
        } else {
            setting.ssh()
        };
        // Someone pushes on top at once, before the answer is lost.
        let script = r#"[ "$1" = committed ] || exit 0
[ -e once ] && exit 0
touch once
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
unset GIT_QUARANTINE_PATH
next=$(git commit-tree -p main -m "on top" main^{tree})
git update-ref refs/heads/main "$next""#;
        hook(&setting, "reference-transaction", script);
        let mut edits = 0;
        let outcome = setting.write_with(&remote, None, |_, _| {
            edits += 1;
            setting.server.set_conduct(Conduct::LosingAnswers);
            draft(FILES)
        });
        let pushed = outcome.unwrap().unwrap();
        let parent = setting.repo.remote_id("main~1").unwrap();
        assert_eq!((pushed.resolved.commit_id.to_string(), edits), (parent, 1));
        assert_eq!(count(&setting), "3");
    }
}

#[test]
fn a_push_that_did_not_arrive_is_sent_again() {
    for way in 0..2 {
        let setting = Setting::new();
        let remote = if way == 0 {
            setting.http()
        } else {
            setting.ssh()
        };
        // The first push breaks the process that takes it.
        hook(
            &setting,
            "pre-receive",
            "[ -e once ] && exit 0; touch once; kill -9 $PPID; sleep 1",
        );
        let mut edits = 0;
        let outcome = setting.write_with(&remote, None, |_, _| {
            edits += 1;
            draft(FILES)
        });
        let pushed = outcome.unwrap().unwrap();
        assert_eq!((pushed.attempts, edits), (2, 1));
        assert_eq!(count(&setting), "2");
        setting.is_sound();
    }
}

#[test]
fn a_server_that_goes_away_is_an_error_and_nothing_is_kept() {
    let setting = Setting::new();
    let outcome = setting.write_with(&setting.http(), None, |_, _| {
        setting.server.go_away().unwrap();
        draft(FILES)
    });
    assert!(outcome.is_err());
    setting.server.come_back().unwrap();
    let pushed = setting.write(&setting.http(), FILES).unwrap().unwrap();
    assert_eq!(count(&setting), "2");
    assert_eq!(pushed.attempts, 1);
}
