use rstest::rstest;

use super::*;

#[rstest]
#[case(
    "https://example.com/org/repo.git",
    Scheme::Https,
    "example.com",
    443,
    "/org/repo.git"
)]
#[case("https://example.com:8443/r", Scheme::Https, "example.com", 8443, "/r")]
#[case("http://[::1]:80/r", Scheme::Http, "::1", 80, "/r")]
#[case(
    "ssh://git@example.com:2222/org/repo",
    Scheme::Ssh,
    "example.com",
    2222,
    "/org/repo"
)]
#[case(
    "ssh://git@example.com/~me/repo",
    Scheme::Ssh,
    "example.com",
    22,
    "~me/repo"
)]
#[case(
    "git@example.com:org/repo.git",
    Scheme::Ssh,
    "example.com",
    22,
    "org/repo.git"
)]
#[case("example.com:repo", Scheme::Ssh, "example.com", 22, "repo")]
#[case("git@[::1]:repo", Scheme::Ssh, "::1", 22, "repo")]
#[case("file:///srv/git/repo", Scheme::File, "", 0, "/srv/git/repo")]
fn an_address_is_taken_apart_and_printed_as_it_was(
    #[case] text: &str,
    #[case] scheme: Scheme,
    #[case] host: &str,
    #[case] port: u16,
    #[case] path: &str,
) {
    let url: RepositoryUrl = text.parse().unwrap();
    assert_eq!(
        (url.scheme(), url.host(), url.port(), url.path()),
        (scheme, host, port, path)
    );
    assert_eq!(url.to_string(), text);
}

#[rstest]
#[case("", Error::Empty)]
#[case("ext::sh -c id", Error::Character)]
#[case("ext::sh", Error::Unsafe)]
#[case("ext::https://example.com/r", Error::Unsafe)]
#[case("--upload-pack=id", Error::Unsafe)]
#[case("ssh://-oProxyCommand=id/r", Error::Host)]
#[case("ssh://-l@host/r", Error::Host)]
#[case("git@-oProxyCommand:r", Error::Host)]
#[case("git@host:-r", Error::Path)]
#[case("https://user:secret@example.com/r", Error::Credentials)]
#[case("https://token@example.com/r", Error::Credentials)]
#[case("ssh://git:secret@example.com/r", Error::Credentials)]
#[case("git:secret@example.com:r", Error::Credentials)]
#[case("https://example.com/r\n", Error::Character)]
#[case("https://example.com", Error::Path)]
#[case("https:///r", Error::Host)]
#[case("https://example.com:99999/r", Error::Port)]
#[case("https://example.com/r?x=1", Error::Query)]
#[case("ftp://example.com/r", Error::Scheme)]
#[case("/srv/git/repo", Error::Scheme)]
#[case("file://host/srv/git", Error::Host)]
fn a_dangerous_or_malformed_address_is_refused(#[case] text: &str, #[case] error: Error) {
    assert_eq!(text.parse::<RepositoryUrl>().unwrap_err(), error);
}

#[test]
fn a_refusal_does_not_repeat_the_password() {
    let error = "https://user:hunter2@example.com/r"
        .parse::<RepositoryUrl>()
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[rstest]
#[case(
    "https://example.com/org/repo.git",
    "../lib.git",
    "https://example.com/org/lib.git"
)]
#[case(
    "https://example.com/org/repo",
    "./lib",
    "https://example.com/org/repo/lib"
)]
#[case("git@example.com:org/repo", "../../top/lib", "git@example.com:top/lib")]
#[case(
    "https://example.com/org/repo",
    "https://other.example/x",
    "https://other.example/x"
)]
fn a_submodule_address_is_relative_to_its_parent(
    #[case] parent: &str,
    #[case] address: &str,
    #[case] joined: &str,
) {
    let parent: RepositoryUrl = parent.parse().unwrap();
    match parent.join(address) {
        Ok(url) => assert_eq!(url.to_string(), joined),
        Err(error) => panic!("{address}: {error}"),
    }
}

#[test]
fn a_submodule_address_cannot_leave_the_server() {
    let parent: RepositoryUrl = "https://example.com/org/repo".parse().unwrap();
    assert!(parent.join("../../../../etc").is_err());
    assert!(parent.join("../a/../../b").is_err());
    assert!(parent.join("ext::sh").is_err());
}

#[test]
fn credentials_belong_to_scheme_host_and_port() {
    let url = |text: &str| text.parse::<RepositoryUrl>().unwrap();
    assert!(url("https://example.com/a").same_server(&url("https://EXAMPLE.com:443/b")));
    assert!(!url("https://example.com/a").same_server(&url("http://example.com/a")));
    assert!(!url("https://example.com/a").same_server(&url("https://example.com:444/a")));
    assert!(!url("https://example.com/a").same_server(&url("https://example.org/a")));
}
