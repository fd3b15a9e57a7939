//! Calls of the controller's webhook server, as git servers and registries make them.

use anyhow::{Context, Result};
use hmac_sha2::{Hmac, Mac as _};
use sha2::Sha256;

/// One call.
#[derive(Debug, Clone, Default)]
pub struct Call {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    /// A call with this body and nothing else.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the HMAC-SHA-256 of the body, behind `prefix`.
    #[must_use]
    pub fn signed(self, header: &str, prefix: &str, token: &str) -> Self {
        let signature = format!("{prefix}{}", hmac(token, &self.body));
        self.with(header, &signature)
    }

    /// Makes the call and returns the HTTP status.
    pub async fn send(self, url: &str) -> Result<u16> {
        let mut request = crate::registry::http_client()?.post(url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let answer = request.body(self.body).send().await;
        Ok(answer
            .with_context(|| format!("call {url}"))?
            .status()
            .as_u16())
    }
}

/// Returns the HMAC-SHA-256 of a body as hexadecimal digits.
#[expect(
    clippy::expect_used,
    reason = "the length of an HMAC key is not bounded"
)]
pub(crate) fn hmac(token: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    crate::hexadecimal(&mac.finalize().into_bytes())
}
