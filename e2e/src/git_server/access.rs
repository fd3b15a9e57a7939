//! Who may come in over HTTP.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The credentials that open the server over HTTP and HTTPS; none at all opens it to everybody.
#[derive(Clone, Default)]
pub struct Access {
    basic: Option<(String, String)>,
    bearer: Option<String>,
    read_only: Option<String>,
}

impl Access {
    /// Lets everybody in.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Lets in who knows this user and password.
    #[must_use]
    pub fn with_basic(mut self, user: &str, password: &str) -> Self {
        self.basic = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Lets in who bears this token.
    #[must_use]
    pub fn with_bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// Lets nobody write, and says why, as a server does for an archived repository or a read-only key.
    #[must_use]
    pub fn with_read_only(mut self, why: &str) -> Self {
        self.read_only = Some(why.to_owned());
        self
    }

    /// Returns why nobody may write, if that is so.
    pub(super) fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// Tells whether a request with this `Authorization` header may pass.
    pub(super) fn admits(&self, authorization: Option<&str>) -> bool {
        if self.basic.is_none() && self.bearer.is_none() {
            return true;
        }
        let Some((scheme, credentials)) = authorization.and_then(|header| header.split_once(' '))
        else {
            return false;
        };
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.basic.as_ref().is_some_and(|(user, password)| {
                STANDARD
                    .decode(credentials.trim())
                    .is_ok_and(|given| given == format!("{user}:{password}").into_bytes())
            }),
            "bearer" => self.bearer.as_deref() == Some(credentials.trim()),
            _ => false,
        }
    }

    /// Tells whether user and password are right; without a password nobody comes in with one.
    pub(super) fn admits_password(&self, user: &str, password: &str) -> bool {
        self.basic
            .as_ref()
            .is_some_and(|(u, p)| u == user && p == password)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (basic, bearer) = (self.basic.is_some(), self.bearer.is_some());
        f.debug_struct("Access")
            .field("basic", &basic)
            .field("bearer", &bearer)
            .field("read_only", &self.read_only)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_credentials_pass() {
        let access = Access::anonymous()
            .with_basic("jane", "pa:ss")
            .with_bearer("token");
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (header, expected) in [
            (Some(basic("jane:pa:ss")), true),
            (Some(basic("jane:wrong")), false),
            (Some("Bearer token".to_owned()), true),
            (Some("bearer token".to_owned()), true),
            (Some("Bearer tokens".to_owned()), false),
            (Some("Basic !".to_owned()), false),
            (None, false),
        ] {
            assert_eq!(access.admits(header.as_deref()), expected, "{header:?}");
        }
        assert!(Access::anonymous().admits(None));
    }
}
