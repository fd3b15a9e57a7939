//! Following what lives of a kind, metadata only: a list, then a watch from there on, for as long as it is wanted.
//!
//! A watch of our own beside kube's, because of what it does not do: `fieldsV1` stays text (kube makes a tree of it, ten
//! times the size), and nothing is buffered. An object is read, told, and forgotten.
//!
//! Flow: 1. a full list, in pages; 2. a watch from its version, with bookmarks; 3. when the server ends the watch, another
//! from the last version seen; 4. when that version is too old (410), or after an error in the stream, from 1. What cannot be
//! cured by asking again (403, 404, 405) ends it.

use std::time::{Duration, Instant};

use flux_core::live::Metadata;
use futures::{AsyncBufReadExt as _, StreamExt as _};
use http::{Request, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::live::{self, MetadataOnly};
use super::request::{METADATA, query_value};
use super::{Cluster, Error, Rejection, Resource};

/// Objects that one page of a list holds: few, because a page is all that is in memory at once.
const PAGE: u32 = 250;
/// Seconds after which the server ends a watch, as client-go has it.
const WATCH: u64 = 290;
/// Time without a byte after which a connection counts as dead. The server sends a bookmark about once a minute.
const SILENCE: Duration = Duration::from_mins(3);
/// Time in which a refusal of what was allowed before does not count: an API server that starts refuses everything until it
/// has read its roles, and does not know custom kinds until it has read their definitions.
const STARTING: Duration = Duration::from_secs(20);
/// A watch that ends sooner is opened again after as long a pause.
const SHORT: Duration = Duration::from_millis(200);
/// First and last delay before a failed request is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What happens to the objects that are followed.
#[derive(Debug)]
pub enum Event<'a> {
    /// A full list begins; what was known may be outdated.
    ListBegins,
    /// An object of the list.
    Listed(&'a Metadata),
    /// The list is complete: what it did not hold does not exist.
    ListEnds,
    /// An object is new or has changed.
    Changed(&'a Metadata),
    /// An object was deleted, or fits the selector no more.
    Gone(&'a Metadata),
}

/// Follows the objects of a kind with these labels; of all namespaces when `namespace` is empty. Returns the error that
/// asking again does not cure: the actor may not list or watch the kind, or the kind is not served (any more).
pub async fn follow(
    cluster: &Cluster,
    resource: &Resource,
    (namespace, selector): (&str, &str),
    mut tell: impl FnMut(Event<'_>) + Send,
) -> Error {
    let mut follower = Follower {
        cluster,
        resource,
        namespace,
        selector,
        version: None,
    };
    let mut delay = RETRY.0;
    // Since when it has been refused.
    let mut refused = None;
    let mut has_worked = false;
    loop {
        match follower.step(&mut tell).await {
            Ok(()) => {
                (delay, refused, has_worked) = (RETRY.0, None, true);
            }
            Err(error) if is_final(&error) => {
                let since = *refused.get_or_insert_with(Instant::now);
                if !has_worked || since.elapsed() > STARTING {
                    return error;
                }
                tokio::time::sleep(SHORT).await;
            }
            Err(error) => {
                tracing::debug!(kind = %resource.kind, %error, "watch broke off, opening it again");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RETRY.1);
            }
        }
    }
}

fn is_final(error: &Error) -> bool {
    let code = error.rejection().map(|rejection| rejection.code);
    matches!(code, Some(403..=405)) || matches!(error, Error::UnknownKind { .. })
}

struct Follower<'a> {
    cluster: &'a Cluster,
    resource: &'a Resource,
    namespace: &'a str,
    selector: &'a str,
    /// From where on to watch; none before a list.
    version: Option<String>,
}

/// A line of a watch.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Follower<'_> {
    async fn step(&mut self, tell: &mut (impl FnMut(Event<'_>) + Send)) -> Result<(), Error> {
        match self.version.clone() {
            None => self.list(tell).await,
            Some(version) => self.watch(version, tell).await,
        }
    }

    async fn list(&mut self, tell: &mut (impl FnMut(Event<'_>) + Send)) -> Result<(), Error> {
        tell(Event::ListBegins);
        let mut pages =
            live::Pages::new(self.cluster, self.resource, self.namespace, self.selector).of(PAGE);
        while let Some(page) = pages.next().await? {
            for metadata in &page {
                tell(Event::Listed(metadata));
            }
        }
        self.version = Some(pages.into_version());
        tell(Event::ListEnds);
        Ok(())
    }

    async fn watch(
        &mut self,
        version: String,
        tell: &mut (impl FnMut(Event<'_>) + Send),
    ) -> Result<(), Error> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH}&labelSelector={}&resourceVersion={}",
            self.resource.collection_path(self.namespace),
            query_value(self.selector),
            query_value(&version),
        );
        // kube undoes the compression of the first message only (kube-client's `request_events`).
        let request = Request::get(&path)
            .header(header::ACCEPT, METADATA)
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Vec::new())
            .map_err(|source| Error::Path { path, source })?;
        let answer = self.cluster.client().request_stream(request).await;
        let answer = answer.map_err(refused);
        if answer.as_ref().is_err_and(is_expired) {
            self.version = None;
            return Ok(());
        }
        let opened = Instant::now();
        let answer = std::pin::pin!(answer?);
        let mut lines = answer.lines();
        loop {
            let next = tokio::time::timeout(SILENCE, lines.next()).await;
            let Ok(Some(Ok(line))) = next else {
                // The server ended the watch, or the connection did: on from the last version.
                if opened.elapsed() < SHORT {
                    tokio::time::sleep(SHORT).await;
                }
                return Ok(());
            };
            if let Err(error) = self.read(&line, tell) {
                self.version = None;
                return if is_expired(&error) {
                    Ok(())
                } else {
                    Err(error)
                };
            }
        }
    }

    fn read(&mut self, line: &str, tell: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        let broken = |source| Error::Answer {
            action: "a watch",
            source,
        };
        let Line { kind, object } = serde_json::from_str(line).map_err(broken)?;
        if kind == "ERROR" {
            let rejection: Rejection = serde_json::from_str(object.get()).map_err(broken)?;
            return Err(Error::Rejected(rejection));
        }
        let MetadataOnly { metadata } = serde_json::from_str(object.get()).map_err(broken)?;
        match kind.as_str() {
            "DELETED" => tell(Event::Gone(&metadata)),
            "BOOKMARK" => {}
            _ => tell(Event::Changed(&metadata)),
        }
        self.version = Some(metadata.resource_version);
        Ok(())
    }
}

/// Tells whether the version to watch from is too old.
fn is_expired(error: &Error) -> bool {
    let gone = StatusCode::GONE.as_u16();
    error
        .rejection()
        .is_some_and(|rejection| rejection.code == gone || rejection.reason == "Expired")
}

fn refused(error: kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => Error::Rejected(Rejection::of(&status)),
        error => Error::Unreachable(error),
    }
}
