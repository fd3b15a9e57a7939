use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// PEM in base64, as far as this module looks at it.
const PEM: &str = "LS0tLS1CRUdJTg==";

fn file() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "staging",
        "contexts": [
            {"name": "other", "context": {"cluster": "bad", "user": "bad"}},
            {"name": "staging", "context": {"cluster": "east", "user": "admin", "namespace": "x"}},
        ],
        "clusters": [
            {"name": "bad", "cluster": {"server": "http://x", "insecure-skip-tls-verify": true}},
            {"name": "east", "cluster": {"server": "https://east.example:6443", "certificate-authority-data": PEM, "tls-server-name": "api"}},
        ],
        "users": [
            {"name": "bad", "user": {"exec": {"command": "sh"}}},
            {"name": "admin", "user": {"token": "s3cret", "client-certificate-data": PEM, "client-key-data": PEM}},
        ],
    })
}

fn read(file: &Value) -> Result<KubeConfig, Error> {
    KubeConfig::parse(file.to_string().as_bytes())
}

/// The file with one field of the current cluster or user set.
fn with(list: &str, field: &str, value: Value) -> Value {
    let mut file = file();
    let entry = list.trim_end_matches('s');
    file[list][1][entry][field] = value;
    file
}

#[test]
fn only_what_the_current_context_names_counts() {
    let config = read(&file()).unwrap();
    assert_eq!(config.server, "https://east.example:6443");
    assert_eq!(config.server_name.as_deref(), Some("api"));
    assert_eq!(config.authority.as_deref(), Some(PEM));
    assert_eq!(config.identity.token, Some(Hidden::new("s3cret".into())));
    assert!(config.identity.certificate.is_some());
    assert_eq!(config.identity.password, None);
}

#[rstest]
#[case::exec("users", "exec", json!({"command": "s3cret"}))]
#[case::auth_provider("users", "auth-provider", json!({"name": "s3cret"}))]
#[case::token_file("users", "tokenFile", json!("/s3cret"))]
#[case::certificate_file("users", "client-certificate", json!("/s3cret"))]
#[case::key_file("users", "client-key", json!("/s3cret"))]
#[case::impersonation("users", "as", json!("s3cret"))]
#[case::impersonated_groups("users", "as-groups", json!(["s3cret"]))]
#[case::authority_file("clusters", "certificate-authority", json!("/s3cret"))]
#[case::unproven("clusters", "insecure-skip-tls-verify", json!(true))]
#[case::unproven_as_text("clusters", "insecure-skip-tls-verify", json!("s3cret"))]
#[case::proxy("clusters", "proxy-url", json!("http://s3cret"))]
fn an_entry_that_does_more_than_to_name_a_cluster_is_refused(
    #[case] list: &str,
    #[case] field: &str,
    #[case] value: Value,
) {
    let error = read(&with(list, field, value)).unwrap_err();
    assert!(
        matches!(&error, Error::Refused { entry, .. } if entry.ends_with(field)),
        "{error}"
    );
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[rstest]
#[case::clear_text("clusters", "server", json!("http://s3cret"))]
#[case::no_scheme("clusters", "server", json!("s3cret:6443"))]
#[case::credentials_in_the_address("clusters", "server", json!("https://a:s3cret@east"))]
#[case::number_as_server("clusters", "server", json!(1))]
#[case::token_of_two_lines("users", "token", json!("s3cret\nhost: x"))]
#[case::token_no_text("users", "token", json!(["s3cret"]))]
#[case::no_base64("users", "client-key-data", json!("s3cret"))]
#[case::no_pem("clusters", "certificate-authority-data", json!("czNjcmV0"))]
fn an_entry_of_the_wrong_form_is_named_and_not_shown(
    #[case] list: &str,
    #[case] field: &str,
    #[case] value: Value,
) {
    let error = read(&with(list, field, value)).unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { entry, .. } if entry.ends_with(field)),
        "{error}"
    );
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[rstest]
#[case::nothing(json!({}), "current-context")]
#[case::no_context(json!({"current-context": "x"}), "contexts[x].context")]
#[case::no_user(
    with("users", "client-key-data", Value::Null),
    "users[admin].user.client-key-data"
)]
#[case::no_server(with("clusters", "server", json!("")), "clusters[east].cluster.server")]
fn a_missing_entry_is_named(#[case] file: Value, #[case] missing: &str) {
    let entry = missing.to_owned();
    assert_eq!(read(&file), Err(Error::Absent { entry }));
}

#[rstest]
#[case::switched_off("clusters", "insecure-skip-tls-verify", json!(false))]
#[case::empty("clusters", "proxy-url", json!(""))]
#[case::unknown("users", "extensions", json!([]))]
fn an_entry_that_says_nothing_does_no_harm(
    #[case] list: &str,
    #[case] field: &str,
    #[case] value: Value,
) {
    assert_eq!(read(&with(list, field, value)), read(&file()));
}

#[test]
fn what_is_no_yaml_is_not_quoted() {
    let error = KubeConfig::parse(b"users:\n- token: \"s3cret").unwrap_err();
    assert!(matches!(error, Error::Syntax { .. }), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    let two = KubeConfig::parse(b"a: 1\n---\nb: 2\n");
    assert_eq!(two, Err(Error::Syntax { line: None }));
}

#[test]
fn the_key_of_the_secret_is_value_or_value_yaml_or_the_one_that_is_named() {
    let text = file().to_string().into_bytes();
    let secret = |key: &str| [(key.to_owned(), text.clone())].into();
    for (key, named) in [
        ("value", None),
        ("value.yaml", None),
        ("mine", Some("mine")),
    ] {
        assert!(
            KubeConfig::from_secret(&secret(key), named).is_ok(),
            "{key}"
        );
    }
    let error = KubeConfig::from_secret(&secret("value"), Some("mine")).unwrap_err();
    assert_eq!(error.to_string(), "has no key \"mine\"");
    let error = KubeConfig::from_secret(&secret("mine"), None).unwrap_err();
    assert_eq!(error.to_string(), "has no key \"value\" or \"value.yaml\"");
}

#[test]
fn credentials_are_not_printed() {
    let config = read(&file()).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
}
