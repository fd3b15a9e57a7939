//! The way to registries: one per process.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use flux_core::image::Name;

use super::{
    Access, Error,
    address::{self, Repository, RepositoryKey},
    exchange::Exchange,
    metadata::{self, Known, Metadata},
    pace::Pace,
    shelf::{Kept, Shelf, Wanted},
    tags::{self, Limits, Tags},
};

/// How much is asked of registries, and how much of an answer is taken.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long one operation may take, once it is its turn. Default: one minute.
    pub timeout: Duration,
    /// Requests to one host a second, in the long run. Default: 50.
    pub rate: u32,
    /// Requests to one host that may come at once before the rate counts. Default: 100.
    pub burst: u32,
    /// Operations with one host under way at the same time; each makes one request after the other. Default: 8.
    pub at_once: usize,
    /// Tags of one repository. Default: 100,000.
    pub max_tags: usize,
    /// Pages of one list of tags. Default: 2,000.
    pub max_pages: u32,
    /// Bytes of one list of tags. Default: 32 MiB.
    pub max_bytes: usize,
    /// How long a list of tags is kept for those to whom it is new enough. Default: one minute.
    pub keep: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            rate: 50,
            burst: 100,
            at_once: 8,
            max_tags: 100_000,
            max_pages: 2_000,
            max_bytes: 32 << 20,
            keep: Duration::from_mins(1),
        }
    }
}

/// So many lists of tags are kept.
const MAX_LISTS: usize = 1024;
/// Lists larger than this are not kept.
const MAX_KEPT: usize = 256 << 10;
/// How long an operation waits for its turn when many others are busy with the same host.
const LONGEST_QUEUE: Duration = Duration::from_mins(2);

/// The way to registries. Cheap to clone; the clones share connections, tokens, and what hosts asked for.
///
/// Its calls need a tokio runtime. A call can be given up at any time; a list of tags that others wait for too is
/// read to its end then.
#[derive(Clone)]
pub struct Client {
    timeout: Duration,
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    exchange: Arc<Exchange>,
    lists: Shelf<RepositoryKey, Arc<Tags>>,
    known: Known,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; connections are opened when they are needed.
    pub fn new(options: Options) -> Self {
        let pace = Pace {
            rate: options.rate,
            burst: options.burst,
            at_once: options.at_once.max(1),
        };
        Self {
            timeout: options.timeout,
            shared: Arc::new(Shared {
                exchange: Arc::new(Exchange::new(pace)),
                lists: Shelf::new(MAX_LISTS),
                known: Known::default(),
                options,
            }),
        }
    }

    /// Returns the same client with another limit to the time of one operation.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Reads the tags of a repository. Calls for the same repository and access that come while a list is being read
    /// wait for that one.
    pub async fn tags(&self, name: &Name, access: &Access) -> Result<Arc<Tags>, Error> {
        // What was read to its end before does not count.
        self.read_tags(name, access, Wanted::Underway).await
    }

    /// Returns the tags of a repository as they were at some time since `since`: a list that someone began to read at
    /// that time or later will do, also when it has been read to its end.
    ///
    /// So policies on one repository share a scan though they are not due in the same instant; and who heard of a
    /// new tag at `since` is sure to see it.
    pub async fn tags_since(
        &self,
        name: &Name,
        access: &Access,
        since: Instant,
    ) -> Result<Arc<Tags>, Error> {
        self.read_tags(name, access, Wanted::Since(since)).await
    }

    /// Asks for the digest of a tag, by one request without a body.
    pub async fn digest(&self, name: &Name, tag: &str, access: &Access) -> Result<String, Error> {
        let repository = Repository::new(name, access)?;
        let asking = metadata::digest(&self.shared.exchange, &repository, tag);
        self.in_time(&repository, asking).await
    }

    /// Finds out which image a tag or digest means and when it was made.
    ///
    /// # Errors
    /// [`Error::NoPlatform`] when there is an image, but none for `platform` (`linux/amd64`, `linux/arm/v7`).
    pub async fn inspect(
        &self,
        name: &Name,
        reference: &str,
        access: &Access,
        platform: Option<&str>,
    ) -> Result<Metadata, Error> {
        let repository = Repository::new(name, access)?;
        let Shared {
            exchange, known, ..
        } = self.shared.as_ref();
        let asking = metadata::inspect(exchange, known, &repository, reference, platform);
        self.in_time(&repository, asking).await
    }

    async fn read_tags(
        &self,
        name: &Name,
        access: &Access,
        wanted: Wanted,
    ) -> Result<Arc<Tags>, Error> {
        let repository = Repository::new(name, access)?;
        let Options {
            max_tags: tags,
            max_pages: pages,
            max_bytes: bytes,
            keep,
            ..
        } = self.shared.options;
        let limits = Limits { tags, pages, bytes };
        let client = self.clone();
        let list = || {
            let repository = repository.clone();
            async move {
                let listing = tags::list(&client.shared.exchange, &repository, limits);
                let value = Arc::new(client.in_time(&repository, listing).await?);
                let keep = Some(keep).filter(|_| value.size() <= MAX_KEPT);
                let until = Instant::now() + keep.unwrap_or_default();
                Ok(Kept { value, until })
            }
        };
        let reading = self.shared.lists.get(repository.key(), wanted, list);
        limited(self.timeout + LONGEST_QUEUE, &repository, reading).await
    }

    /// Does the work when it is its turn with the host.
    async fn in_time<T>(
        &self,
        repository: &Repository,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let host = address::host(repository.api());
        let host = self.shared.exchange.hosts.get(&host);
        let _turn = limited(LONGEST_QUEUE, repository, host.turn()).await?;
        limited(self.timeout, repository, work).await
    }
}

async fn limited<T>(
    limit: Duration,
    repository: &Repository,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| {
        let host = address::host(repository.api());
        Err(Error::TimedOut { host })
    })
}
