//! Pushing images by the requests that the specification prescribes.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, LOCATION},
};

use super::{
    Auth, Image, PASSWORD, USER,
    image::{Piece, Pieces},
    tokens::Tokens,
};

/// So many tags are pushed at the same time.
const AT_ONCE: usize = 16;

/// Pushes to distribution itself, past the front.
#[derive(Debug, Clone)]
pub(super) struct Pusher {
    client: Client,
    port: u16,
    auth: Auth,
    tokens: Arc<Tokens>,
}

impl Pusher {
    pub(super) fn new(port: u16, auth: Auth, tokens: Arc<Tokens>) -> Result<Self> {
        let client = super::front::http_client()?;
        Ok(Self {
            client,
            port,
            auth,
            tokens,
        })
    }

    /// Pushes an image under tags, and returns its digest.
    pub(super) async fn push(
        &self,
        repository: &str,
        tags: &[String],
        image: &Image,
    ) -> Result<String> {
        let Pieces {
            configurations,
            inner,
            outer,
        } = image.pieces();
        for configuration in &configurations {
            self.blob(repository, configuration).await?;
        }
        for manifest in &inner {
            self.manifest(repository, &manifest.digest, manifest)
                .await?;
        }
        let outer = &outer;
        futures::stream::iter(tags.to_vec())
            .map(|tag| async move { self.manifest(repository, &tag, outer).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(outer.digest.clone())
    }

    async fn blob(&self, repository: &str, blob: &Piece) -> Result<()> {
        let start = self.client.post(self.url(repository, "blobs/uploads/")?);
        let begun = self.send(repository, start).await?;
        let location = begun.headers().get(LOCATION).context("where to upload")?;
        let mut upload = begun.url().join(location.to_str()?)?;
        upload.query_pairs_mut().append_pair("digest", &blob.digest);
        let finish = self.client.put(upload).body(blob.bytes.clone());
        self.send(repository, finish).await?;
        Ok(())
    }

    async fn manifest(&self, repository: &str, reference: &str, manifest: &Piece) -> Result<()> {
        let url = self.url(repository, &format!("manifests/{reference}"))?;
        let put = self
            .client
            .put(url)
            .header(CONTENT_TYPE, manifest.media_type)
            .body(manifest.bytes.clone());
        self.send(repository, put).await?;
        Ok(())
    }

    async fn send(&self, repository: &str, request: RequestBuilder) -> Result<Response> {
        let request = match self.auth {
            Auth::Open => request,
            Auth::Password => request.basic_auth(USER, Some(PASSWORD)),
            Auth::Token => request.bearer_auth(self.tokens.grant(repository, &["pull", "push"])?),
        };
        let response = request.send().await.context("ask the registry")?;
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.unwrap_or_default();
            bail!("the registry answered {status} to a push to {repository}: {text}");
        }
        Ok(response)
    }

    fn url(&self, repository: &str, rest: &str) -> Result<Url> {
        let url = format!("http://127.0.0.1:{}/v2/{repository}/{rest}", self.port);
        url.parse()
            .with_context(|| format!("{repository} is no name of a repository"))
    }
}
