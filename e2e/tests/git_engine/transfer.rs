//! What goes over the wire, also when the server misbehaves.

use std::time::{Duration, Instant};

use flux_core::git::Reference;
use flux_e2e::git_server::Conduct;
use flux_engine::git::{Client, Deadline, Error, GitTree, Options, Store};
use flux_kustomize::FileTree;

use crate::setting::{Setting, id, noise};

#[test]
fn every_kind_of_reference_is_found_over_http_and_ssh() {
    let setting = Setting::new();
    let repo = &setting.repo;
    let first = repo.head().unwrap();
    repo.tag("v1.0.0").unwrap();
    let second = repo.push_files(&[("b.yaml", "b: 1\n")], "second").unwrap();
    repo.annotated_tag("v1.1.0", "annotated").unwrap();
    repo.switch("release/1").unwrap();
    let third = repo.push_files(&[("c.yaml", "c: 1\n")], "third").unwrap();
    for remote in [setting.http(), setting.ssh()] {
        let find = |reference: Reference| setting.fetch(&remote, &reference).unwrap().0;
        assert_eq!(
            find(Reference::Default).revision().to_string(),
            format!("main@sha1:{second}")
        );
        assert_eq!(
            find(Reference::Branch("release/1".into())).commit_id,
            id(&third)
        );
        assert_eq!(find(Reference::Tag("v1.0.0".into())).commit_id, id(&first));
        let annotated = find(Reference::Tag("v1.1.0".into()));
        assert_eq!(annotated.commit_id, id(&second));
        assert!(annotated.tag_id.is_some() && setting.store.has(&annotated));
        assert_eq!(
            find(Reference::SemVer(">=1.0.0 <2.0.0".parse().unwrap())),
            annotated
        );
        assert_eq!(
            find(Reference::Name("refs/heads/release/1".into())).commit_id,
            id(&third)
        );
        let commit = Reference::Commit {
            commit_id: id(&first),
            branch: Some("main".into()),
        };
        assert_eq!(
            find(commit).revision().to_string(),
            format!("main@sha1:{first}")
        );
    }
}

#[test]
fn a_poll_without_news_downloads_nothing() {
    let setting = Setting::new();
    setting.arrives(&setting.http());
    let before = setting.server.traffic();
    let (_, fetched) = setting.fetch(&setting.http(), &Reference::Default).unwrap();
    let traffic = setting.server.traffic().since(before);
    assert_eq!(
        (fetched.objects, traffic.fetches, traffic.listings),
        (0, 0, 1)
    );
}

#[test]
fn a_fetch_brings_only_what_is_missing() {
    let setting = Setting::new();
    let noise = noise();
    setting
        .repo
        .push_files(&[("big.yaml", &noise)], "big")
        .unwrap();
    for remote in [setting.http(), setting.ssh()] {
        let store =
            Store::open(setting.directory.path().join(remote.url.port().to_string())).unwrap();
        let deadline = Deadline::after(Duration::from_secs(20));
        let fetch = || {
            let mut session = setting.client.connect(&remote, &deadline).unwrap();
            let resolved = session.resolve(&Reference::Default).unwrap();
            (
                session.fetch(&store, &resolved).unwrap(),
                resolved.commit_id,
            )
        };
        let (whole, _) = fetch();
        assert!(whole.bytes_received > 100_000, "{whole:?}");
        setting
            .repo
            .push_files(
                &[("deploy/app.yaml", &format!("port: {}\n", remote.url.port()))],
                "small",
            )
            .unwrap();
        let (part, commit_id) = fetch();
        assert!(part.bytes_received < 2_000, "{part:?}");
        let tree = GitTree::open(&store, commit_id, None).unwrap();
        assert_eq!(tree.read("big.yaml").unwrap().len(), noise.len());
    }
}

#[test]
fn a_force_pushed_branch_is_followed() {
    let setting = Setting::new();
    setting
        .repo
        .push_files(&[("wrong.yaml", "x")], "wrong")
        .unwrap();
    setting.tree(&setting.http());
    setting.repo.reset("HEAD~1").unwrap();
    setting.repo.write("right.yaml", "x").unwrap();
    setting.repo.commit("right").unwrap();
    setting.repo.force_push().unwrap();
    let tree = setting.tree(&setting.http());
    assert_eq!(tree.entry("wrong.yaml").unwrap(), None);
    assert!(tree.entry("right.yaml").unwrap().is_some());
}

#[test]
fn a_silent_server_is_left_at_the_deadline() {
    let setting = Setting::new();
    setting.server.set_conduct(Conduct::Hanging);
    for remote in [setting.http(), setting.ssh()] {
        let begin = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(300));
        let error = setting.client.connect(&remote, &deadline).unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn a_fetch_is_cancelled_in_the_middle_of_a_pack() {
    let setting = Setting::new();
    setting
        .repo
        .push_files(&[("big.yaml", &noise())], "big")
        .unwrap();
    setting.server.set_conduct(Conduct::Throttled(20_000));
    for remote in [setting.http(), setting.ssh()] {
        let deadline = Deadline::after(Duration::from_mins(1));
        let mut session = setting.client.connect(&remote, &deadline).unwrap();
        let resolved = session.resolve(&Reference::Default).unwrap();
        let outcome = std::thread::scope(|scope| {
            let fetch = scope.spawn(|| session.fetch(&setting.store, &resolved));
            while setting.packs().is_empty() && !fetch.is_finished() {
                std::thread::yield_now();
            }
            deadline.cancel();
            fetch.join().unwrap()
        });
        assert!(
            matches!(outcome, Err(Error::Cancelled { .. })),
            "{outcome:?}"
        );
        assert!(!setting.store.has(&resolved));
        assert!(setting.packs().is_empty(), "{:?}", setting.packs());
    }
}

#[test]
fn a_broken_off_pack_leaves_nothing_and_the_next_fetch_succeeds() {
    let setting = Setting::new();
    let noise = noise();
    setting
        .repo
        .push_files(&[("big.yaml", &noise)], "big")
        .unwrap();
    setting.server.set_conduct(Conduct::Cutting(20_000));
    assert!(setting.fetch(&setting.http(), &Reference::Default).is_err());
    assert!(setting.packs().is_empty(), "{:?}", setting.packs());
    setting.server.set_conduct(Conduct::Good);
    setting.arrives(&setting.http());
}

#[test]
fn what_was_fetched_stays_readable_while_the_server_is_away() {
    let setting = Setting::new();
    let tree = setting.tree(&setting.http());
    setting.server.go_away().unwrap();
    let error = setting
        .fetch(&setting.http(), &Reference::Default)
        .unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert_eq!(tree.read("deploy/app.yaml").unwrap(), b"kind: ConfigMap\n");
    setting.server.come_back().unwrap();
    setting.arrives(&setting.http());
}

#[test]
fn a_failing_server_is_named_with_its_status() {
    let setting = Setting::new();
    setting.server.set_conduct(Conduct::Failing(503));
    let error = setting
        .fetch(&setting.http(), &Reference::Default)
        .unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 503, .. }),
        "{error}"
    );
    let error = setting
        .fetch(&setting.ssh(), &Reference::Default)
        .unwrap_err();
    assert!(error.to_string().contains("fails on purpose"), "{error}");
}

#[test]
fn too_large_an_answer_is_refused() {
    let setting = Setting::new();
    let noise = noise();
    setting
        .repo
        .push_files(&[("big.yaml", &noise)], "big")
        .unwrap();
    let options = Options {
        allow_http: true,
        max_bytes: 50_000,
        ..Options::default()
    };
    let small = Setting {
        client: Client::new(options).unwrap(),
        ..setting
    };
    for remote in [small.http(), small.ssh()] {
        let error = small.fetch(&remote, &Reference::Default).unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { limit: 50_000 }),
            "{error}"
        );
    }
}

#[test]
fn a_damaged_store_heals_by_one_fetch() {
    let setting = Setting::new();
    setting.arrives(&setting.http());
    let packs = setting.store.path().join("objects/pack");
    for entry in std::fs::read_dir(&packs).unwrap() {
        let path = entry.unwrap().path();
        std::fs::remove_file(&path).unwrap();
        if path.extension().is_some_and(|end| end == "idx") {
            continue;
        }
        std::fs::write(&path, "not a pack").unwrap();
    }
    setting
        .repo
        .push_files(&[("b.yaml", "b: 1\n")], "second")
        .unwrap();
    setting.arrives(&setting.http());
}

#[test]
fn a_poll_after_a_push_is_fast() {
    let setting = Setting::new();
    setting.arrives(&setting.http());
    let mut best = Duration::MAX;
    for round in 0..5 {
        setting
            .repo
            .push_files(&[("deploy/app.yaml", &format!("round: {round}\n"))], "next")
            .unwrap();
        let begin = Instant::now();
        setting.fetch(&setting.http(), &Reference::Default).unwrap();
        best = best.min(begin.elapsed());
    }
    assert!(best < Duration::from_millis(100), "{best:?}");
}
