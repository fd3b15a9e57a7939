//! Who is let in, and how.

use std::time::Duration;

use flux_core::git::Reference;
use flux_e2e::{git_repo::SshSigner, git_server::Access};
use flux_engine::git::{Client, Deadline, Error, Options, Remote};

use crate::setting::{Setting, with_secret};

#[test]
fn http_is_refused_unless_allowed() {
    let setting = Setting::new();
    let strict = Client::new(Options::default()).unwrap();
    let error = strict
        .connect(&setting.http(), &Deadline::after(Duration::from_secs(5)))
        .unwrap_err();
    assert!(matches!(error, Error::SchemeNotAllowed { .. }), "{error}");
    setting.arrives(&setting.http());
}

#[test]
fn https_needs_the_authority_of_the_server() {
    let setting = Setting::new();
    let url = setting.server.https_url("team/app");
    let error = setting
        .fetch(
            &Remote::anonymous(url.parse().unwrap()),
            &Reference::Default,
        )
        .unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    setting.arrives(&with_secret(
        &url,
        &[("ca.crt", setting.server.authority())],
    ));
}

#[test]
fn a_client_certificate_opens_a_server_that_wants_one() {
    let setting = Setting::new();
    let url = setting.server.mutual_url("team/app");
    let authority = setting.server.authority();
    assert!(
        setting
            .fetch(
                &with_secret(&url, &[("ca.crt", authority)]),
                &Reference::Default
            )
            .is_err()
    );
    let identity = setting.server.client_identity("controller").unwrap();
    let secret = [
        ("ca.crt", authority),
        ("tls.crt", identity.certificate.as_str()),
        ("tls.key", identity.key.as_str()),
    ];
    setting.arrives(&with_secret(&url, &secret));
}

#[test]
fn passwords_and_tokens_open_a_closed_server() {
    let setting = Setting::new();
    let access = Access::anonymous()
        .with_basic("jane", "pa:ss")
        .with_bearer("t0ken");
    setting.server.set_access(access);
    let url = setting.server.http_url("team/app");
    let error = setting
        .fetch(&setting.http(), &Reference::Default)
        .unwrap_err();
    assert!(
        matches!(error, Error::Unauthorized { .. }) && error.to_string().contains("spec.secretRef"),
        "{error}"
    );
    let wrong = with_secret(&url, &[("username", "jane"), ("password", "hunter2")]);
    let error = setting.fetch(&wrong, &Reference::Default).unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    setting.arrives(&with_secret(
        &url,
        &[("username", "jane"), ("password", "pa:ss")],
    ));
    setting.arrives(&with_secret(&url, &[("bearerToken", "t0ken")]));
}

#[test]
fn ssh_needs_the_right_host_key_and_identity() {
    let setting = Setting::new();
    setting.arrives(&setting.ssh());

    let url = setting.server.ssh_url("team/app");
    let identity = setting.server.ssh_identity().unwrap();
    let known_hosts = setting.server.known_hosts().unwrap();
    let other = SshSigner::generate().unwrap();
    let host = known_hosts.split(' ').next().unwrap();
    let wrong_key = format!("{host} {}\n", other.public_key().unwrap());
    let secret = [("identity", identity.as_str()), ("known_hosts", &wrong_key)];
    let error = setting
        .fetch(&with_secret(&url, &secret), &Reference::Default)
        .unwrap_err();
    assert!(
        matches!(error, Error::HostKey(_)) && error.to_string().contains("not the one"),
        "{error}"
    );

    let unknown = known_hosts.replace("127.0.0.1", "example.com");
    let secret = [("identity", identity.as_str()), ("known_hosts", &unknown)];
    let error = setting
        .fetch(&with_secret(&url, &secret), &Reference::Default)
        .unwrap_err();
    assert!(
        matches!(error, Error::HostKey(_)) && error.to_string().contains("no line for"),
        "{error}"
    );

    let stranger = other.private_key().unwrap();
    let secret = [
        ("identity", stranger.as_str()),
        ("known_hosts", &known_hosts),
    ];
    let error = setting
        .fetch(&with_secret(&url, &secret), &Reference::Default)
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");

    let error = setting
        .fetch(
            &Remote::anonymous(url.parse().unwrap()),
            &Reference::Default,
        )
        .unwrap_err();
    assert!(error.to_string().contains("known_hosts"), "{error}");
}

#[test]
fn a_missing_repository_is_named() {
    let setting = Setting::new();
    let url = setting.server.http_url("team/none");
    let error = setting
        .fetch(
            &Remote::anonymous(url.parse().unwrap()),
            &Reference::Default,
        )
        .unwrap_err();
    assert!(
        matches!(&error, Error::NotFound { url: named } if *named == url),
        "{error}"
    );
    let ssh = Remote {
        url: setting.server.ssh_url("team/none").parse().unwrap(),
        ..setting.ssh()
    };
    let error = setting.fetch(&ssh, &Reference::Default).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not appear to be a git repository"),
        "{error}"
    );
}

#[test]
fn an_empty_repository_says_so() {
    let setting = Setting::new();
    setting.server.create_repository("team/empty").unwrap();
    let remote = Remote::anonymous(setting.server.http_url("team/empty").parse().unwrap());
    let error = setting.fetch(&remote, &Reference::Default).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the repository is empty: push a commit first"
    );
}
