use super::*;

fn data(entries: &[(&str, &str)]) -> Data {
    let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    entries.iter().map(entry).collect()
}

fn https() -> RepositoryUrl {
    "https://example.com/r".parse().unwrap()
}

#[test]
fn user_and_password_become_a_basic_header() {
    let secret = data(&[("username", "me\n"), ("password", "pass word\n")]);
    let credentials = Credentials::from_secret(&https(), &secret).unwrap();
    let expected = format!("Basic {}", STANDARD.encode("me:pass word"));
    assert_eq!(credentials.authorization, Some(expected));
}

#[test]
fn a_token_becomes_a_bearer_header() {
    let credentials = Credentials::from_secret(&https(), &data(&[("bearerToken", "t0k")])).unwrap();
    assert_eq!(credentials.authorization.as_deref(), Some("Bearer t0k"));
}

#[test]
fn what_is_missing_is_named() {
    let missing = |entries: &[(&str, &str)]| {
        Credentials::from_secret(&https(), &data(entries))
            .unwrap_err()
            .to_string()
    };
    assert!(missing(&[("username", "me")]).contains("\"password\""));
    assert!(missing(&[("password", "x")]).contains("\"username\""));
    assert!(missing(&[("tls.crt", "x")]).contains("\"tls.key\""));
    assert!(missing(&[("identity", "x")]).contains("bearerToken"));
    let ssh = "ssh://git@example.com/r".parse().unwrap();
    let error = Credentials::from_secret(&ssh, &data(&[("identity", "x")])).unwrap_err();
    assert!(error.to_string().contains("\"known_hosts\""));
}

#[test]
fn no_value_of_a_secret_is_printed() {
    let secret = data(&[("username", "me"), ("password", "hunter2")]);
    let credentials = Credentials::from_secret(&https(), &secret).unwrap();
    assert!(!format!("{credentials:?}").contains("hunter2"));
    let secret = data(&[
        ("username", "me"),
        ("password", "hunter2"),
        ("bearerToken", "hunter3"),
    ]);
    let error = Credentials::from_secret(&https(), &secret).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
    let secret = data(&[("bearerToken", "hunter2\nX-Evil: 1")]);
    let error = Credentials::from_secret(&https(), &secret).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
}

#[test]
fn a_malformed_certificate_is_refused_at_once() {
    let error = Credentials::from_secret(&https(), &data(&[("ca.crt", "no pem")])).unwrap_err();
    assert!(error.to_string().contains("\"ca.crt\""));
}

#[test]
fn another_server_gets_no_credentials() {
    let secret = data(&[("username", "me"), ("password", "hunter2")]);
    let credentials = Credentials::from_secret(&https(), &secret).unwrap();
    let other = "https://other.example/r".parse().unwrap();
    assert!(
        credentials
            .for_other(&https(), &other)
            .authorization
            .is_none()
    );
    let same = "https://example.com/other".parse().unwrap();
    assert!(
        credentials
            .for_other(&https(), &same)
            .authorization
            .is_some()
    );
}
