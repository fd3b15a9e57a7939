//! The answer of a registry, with a limit on what is read of it.

use super::{Error, address};
use crate::git::chain;
use oci_client::errors::OciEnvelope;
use reqwest::{
    Response, StatusCode, Url,
    header::{HeaderMap, LOCATION},
};

/// Of a refusal only so much is read.
const MAX_COMPLAINT: usize = 64 << 10;
/// And only so much is shown.
const MAX_SHOWN: usize = 200;

/// An answer whose body is still to be read.
pub(super) struct Answer {
    response: Response,
    host: String,
}

impl Answer {
    pub(super) fn new(response: Response) -> Self {
        let host = address::host(response.url());
        Self { response, host }
    }

    /// Returns the address that it came from, behind all redirects.
    pub(super) fn url(&self) -> &Url {
        self.response.url()
    }

    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Host and port of the one who answered.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns where a redirect leads.
    pub(super) fn location(&self) -> Option<&str> {
        let is_redirect = matches!(self.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let value = self.headers().get(LOCATION).filter(|_| is_redirect)?;
        value.to_str().ok()
    }

    /// Reads the whole body, of at most `limit` bytes.
    pub(super) async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.response.chunk().await.map_err(failure)? {
            if bytes.len() + chunk.len() > limit {
                return Err(Error::TooLarge {
                    host: self.host,
                    limit: limit as u64,
                    unit: "bytes of an answer",
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Returns what the registry complains about, behind a colon, if it says so in the form that is agreed on.
    pub(super) async fn complaint(self) -> String {
        let Ok(body) = self.bytes(MAX_COMPLAINT).await else {
            return String::new();
        };
        // Other texts are not shown: they may be pages of a server that is no registry at all.
        let Ok(envelope) = serde_json::from_slice::<OciEnvelope>(&body) else {
            return String::new();
        };
        complaint(&envelope)
    }
}

fn complaint(envelope: &OciEnvelope) -> String {
    let messages = envelope.errors.iter().map(|error| error.message.trim());
    let text = messages
        .filter(|message| !message.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    if text.is_empty() {
        return text;
    }
    let shown = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SHOWN);
    format!(": {}", shown.collect::<String>())
}

/// Says what became of a request that got no answer, or half of one.
pub(super) fn failure(error: reqwest::Error) -> Error {
    let host = error.url().map(address::host).unwrap_or_default();
    if error.is_timeout() {
        return Error::TimedOut { host };
    }
    let is_trust = trust(&error);
    // The address is left out of the text: that of a redirect may hold a token in its query.
    let message = chain(&error.without_url());
    if is_trust {
        return Error::Tls { host, message };
    }
    Error::Connect { host, message }
}

/// Tells whether TLS came to nothing, which waiting does not mend.
fn trust(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<rustls::Error>() {
            return true;
        }
        // An IO error names the source of what it wraps as its own.
        let wrapped = cause.downcast_ref::<std::io::Error>();
        next = match wrapped.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_short_and_on_one_line() {
        let envelope = |text: &str| serde_json::from_str(text).unwrap();
        let text = r#"{"errors": [{"code": "DENIED", "message": "no\nway"}, {"code": "X", "message": "at all"}]}"#;
        assert_eq!(complaint(&envelope(text)), ": no way; at all");
        assert_eq!(complaint(&envelope(r#"{"errors": []}"#)), "");
        let long = format!(
            r#"{{"errors": [{{"code": "X", "message": "{}"}}]}}"#,
            "ä".repeat(500)
        );
        assert_eq!(complaint(&envelope(&long)).chars().count(), MAX_SHOWN + 2);
    }
}
