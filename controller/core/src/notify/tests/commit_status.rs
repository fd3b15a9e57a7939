//! Commit statuses.

use super::*;

#[rstest]
#[case::github(
    NotificationKind::GitHubStatus,
    "https://github.com/org/fleet.git",
    "https://api.github.com/repos/org/fleet/statuses/"
)]
#[case::enterprise(
    NotificationKind::GitHubStatus,
    "git@git.example.com:org/fleet.git",
    "https://git.example.com/api/v3/repos/org/fleet/statuses/"
)]
#[case::gitlab(
    NotificationKind::GitLabStatus,
    "ssh://git@gitlab.com/org/group/fleet",
    "https://gitlab.com/api/v4/projects/org%2Fgroup%2Ffleet/statuses/"
)]
#[case::gitea(
    NotificationKind::GiteaStatus,
    "http://git.lan:3000/org/fleet",
    "http://git.lan:3000/api/v1/repos/org/fleet/statuses/"
)]
fn a_commit_status_goes_to_the_server_of_the_repository(
    #[case] kind: NotificationKind,
    #[case] repository: &str,
    #[case] url: &str,
) {
    let mut notice = notice(Kind::Failed);
    notice.repository = Some(repository.parse().unwrap());
    let request = render(&sink(kind, &[("token", "t")]), &notice).unwrap();
    assert_eq!(request.url.expose(), &format!("{url}{COMMIT}"));
}

#[test]
fn a_commit_status_says_how_the_commit_is_doing() {
    let secret = [("token", "t")];
    let failed = render(
        &sink(NotificationKind::GitHubStatus, &secret),
        &notice(Kind::Failed),
    );
    let failed = failed.unwrap();
    assert_eq!(
        body(&failed),
        json!({
            "state": "failure",
            "context": "flux/shop/web (0a1b2c3d)",
            "description": "BuildFailed: deploy/web.yaml:3: no such field",
        })
    );
    assert_eq!(header(&failed, "authorization"), Some("Bearer t"));
    let mut applied = applied();
    applied.cluster = "production".to_owned();
    let applied = render(&sink(NotificationKind::GitLabStatus, &secret), &applied).unwrap();
    assert_eq!(
        body(&applied),
        json!({"state": "success", "name": "flux/shop/web (production)", "description": "applied, 2 objects changed"})
    );
    assert_eq!(header(&applied, "private-token"), Some("t"));
}

#[rstest]
#[case::github(NotificationKind::GitHubStatus, "pending", "context")]
#[case::gitlab(NotificationKind::GitLabStatus, "running", "name")]
#[case::gitea(NotificationKind::GiteaStatus, "pending", "context")]
fn a_commit_that_is_being_applied_is_pending_under_the_name_of_its_end(
    #[case] kind: NotificationKind,
    #[case] state: &str,
    #[case] name: &str,
) {
    let sink = sink(kind, &[("token", "t"), ("url", "http://git.lan")]);
    let begun = render(&sink, &notice(Kind::Progressing)).unwrap();
    let ended = render(&sink, &applied()).unwrap();
    assert_eq!(begun.url.expose(), ended.url.expose());
    let (begun, ended) = (body(&begun), body(&ended));
    assert_eq!(begun["state"], state);
    assert_eq!(begun["description"], "applying main@sha1:5f70");
    assert_eq!(begun[name], ended[name]);
}

#[test]
fn no_token_goes_to_a_server_that_another_owner_chose() {
    let mut notice = notice(Kind::Failed);
    let notification = notification(NotificationKind::GitHubStatus);
    let secret = BTreeMap::from([("token".to_owned(), b"t".to_vec())]);
    let stranger = Sink::new(&notification, &secret, false);
    notice.repository = Some("https://git.evil.example/org/fleet".parse().unwrap());
    assert_eq!(render(&stranger, &notice).unwrap_err(), Error::Forge);
    notice.repository = Some("https://github.com/org/fleet".parse().unwrap());
    assert!(
        render(&stranger, &notice).is_ok(),
        "GitHub gives it to nobody"
    );
}

#[test]
fn a_commit_is_told_of_each_revision_and_of_nothing_else() {
    let status = notification(NotificationKind::GitHubStatus);
    assert!(
        wants(&status, &notice(Kind::Applied)),
        "though nothing changed"
    );
    assert!(!wants(&status, &notice(Kind::Drift)));
    let mut repository = notice(Kind::Failed);
    repository.object.kind = "GitRepository";
    assert!(
        !wants(&status, &repository),
        "a fetch that fails is not the commit's fault"
    );
}

#[rstest]
#[case::of_everything(&[], true)]
#[case::of_every_end(&[NotificationEvent::Applied, NotificationEvent::Failed, NotificationEvent::RolledBack], true)]
#[case::of_failures_alone(&[NotificationEvent::Failed, NotificationEvent::RolledBack], false)]
#[case::of_success_alone(&[NotificationEvent::Applied], false)]
fn a_commit_is_pending_for_those_who_are_told_how_it_ends(
    #[case] on: &[NotificationEvent],
    #[case] is_told: bool,
) {
    let status = Notification {
        on: on.to_vec(),
        ..notification(NotificationKind::GitHubStatus)
    };
    assert_eq!(wants(&status, &notice(Kind::Progressing)), is_told);
}
