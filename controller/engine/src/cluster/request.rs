//! One HTTP request to the API server: path, headers, status code, body.

use std::fmt::Write as _;

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use super::{Error, Rejection};

/// Content type of a server-side apply (JSON is YAML).
pub(crate) const APPLY_PATCH: &str = "application/apply-patch+yaml";
/// Content type of a JSON patch, RFC 6902.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
/// Content type of everything else.
pub(crate) const JSON: &str = "application/json";
/// Asks for a list with metadata only.
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// Asks for an object with metadata only.
pub(crate) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A request before it is sent.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) accept: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// Returns a GET of `path`.
    pub(crate) fn get(path: String, accept: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            accept,
            content_type: JSON,
            body: Vec::new(),
        }
    }

    /// Sends it and returns the status code and the body of a successful answer.
    pub(crate) async fn send(self, client: &Client) -> Result<(StatusCode, Vec<u8>), Error> {
        let request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, self.content_type)
            .body(Body::from(self.body))
            .map_err(|source| Error::Path {
                path: self.path.clone(),
                source,
            })?;
        let answer = client.send(request).await.map_err(Error::Unreachable)?;
        let code = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(Error::Unreachable)?
            .to_bytes();
        if code.is_success() {
            Ok((code, body.into()))
        } else {
            Err(Error::Rejected(Rejection::read(code, &body)))
        }
    }
}

/// Percent-encodes a query value.
pub(crate) fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}
