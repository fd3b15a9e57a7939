//! Two writers on one branch.

use std::{collections::BTreeSet, time::Duration};

use flux_core::git::Reference;
use flux_engine::git::{Deadline, Destination, Remote, Store, WriteError, write_back};
use flux_kustomize::{FileTree, TreeError};

use crate::setting::{FILE, Setting, draft};

const ROUNDS: usize = 50;

/// Appends one line to the file again and again, as fast as it can.
fn writer(setting: &Setting, remote: &Remote, name: &str) -> u32 {
    let store = Store::open(setting.directory.path().join(name)).unwrap();
    let mut attempts = 0;
    for round in 0..ROUNDS {
        let destination = Destination {
            client: &setting.client,
            remote,
            store: &store,
            source: &Reference::Default,
            branch: None,
            deadline: &Deadline::after(Duration::from_mins(1)),
        };
        let pushed: Result<_, WriteError<TreeError>> = write_back(&destination, |tree, _| {
            let mut content = tree.read(FILE)?;
            content.extend_from_slice(format!("{name} {round}\n").as_bytes());
            Ok(Some(draft(&[(FILE, &content)])))
        });
        attempts += pushed.unwrap().unwrap().attempts;
    }
    attempts
}

#[test]
fn of_two_writers_no_commit_is_lost_or_doubled() {
    let setting = Setting::new();
    let (http, ssh) = (setting.http(), setting.ssh());
    let attempts = std::thread::scope(|scope| {
        let one = scope.spawn(|| writer(&setting, &http, "one"));
        let two = scope.spawn(|| writer(&setting, &ssh, "two"));
        one.join().unwrap() + two.join().unwrap()
    });
    let content = setting
        .repo
        .git_bare(&["show", &format!("main:{FILE}")])
        .unwrap();
    let lines: Vec<_> = content.lines().skip(1).collect();
    let distinct: BTreeSet<_> = lines.iter().collect();
    assert_eq!((lines.len(), distinct.len()), (2 * ROUNDS, 2 * ROUNDS));
    let commits = setting
        .repo
        .git_bare(&["rev-list", "--count", "main"])
        .unwrap();
    assert_eq!(commits, (1 + 2 * ROUNDS).to_string());
    let merges = setting
        .repo
        .git_bare(&["rev-list", "--count", "--merges", "main"])
        .unwrap();
    assert_eq!(merges, "0");
    assert!(
        attempts as usize > 2 * ROUNDS,
        "they did not meet: {attempts}"
    );
    setting.is_sound();
}
