//! What a registry wants to see before it answers: the `WWW-Authenticate` header.

use http_auth::ChallengeParser;
use reqwest::{
    Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

/// How a registry lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// It lets everyone in.
    Open,
    /// With user and password.
    Basic,
    /// With a token from a token server.
    Bearer(Realm),
}

/// A token server and what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Realm {
    pub(super) url: Url,
    pub(super) service: Option<String>,
}

/// A refusal that says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: Scheme,
    pub(super) scope: Option<String>,
}

/// Returns the challenge that we can best meet: a token's rather than a password's.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let challenges = || {
        texts
            .iter()
            .flat_map(|text| ChallengeParser::new(text))
            .filter_map(Result::ok)
    };
    let bearer = challenges()
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))
        .find_map(|challenge| bearer(&challenge));
    bearer.or_else(|| {
        let is_basic = challenges().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"));
        is_basic.then_some(Challenge {
            scheme: Scheme::Basic,
            scope: None,
        })
    })
}

fn bearer(challenge: &http_auth::ChallengeRef<'_>) -> Option<Challenge> {
    let parameter = |wanted: &str| {
        challenge
            .params
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.to_unescaped())
            .filter(|value| !value.is_empty())
    };
    let url: Url = parameter("realm")?.parse().ok()?;
    // Credentials in an address would be shown to whoever the registry likes, in our name.
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| Challenge {
        scheme: Scheme::Bearer(Realm {
            url,
            service: parameter("service"),
        }),
        scope: parameter("scope"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(values: &[&str]) -> Option<Challenge> {
        let header = |value: &&str| (WWW_AUTHENTICATE, value.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(header) {
            headers.append(name, value);
        }
        read(&headers)
    }

    fn realm(challenge: Option<Challenge>) -> Option<(String, Option<String>)> {
        match challenge?.scheme {
            Scheme::Bearer(realm) => Some((realm.url.to_string(), realm.service)),
            Scheme::Open | Scheme::Basic => None,
        }
    }

    #[test]
    fn a_token_server_is_named_with_service_and_scope() {
        let value = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let read = challenge(&[value]).unwrap();
        assert_eq!(read.scope.as_deref(), Some("repository:a/b:pull,push"));
        let service = Some("registry.docker.io".to_owned());
        assert_eq!(
            realm(Some(read)),
            Some(("https://auth.docker.io/token".to_owned(), service))
        );
        let bare = challenge(&["bearer realm=\"https://r.example/t?x=1\""]);
        assert_eq!(
            realm(bare),
            Some(("https://r.example/t?x=1".to_owned(), None))
        );
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let bearer = r#"Bearer realm="https://r.example/t""#;
        assert!(realm(challenge(&[r#"Basic realm="x""#, bearer])).is_some());
        assert!(realm(challenge(&[&format!(r#"Basic realm="x", {bearer}"#)])).is_some());
        let basic = challenge(&[r#"BASIC realm="Registry Realm""#]);
        assert_eq!(basic.map(|c| c.scheme), Some(Scheme::Basic));
    }

    #[test]
    fn what_cannot_be_met_is_no_challenge() {
        for value in [
            "",
            "Negotiate",
            "Bearer",
            r#"Bearer realm="""#,
            r#"Bearer realm="/token""#,
            r#"Bearer realm="file:///etc/passwd""#,
            r#"Bearer realm="https://me:secret@r.example/t""#,
            "Bearer realm=\"unfinished",
        ] {
            assert_eq!(challenge(&[value]), None, "{value}");
        }
    }
}
