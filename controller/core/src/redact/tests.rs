use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case::plain("https://github.com/a/b.git", "https://github.com/a/b.git")]
#[case::password("https://me:hunter2@github.com/a", "https://***@github.com/a")]
#[case::token_as_user("https://ghp_x@github.com/a", "https://***@github.com/a")]
#[case::at_in_password("https://me:p@ss@host/a", "https://***@host/a")]
#[case::slash_in_password("https://me:p/ss@host/a", "https://***@host/a")]
#[case::at_in_path("https://host/a@v1", "https://host/a@v1")]
#[case::port("https://host:8443/a@v1", "https://host:8443/a@v1")]
#[case::ipv6("https://[::1]:8443/a@v1", "https://[::1]:8443/a@v1")]
#[case::ipv6_without_port("https://[::1]/a@v1", "https://[::1]/a@v1")]
#[case::ssh("ssh://git@host/a", "ssh://git@host/a")]
#[case::ssh_password("ssh://git:x@host:22/a", "ssh://git:***@host:22/a")]
#[case::scp("git@github.com:a/b", "git@github.com:a/b")]
#[case::query(
    "https://host/a?private_token=x&page=2#top",
    "https://host/a?private_token=***&page=2#top"
)]
#[case::signature(
    "https://host/a?X-Amz-Signature=x",
    "https://host/a?X-Amz-Signature=***"
)]
#[case::not_a_url("deploy/production", "deploy/production")]
fn a_url_prints_without_its_credentials(#[case] address: &str, #[case] expected: &str) {
    assert_eq!(url(address), expected);
    assert_eq!(Url::new(address).to_string(), expected);
    assert_eq!(Url::new(address).expose(), address);
    assert_eq!(format!("{:?}", Url::new(address)), format!("{expected:?}"));
}

#[test]
fn a_redacted_value_cannot_be_printed() {
    let secret = Redacted::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    assert_eq!(*secret.expose(), "hunter2");
}

#[rstest]
#[case::plain("login hunter2 refused", &["hunter2"], "login *** refused")]
#[case::base64("Invalid value: \"aHVudGVyMg==\"", &["hunter2"], "Invalid value: \"***\"")]
#[case::line_end("login hunter2 refused", &["hunter2\n"], "login *** refused")]
#[case::longest_first("hunter2-long", &["hunter2", "hunter2-long"], "***")]
#[case::one_line_of_many("bad line b3BlbnNzaC1rZXk", &["-----BEGIN-----\nb3BlbnNzaC1rZXk\n-----END-----"], "bad line ***")]
#[case::short_alone("code 42, not 421", &["42"], "code ***, not 421")]
#[case::empty("nothing", &["", "\n"], "nothing")]
#[case::url("clone 'https://me:x@host/a' failed", &[], "clone 'https://***@host/a' failed")]
#[case::url_behind_text("remote=https://t@host/a?token=1.", &[], "remote=https://***@host/a?token=***")]
fn texts_of_others_lose_their_secrets(
    #[case] text: &str,
    #[case] secrets: &[&str],
    #[case] expected: &str,
) {
    assert_eq!(scrub(text, secrets), expected);
}

#[test]
fn values_of_a_secret_are_found_in_both_forms() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "data": {"a": "aHVudGVyMg==", "binary": "/w==", "empty": ""}, "stringData": {"b": "plain"}});
    assert_eq!(
        values_of(&secret),
        ["hunter2", "aHVudGVyMg==", "/w==", "plain"]
    );
    assert!(
        values_of(&json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})).is_empty()
    );
}

proptest! {
    #[test]
    fn a_secret_of_four_characters_or_more_never_survives(
        before in "[ a-z:/@.]{0,20}", secret in "[A-Z0-9]{4,20}", after in "[ a-z:/@.]{0,20}",
    ) {
        let text = format!("{before}{secret}{after}");
        prop_assert!(!scrub(&text, &[&secret]).contains(&secret));
    }

    #[test]
    fn any_text_can_be_scrubbed(text in ".{0,60}", secret in ".{0,6}") {
        scrub(&text, &[secret]);
        url(&text);
    }

    #[test]
    fn a_password_in_a_url_never_survives(user in "[a-z]{1,8}", password in "([A-Z/:]{0,3}[A-Z]{5}[A-Z/:]{0,3}|[A-Z@:]{5,9})", path in "[a-z/]{0,8}") {
        let shown = url(&format!("https://{user}:{password}@host/{path}"));
        prop_assert!(!shown.contains(|c: char| c.is_ascii_uppercase()), "{}", shown);
    }
}

#[rstest]
#[case("one: \"a&b<c\" two", "a&b<c")]
#[case("one: \"a\\u0026b\\u003cc\" two", "a&b<c")]
#[case("one: \"say \\\"hi\\\"\\nnow\" two", "say \"hi\"\nnow")]
fn a_secret_is_found_as_the_api_server_quotes_it(#[case] text: &str, #[case] secret: &str) {
    assert_eq!(scrub(text, &[secret]), "one: \"***\" two");
}
