use super::*;

fn image(name: &str) -> Name {
    name.parse().unwrap()
}

fn user(config: &str, name: &str) -> Option<String> {
    match find(config.as_bytes(), &image(name)).unwrap() {
        Some(Login::Password { user, .. }) => Some(user),
        Some(Login::Identity(token) | Login::Registry(token)) => Some(token),
        None => None,
    }
}

/// `auths` with each key's own text as the user.
fn keys(keys: &[&str]) -> String {
    let entry = |key: &&str| {
        let user = serde_json::json!({"username": key, "password": "p"});
        ((*key).to_owned(), user)
    };
    let auths: serde_json::Map<_, _> = keys.iter().map(entry).collect();
    serde_json::json!({ "auths": auths }).to_string()
}

#[test]
fn every_shape_of_a_key_names_its_registry() {
    for (key, name) in [
        ("https://index.docker.io/v1/", "nginx"),
        ("https://index.docker.io/v1", "org/app"),
        ("index.docker.io", "nginx"),
        ("docker.io", "docker.io/org/app"),
        ("registry-1.docker.io", "nginx"),
        ("ghcr.io", "ghcr.io/org/app"),
        ("GHCR.io", "ghcr.io/org/app"),
        ("https://ghcr.io", "ghcr.io/org/app"),
        ("https://ghcr.io/v2/", "ghcr.io/org/app"),
        ("http://localhost:5000", "localhost:5000/a/b"),
        ("ghcr.io/org", "ghcr.io/org/app"),
        ("ghcr.io/org/app", "ghcr.io/org/app"),
        ("https://ghcr.io/org/", "ghcr.io/org/app"),
        ("*.azurecr.io", "team.azurecr.io/app"),
        ("registry-*.example.com", "registry-7.example.com/app"),
    ] {
        assert_eq!(
            user(&keys(&[key]), name).as_deref(),
            Some(key),
            "{key} for {name}"
        );
    }
}

#[test]
fn a_key_of_another_registry_or_path_says_nothing() {
    for (key, name) in [
        ("ghcr.io", "nginx"),
        ("ghcr.io", "evil-ghcr.io/org/app"),
        ("ghcr.io/org", "ghcr.io/organisation/app"),
        ("ghcr.io/org/app", "ghcr.io/org"),
        ("localhost:5000", "localhost:5001/a"),
        ("localhost", "localhost:5000/a"),
        ("*.azurecr.io", "a.b.azurecr.io/app"),
        ("*.azurecr.io", "azurecr.io/app"),
    ] {
        assert_eq!(user(&keys(&[key]), name), None, "{key} for {name}");
    }
}

#[test]
fn the_key_that_says_most_wins() {
    let config = keys(&[
        "*.example.com",
        "r.example.com",
        "r.example.com/team",
        "r.example.com/team/app",
    ]);
    for (name, key) in [
        ("r.example.com/team/app", "r.example.com/team/app"),
        ("r.example.com/team/other", "r.example.com/team"),
        ("r.example.com/others/app", "r.example.com"),
        ("s.example.com/team/app", "*.example.com"),
    ] {
        assert_eq!(user(&config, name).as_deref(), Some(key), "{name}");
    }
}

#[test]
fn credentials_come_in_five_forms() {
    let entry = |entry: &str| {
        let config = format!(r#"{{"auths": {{"ghcr.io": {entry}}}}}"#);
        find(config.as_bytes(), &image("ghcr.io/a")).unwrap()
    };
    let password = |user: &str, password: &str| {
        Some(Login::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    };
    assert!(
        entry(r#"{"username": "me", "password": "pa:ss"}"#) == password("me", "pa:ss"),
        "two fields"
    );
    assert!(
        entry(r#"{"auth": "bWU6cGE6c3M="}"#) == password("me", "pa:ss"),
        "base64"
    );
    assert!(
        entry(r#"{"auth": "bWU6cGE6c3M"}"#) == password("me", "pa:ss"),
        "without padding"
    );
    assert!(
        entry(r#"{"auth": "bWU6cGE6c3M=", "username": "old", "password": "old", "email": "x"}"#)
            == password("me", "pa:ss"),
        "auth counts more"
    );
    let identity = Some(Login::Identity("t".to_owned()));
    assert!(entry(r#"{"auth": "bWU6", "identitytoken": "t"}"#) == identity);
    assert!(entry(r#"{"username": "<token>", "password": "t"}"#) == identity);
    assert!(entry(r#"{"registrytoken": "t"}"#) == Some(Login::Registry("t".to_owned())));
    assert!(
        entry("{}").is_none(),
        "an entry that a credential helper fills is none for us"
    );
}

#[test]
fn the_older_form_has_its_entries_at_the_top() {
    let config = r#"{"https://ghcr.io": {"username": "me", "password": "p"}}"#;
    assert_eq!(user(config, "ghcr.io/a").as_deref(), Some("me"));
    assert_eq!(
        user(r#"{"credsStore": "desktop"}"#, "ghcr.io/a"),
        None,
        "a file without any"
    );
}

#[test]
fn a_secret_has_one_of_two_keys() {
    let config = br#"{"ghcr.io": {"username": "me", "password": "p"}}"#;
    let login = |key: &str| {
        let data = [(key.to_owned(), config.to_vec())].into();
        Login::from_secret(&data, &image("ghcr.io/a"))
    };
    assert!(matches!(login(".dockercfg"), Ok(Some(_))));
    assert!(matches!(login("config.json"), Err(Error::Missing)));
}

#[test]
fn what_is_wrong_is_said_without_values() {
    let wrong = |config: &str| {
        find(config.as_bytes(), &image("ghcr.io/a"))
            .unwrap_err()
            .to_string()
    };
    assert!(wrong("hunter2").contains("not JSON"));
    assert!(wrong(r#"{"auths": "hunter2"}"#).contains("auths"));
    let text = wrong(r#"{"auths": {"ghcr.io": {"auth": "hunter2"}}}"#);
    assert!(
        text.contains("ghcr.io") && text.contains("base64") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn credentials_cannot_be_printed() {
    let config = r#"{"auths": {"ghcr.io": {"username": "me", "password": "hunter2"}}}"#;
    let access =
        crate::registry::Access::from_docker_config(config.as_bytes(), &image("ghcr.io/a"));
    assert!(!format!("{access:?}").contains("hunter2"));
}
