use rstest::rstest;

use super::*;

fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes([byte; 20])
}

fn remote(name: &str, byte: u8) -> RemoteRef {
    RemoteRef {
        name: name.to_owned(),
        commit_id: id(byte),
        tag_id: None,
        target: None,
    }
}

#[rstest]
#[case("main")]
#[case("release/1.0")]
#[case("feature/käse")]
#[case("v1.0.0+build")]
fn a_name_that_git_accepts_is_accepted(#[case] name: &str) {
    assert_eq!(Reference::Branch(name.to_owned()).check(), Ok(()));
}

#[rstest]
#[case("")]
#[case("-main")]
#[case("--upload-pack=id")]
#[case("a..b")]
#[case("a b")]
#[case("a\nb")]
#[case("a:b")]
#[case("a//b")]
#[case("/a")]
#[case("a/")]
#[case("a.lock")]
#[case("a/.b")]
#[case("a@{1}")]
#[case("*")]
fn a_name_that_git_refuses_is_refused(#[case] name: &str) {
    assert!(Reference::Branch(name.to_owned()).check().is_err());
    assert!(Reference::Name(name.to_owned()).check().is_err());
}

#[test]
fn a_ref_name_must_be_full() {
    assert!(Reference::Name("main".to_owned()).check().is_err());
    assert!(
        Reference::Name("refs/pull/1/head".to_owned())
            .check()
            .is_ok()
    );
    assert!(Reference::Name("HEAD".to_owned()).check().is_ok());
}

#[test]
fn the_default_is_shown_as_the_branch_that_head_points_to() {
    let head = RemoteRef {
        target: Some("refs/heads/trunk".to_owned()),
        ..remote("HEAD", 1)
    };
    let resolved = Reference::Default.choose(&[head]).unwrap();
    assert_eq!(
        resolved.revision().to_string(),
        format!("trunk@sha1:{}", id(1))
    );
    assert_eq!(resolved.ref_name.as_deref(), Some("refs/heads/trunk"));
}

#[test]
fn a_detached_head_is_shown_as_head() {
    let resolved = Reference::Default.choose(&[remote("HEAD", 1)]).unwrap();
    assert_eq!(resolved.short_name.as_deref(), Some("HEAD"));
}

#[test]
fn a_repository_without_head_is_empty() {
    assert_eq!(Reference::Default.choose(&[]), Err(Error::Empty));
}

#[test]
fn a_branch_is_not_mistaken_for_one_that_starts_alike() {
    let refs = [
        remote("refs/heads/main-old", 1),
        remote("refs/heads/main", 2),
    ];
    let resolved = Reference::Branch("main".to_owned()).choose(&refs).unwrap();
    assert_eq!(resolved.commit_id, id(2));
    let missing = Reference::Branch("mai".to_owned()).choose(&refs);
    assert_eq!(missing, Err(Error::Missing("refs/heads/mai".to_owned())));
}

#[test]
fn the_highest_tag_within_the_range_is_chosen() {
    let refs: Vec<_> = [
        "v1.0.0",
        "1.2.0",
        "v1.10.0",
        "v2.0.0",
        "v1.11.0-rc.1",
        "latest",
        "1.9",
    ]
    .iter()
    .zip(1..)
    .map(|(name, byte)| remote(&format!("refs/tags/{name}"), byte))
    .collect();
    let resolved = Reference::SemVer("1.x".parse().unwrap())
        .choose(&refs)
        .unwrap();
    assert_eq!(resolved.short_name.as_deref(), Some("v1.10.0"));
    let none = Reference::SemVer(">=3".parse().unwrap()).choose(&refs);
    assert_eq!(
        none,
        Err(Error::NoVersion {
            range: ">=3".to_owned(),
            tags: 7
        })
    );
}

#[test]
fn a_commit_needs_no_question_to_the_remote() {
    let reference = Reference::Commit {
        commit_id: id(7),
        branch: None,
    };
    assert!(reference.prefixes().is_empty());
    assert_eq!(
        reference.choose(&[]).unwrap().revision().to_string(),
        format!("sha1:{}", id(7))
    );
}
