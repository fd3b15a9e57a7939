//! Older servers, proxies, redirects, and connections that stay open.

use std::collections::BTreeMap;

use flux_core::git::{Reference, RepositoryUrl};
use flux_e2e::git_server::Access;
use flux_engine::git::{Error, Proxy, Remote};
use flux_kustomize::FileTree;

use crate::{
    relay::{Kind, Relay},
    setting::{Setting, with_secret},
};

impl Setting {
    fn http_address(&self) -> String {
        let url: RepositoryUrl = self.server.http_url("team/app").parse().unwrap();
        format!("127.0.0.1:{}", url.port())
    }

    /// The repository by way of a relay.
    fn through(&self, relay: &Relay) -> String {
        let own = self.http_address();
        self.server
            .http_url("team/app")
            .replace(&own, &format!("127.0.0.1:{}", relay.port))
    }
}

/// Polls of which each brings a new commit.
const ROUNDS: usize = 5;

#[test]
fn polls_share_connections() {
    let setting = Setting::new();
    let relay = Relay::start(Kind::Forward(setting.http_address(), None));
    let remote = Remote::anonymous(setting.through(&relay).parse().unwrap());
    for round in 0..ROUNDS {
        setting
            .repo
            .push_files(&[("x.yaml", &format!("x: {round}\n"))], "next")
            .unwrap();
        let tree = setting.tree(&remote);
        assert_eq!(
            tree.read("x.yaml").unwrap(),
            format!("x: {round}\n").into_bytes()
        );
    }
    // A connection is free again a moment after its answer was read to the end; a poll that comes sooner opens one more.
    let opened = relay.connections();
    assert!(
        opened < ROUNDS,
        "{opened} connections for {ROUNDS} polls of three requests each"
    );
}

#[test]
fn a_server_that_knows_only_the_older_protocol_is_understood() {
    let setting = Setting::new();
    let forget = Some(("git-protocol: version=2", "x-nothing: 0"));
    let relay = Relay::start(Kind::Forward(setting.http_address(), forget));
    let remote = Remote::anonymous(setting.through(&relay).parse().unwrap());
    setting.arrives(&remote);
    setting.repo.annotated_tag("v1.0.0", "one").unwrap();
    let second = setting
        .repo
        .push_files(&[("x.yaml", "x: 1\n")], "second")
        .unwrap();
    let (resolved, fetched) = setting.fetch(&remote, &Reference::Default).unwrap();
    assert_eq!(
        resolved.revision().to_string(),
        format!("main@sha1:{second}")
    );
    assert!(fetched.objects < 5, "{fetched:?}");
    let (tagged, _) = setting
        .fetch(&remote, &Reference::SemVer("1.x".parse().unwrap()))
        .unwrap();
    assert!(tagged.tag_id.is_some());
}

#[test]
fn a_proxy_is_used_and_logged_in_to() {
    let setting = Setting::new();
    let relay = Relay::start(Kind::Proxy);
    let entries = [
        ("address", format!("http://127.0.0.1:{}", relay.port)),
        ("username", "jane".to_owned()),
        ("password", "secret".to_owned()),
    ];
    let data: BTreeMap<_, _> = entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into_bytes()))
        .collect();
    let url = setting.server.https_url("team/app");
    let remote = Remote {
        proxy: Some(Proxy::from_secret(&data).unwrap()),
        ..with_secret(&url, &[("ca.crt", setting.server.authority())])
    };
    setting.arrives(&remote);
    let heads = relay.heads();
    let head = heads.first().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("connect 127.0.0.1:"), "{head}");
    assert!(head.contains("proxy-authorization: basic"), "{head}");
}

#[test]
fn a_redirect_is_followed_without_credentials() {
    let setting = Setting::new();
    let target = Relay::start(Kind::Forward(setting.http_address(), None));
    let relay = Relay::start(Kind::Redirect(format!("http://127.0.0.1:{}", target.port)));
    let url = setting.through(&relay);
    setting.arrives(&Remote::anonymous(url.parse().unwrap()));

    setting
        .server
        .set_access(Access::anonymous().with_bearer("t0ken"));
    let error = setting
        .fetch(
            &with_secret(&url, &[("bearerToken", "t0ken")]),
            &Reference::Default,
        )
        .unwrap_err();
    assert!(
        matches!(error, Error::Unauthorized { .. }) && error.to_string().contains("another server"),
        "{error}"
    );
    let is_authorized = |head: &String| head.to_ascii_lowercase().contains("authorization:");
    assert!(
        relay.heads().iter().any(is_authorized),
        "the server itself gets them"
    );
    assert!(
        !target.heads().iter().any(is_authorized),
        "{:?}",
        target.heads()
    );
}

#[test]
fn a_redirect_to_a_page_is_no_repository() {
    let setting = Setting::new();
    let relay = Relay::start(Kind::Redirect("http://127.0.0.1:1/login?to=".to_owned()));
    let remote = Remote::anonymous(setting.through(&relay).parse().unwrap());
    let error = setting.fetch(&remote, &Reference::Default).unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
}
