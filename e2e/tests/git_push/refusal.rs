//! Servers that do not want it.

use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use flux_core::git::Reference;
use flux_e2e::git_server::Access;
use flux_engine::git::{Credentials, Deadline, Destination, Error, Remote, WriteError, write_back};

use crate::setting::{FILE, Outcome, Setting, draft};

const FILES: &[(&str, &[u8])] = &[(FILE, b"image: app:2\n")];

pub(crate) fn hook(setting: &Setting, name: &str, script: &str) {
    let path = setting.repo.bare().join("hooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn reason(outcome: Outcome) -> String {
    let error = outcome.unwrap_err();
    let WriteError::Git(Error::Refused { reason, .. }) = error else {
        return format!("not refused: {error}");
    };
    reason
}

fn with_password(setting: &Setting, password: &str) -> Remote {
    let access = Access::anonymous().with_basic("jane", password);
    setting.server.set_access(access);
    let url = setting.server.http_url("team/app").parse().unwrap();
    let data = [("username", "jane"), ("password", password)];
    let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
    Remote {
        credentials: Credentials::from_secret(&url, &data.into()).unwrap(),
        ..Remote::anonymous(url)
    }
}

#[test]
fn a_hook_that_declines_is_heard_once_and_without_our_password() {
    let setting = Setting::new();
    hook(
        &setting,
        "pre-receive",
        "echo 'main is protected (hunter2)' >&2; exit 1",
    );
    let http = with_password(&setting, "hunter2");
    let before = setting.server.traffic();
    let said = reason(setting.write(&http, FILES));
    assert_eq!(said, "pre-receive hook declined (main is protected (…))");
    assert_eq!(setting.server.traffic().since(before).pushes, 1);
    let said = reason(setting.write(&setting.ssh(), FILES));
    assert!(said.contains("main is protected"), "{said}");
    assert_eq!(
        setting.repo.remote_id("main").unwrap(),
        setting.repo.head().unwrap()
    );
    assert!(setting.store.path().join("kept").is_file());
    let kept = std::fs::read_to_string(setting.store.path().join("kept")).unwrap();
    assert_eq!(
        kept.trim(),
        setting.repo.head().unwrap(),
        "what was refused is not kept"
    );
}

#[test]
fn a_read_only_repository_says_why() {
    let setting = Setting::new();
    let http = with_password(&setting, "secret");
    let access = Access::anonymous().with_basic("jane", "secret");
    let why = "This repository was archived so it is read-only.";
    setting.server.set_access(access.with_read_only(why));
    for remote in [http, setting.ssh()] {
        let said = reason(setting.write(&remote, FILES));
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_push_without_credentials_asks_for_them() {
    let setting = Setting::new();
    setting
        .server
        .set_access(Access::anonymous().with_basic("jane", "secret"));
    let error = setting.write(&setting.http(), FILES).unwrap_err();
    assert!(
        matches!(error, WriteError::Git(Error::Unauthorized { .. })),
        "{error}"
    );
}

#[test]
fn a_branch_that_cannot_be_made_is_given_up() {
    let setting = Setting::new();
    for remote in [setting.http(), setting.file()] {
        let outcome = setting.write_with(&remote, Some("main/below"), |_, _| draft(FILES));
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("refuses the push"), "{error}");
    }
}

#[test]
fn a_work_tree_is_not_pushed_into() {
    let setting = Setting::new();
    let path = setting.repo.work().to_str().unwrap();
    let remote = Remote::anonymous(format!("file://{path}").parse().unwrap());
    let said = reason(setting.write(&remote, FILES));
    assert!(said.contains("checked out"), "{said}");
}

#[test]
fn a_tag_cannot_be_written_to() {
    let setting = Setting::new();
    setting.repo.tag("v1").unwrap();
    let destination = Destination {
        client: &setting.client,
        remote: &setting.http(),
        store: &setting.store,
        source: &Reference::Tag("v1".to_owned()),
        branch: None,
        deadline: &Deadline::after(Duration::from_secs(20)),
    };
    let outcome: Outcome = write_back(&destination, |_, _| Ok(Some(draft(FILES))));
    let error = outcome.unwrap_err().to_string();
    assert_eq!(
        error,
        "the repository follows a tag, not a branch: set spec.write.branch"
    );
    // With a branch, that starts from the tag.
    let destination = Destination {
        branch: Some("next"),
        ..destination
    };
    let outcome: Outcome = write_back(&destination, |_, _| Ok(Some(draft(FILES))));
    assert_eq!(
        outcome.unwrap().unwrap().resolved.short_name.as_deref(),
        Some("next")
    );
}

#[test]
fn a_push_that_hangs_is_cut_off_by_the_deadline() {
    let setting = Setting::new();
    hook(&setting, "pre-receive", "sleep 5");
    for remote in [setting.http(), setting.ssh()] {
        let begin = Instant::now();
        let destination = Destination {
            client: &setting.client,
            remote: &remote,
            store: &setting.store,
            source: &Reference::Default,
            branch: None,
            deadline: &Deadline::after(Duration::from_secs(1)),
        };
        let outcome: Outcome = write_back(&destination, |_, _| Ok(Some(draft(FILES))));
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, WriteError::Git(Error::TimedOut { .. })),
            "{error}"
        );
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "{:?}",
            begin.elapsed()
        );
    }
}
