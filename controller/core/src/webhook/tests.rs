use std::collections::HashMap;

use flux_crds::git_repository::{GitReference, WebhookKind};
use flux_crds::image_policy::ImageWebhookKind;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// HMAC-SHA-256 of `{}` with the key `secret`, by `openssl dgst -sha256 -hmac secret`.
const SIGNATURE: &str = "77325902caca812dc259733aacd046b73817372c777b8d95b402647474516e13";

fn with<T>(headers: &[(&str, &str)], body: &[u8], use_call: impl FnOnce(&Call<'_>) -> T) -> T {
    let headers: HashMap<String, &str> = headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), *value))
        .collect();
    let header = |name: &str| headers.get(&name.to_lowercase()).copied();
    use_call(&Call {
        header: &header,
        body,
    })
}

fn news(sender: Sender, headers: &[(&str, &str)], body: &Value) -> Result<News, Error> {
    with(headers, body.to_string().as_bytes(), |call| {
        read(sender, call)
    })
}

#[rstest]
#[case::github(Sender::Git(WebhookKind::GitHub), "X-Hub-Signature-256", "sha256=")]
#[case::gitea(Sender::Git(WebhookKind::Gitea), "X-Gitea-Signature", "")]
#[case::forgejo(Sender::Git(WebhookKind::Gitea), "X-Forgejo-Signature", "")]
#[case::bitbucket(Sender::Git(WebhookKind::Bitbucket), "X-Hub-Signature", "sha256=")]
#[case::generic(Sender::Git(WebhookKind::Generic), "X-Signature", "sha256=")]
#[case::ghcr(
    Sender::Registry(ImageWebhookKind::Ghcr),
    "X-Hub-Signature-256",
    "sha256="
)]
#[case::image(Sender::Registry(ImageWebhookKind::Generic), "X-Signature", "sha256=")]
fn a_signature_is_of_this_body_with_this_token(
    #[case] sender: Sender,
    #[case] header: &'static str,
    #[case] prefix: &str,
) {
    let signature = format!("{prefix}{SIGNATURE}");
    let check = |token: &[u8], body: &[u8], text: &str| {
        with(&[(header, text)], body, |call| verify(sender, token, call))
    };
    assert_eq!(check(b"secret", b"{}", &signature), Ok(()));
    let forged = Err(Error::Forged(header));
    assert_eq!(check(b"other", b"{}", &signature), forged);
    assert_eq!(check(b"secret", b"{ }", &signature), forged);
    assert_eq!(check(b"secret", b"{}", ""), forged);
    assert_eq!(
        check(b"secret", b"{}", &signature[..signature.len() - 2]),
        forged
    );
    let unsigned = with(&[], b"{}", |call| verify(sender, b"secret", call));
    assert!(matches!(unsigned, Err(Error::Unsigned(_))));
}

#[rstest]
#[case::gitlab(Sender::Git(WebhookKind::GitLab), "X-Gitlab-Token", "secret")]
#[case::distribution(
    Sender::Registry(ImageWebhookKind::Distribution),
    "Authorization",
    "Bearer secret"
)]
#[case::harbor(Sender::Registry(ImageWebhookKind::Harbor), "Authorization", "secret")]
fn a_token_is_the_whole_token(
    #[case] sender: Sender,
    #[case] header: &'static str,
    #[case] right: &str,
) {
    let check = |text: &str| {
        with(&[(header, text)], b"{}", |call| {
            verify(sender, b"secret", call)
        })
    };
    assert_eq!(check(right), Ok(()));
    for wrong in ["", "secre", "secrets", "SECRET", "Bearer "] {
        assert_eq!(check(wrong), Err(Error::Forged(header)), "{wrong:?}");
    }
}

#[test]
fn a_signature_by_sha1_is_not_taken() {
    let headers = [(
        "X-Signature",
        "sha1=25af6174a0fcecc4d346680a72b7ce644b9a88e8",
    )];
    let sender = Sender::Git(WebhookKind::Generic);
    let refused = with(&headers, b"{}", |call| verify(sender, b"secret", call));
    assert_eq!(refused, Err(Error::Forged("X-Signature")));
}

#[test]
fn paths_differ_by_token_kind_namespace_and_name() {
    let paths = [
        path(b"a", "GitRepository", "ns", "fleet"),
        path(b"b", "GitRepository", "ns", "fleet"),
        path(b"a", "ImagePolicy", "ns", "fleet"),
        path(b"a", "GitRepository", "other", "fleet"),
        path(b"a", "GitRepository", "ns", "other"),
    ];
    let different: std::collections::HashSet<&String> = paths.iter().collect();
    assert_eq!(different.len(), paths.len());
    assert_eq!(paths[0].len(), "/hook/".len() + 64);
}

#[rstest]
#[case::github(WebhookKind::GitHub, ("X-GitHub-Event", "push"), json!({"ref": "refs/heads/main"}))]
#[case::gitlab(WebhookKind::GitLab, ("X-Gitlab-Event", "Push Hook"), json!({"object_kind": "push", "ref": "refs/heads/main"}))]
#[case::gitlab_system(WebhookKind::GitLab, ("X-Gitlab-Event", "System Hook"), json!({"object_kind": "push", "ref": "refs/heads/main"}))]
#[case::gitea(WebhookKind::Gitea, ("X-Gitea-Event", "push"), json!({"ref": "refs/heads/main"}))]
#[case::bitbucket(WebhookKind::Bitbucket, ("X-Event-Key", "repo:push"), json!({"push": {"changes": [{"new": {"type": "branch", "name": "main"}, "old": null}]}}))]
#[case::bitbucket_server(WebhookKind::Bitbucket, ("X-Event-Key", "repo:refs_changed"), json!({"changes": [{"refId": "refs/heads/main"}]}))]
#[case::generic(WebhookKind::Generic, ("X-Other", ""), json!({"ref": "refs/heads/main"}))]
fn a_push_names_its_references(
    #[case] kind: WebhookKind,
    #[case] header: (&str, &str),
    #[case] body: Value,
) {
    assert_eq!(
        news(Sender::Git(kind), &[header], &body),
        Ok(News::Refs(vec!["refs/heads/main".into()]))
    );
}

#[rstest]
#[case::github(WebhookKind::GitHub, ("X-GitHub-Event", "ping"))]
#[case::github_issue(WebhookKind::GitHub, ("X-GitHub-Event", "issues"))]
#[case::gitlab(WebhookKind::GitLab, ("X-Gitlab-Event", "Issue Hook"))]
#[case::gitea(WebhookKind::Gitea, ("X-Gitea-Event", "fork"))]
#[case::bitbucket(WebhookKind::Bitbucket, ("X-Event-Key", "diagnostics:ping"))]
fn what_is_no_push_is_nothing_to_do(#[case] kind: WebhookKind, #[case] header: (&str, &str)) {
    let read = news(Sender::Git(kind), &[header], &json!({"zen": "x"}));
    assert_eq!(read, Ok(News::Nothing));
}

#[rstest]
#[case::distribution(ImageWebhookKind::Distribution, json!({"events": [
    {"action": "pull", "target": {"repository": "other"}},
    {"action": "push", "target": {"repository": "org/app", "tag": "1.2.0", "digest": "sha256:0"}}]}))]
#[case::ghcr(ImageWebhookKind::Ghcr, json!({"action": "published", "registry_package": {"name": "App", "namespace": "org", "package_type": "CONTAINER",
    "package_version": {"container_metadata": {"tag": {"name": "1.2.0"}}}}}))]
#[case::docker_hub(ImageWebhookKind::DockerHub, json!({"push_data": {"tag": "1.2.0"}, "repository": {"repo_name": "org/app"}}))]
#[case::quay(ImageWebhookKind::Quay, json!({"repository": "org/app", "updated_tags": ["1.2.0"]}))]
#[case::harbor(ImageWebhookKind::Harbor, json!({"type": "PUSH_ARTIFACT", "event_data": {"resources": [{"tag": "1.2.0"}], "repository": {"repo_full_name": "org/app"}}}))]
#[case::generic(ImageWebhookKind::Generic, json!({"image": "ghcr.io/org/app:1.2.0"}))]
fn a_pushed_image_is_named(#[case] kind: ImageWebhookKind, #[case] body: Value) {
    let headers = [("X-GitHub-Event", "registry_package")];
    let pushed = Pushed {
        path: "org/app".into(),
        tag: Some("1.2.0".into()),
    };
    assert_eq!(
        news(Sender::Registry(kind), &headers, &body),
        Ok(News::Images(vec![pushed]))
    );
}

#[test]
fn garbage_is_refused() {
    for kind in [
        ImageWebhookKind::Distribution,
        ImageWebhookKind::DockerHub,
        ImageWebhookKind::Quay,
        ImageWebhookKind::Harbor,
    ] {
        let read = with(&[], b"payload=%7B", |call| {
            read(Sender::Registry(kind), call)
        });
        assert_eq!(read, Err(Error::Body), "{kind:?}");
    }
    let headers = [("X-GitHub-Event", "push")];
    let sender = Sender::Git(WebhookKind::GitHub);
    let read = with(&headers, b"[]", |call| read(sender, call));
    assert_eq!(read, Err(Error::Body));
}

#[test]
fn a_push_elsewhere_does_not_concern_a_branch() {
    let branch = GitReference {
        branch: Some("main".into()),
        ..GitReference::default()
    };
    let pushed = |name: &str| vec![format!("refs/{name}")];
    assert!(concerns(Some(&branch), &pushed("heads/main")));
    assert!(!concerns(Some(&branch), &pushed("heads/mainly")));
    assert!(!concerns(Some(&branch), &pushed("tags/main")));
    assert!(concerns(Some(&branch), &[]));
    assert!(concerns(None, &pushed("heads/other")));
}
