//! The tags of a repository, page by page.

use std::{collections::HashSet, fmt, sync::Arc};

use flux_core::image::is_tag;
use reqwest::{Method, Url, header::LINK};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{
    Error,
    address::{self, Repository},
    exchange::{Exchange, Question},
    link,
};

/// What a list of tags may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) tags: usize,
    pub(super) pages: u32,
    pub(super) bytes: usize,
}

/// The tags of a repository, sorted, each once.
#[derive(Clone, PartialEq, Eq)]
pub struct Tags {
    /// All tags, one behind the other: ten thousand of them are two allocations.
    text: Box<str>,
    ends: Box<[u32]>,
    pages: u32,
    skipped: usize,
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tags")
            .field("tags", &self.len())
            .field("pages", &self.pages)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

impl Tags {
    /// Returns the tags in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let starts = std::iter::once(&0).chain(&self.ends);
        let range = |(start, end): (&u32, &u32)| *start as usize..*end as usize;
        starts
            .zip(&self.ends)
            .filter_map(move |ends| self.text.get(range(ends)))
    }

    /// Returns the tags as texts of their own.
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }

    /// Returns how many bytes they take up in memory.
    pub(super) fn size(&self) -> usize {
        self.text.len() + std::mem::size_of_val(&*self.ends)
    }

    /// Returns how many tags there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns in how many pages they came.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Returns how many entries of the list are no tags: they are left out.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Returns the digest of the list; an equal one means that nothing changed.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for tag in self.iter() {
            digest.update(tag);
            digest.update("\n");
        }
        format!("sha256:{:x}", digest.finalize())
    }
}

/// Reads the whole list.
pub(super) async fn list(
    exchange: &Arc<Exchange>,
    repository: &Repository,
    limits: Limits,
) -> Result<Tags, Error> {
    let mut list = List::new(address::host(repository.api()), limits);
    let mut page = Some(repository.tags()?);
    while let Some(url) = page.take() {
        list.begin(&url)?;
        let question = Question {
            method: Method::GET,
            url,
            accept: "application/json",
            what: repository.image.clone(),
        };
        let answer = exchange.ask(repository, &question).await?;
        let links = answer.headers().get_all(LINK).iter();
        let mut links = links.filter_map(|value| link::next(value.to_str().ok()?));
        page = links
            .next()
            .map(|target| next_page(answer.url(), target))
            .transpose()?;
        list.add(&answer.bytes(list.bytes_left()).await?)?;
    }
    Ok(list.finish())
}

/// Returns the address of the page behind that of `from`: on the same server, since our credentials may go there.
fn next_page(from: &Url, target: &str) -> Result<Url, Error> {
    let refuse = |why| Error::Redirect {
        host: address::host(from),
        why,
    };
    let next = from
        .join(target)
        .map_err(|_| refuse("the Link header is malformed"))?;
    if next.host_str() != from.host_str() {
        return Err(refuse("the next page of the list is on another server"));
    }
    // A registry behind a proxy may know neither its scheme nor its port; the way to it is known to us.
    let mut page = from.clone();
    page.set_path(next.path());
    page.set_query(next.query());
    Ok(page)
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    tags: Option<Vec<&'a RawValue>>,
}

/// A list while it is being read.
struct List {
    host: String,
    limits: Limits,
    visited: HashSet<Url>,
    pages: u32,
    bytes: usize,
    text: String,
    ends: Vec<u32>,
    skipped: usize,
}

impl List {
    fn new(host: String, limits: Limits) -> Self {
        Self {
            host,
            limits,
            visited: HashSet::new(),
            pages: 0,
            bytes: 0,
            text: String::new(),
            ends: Vec::new(),
            skipped: 0,
        }
    }

    /// Checks that one more page may be asked for.
    fn begin(&mut self, url: &Url) -> Result<(), Error> {
        if !self.visited.insert(url.clone()) {
            return Err(self.protocol("the pages of its list of tags go round in circles"));
        }
        self.pages += 1;
        let limit = self.limits.pages;
        if self.pages > limit {
            return Err(self.too_large(u64::from(limit), "pages of tags"));
        }
        Ok(())
    }

    fn bytes_left(&self) -> usize {
        self.limits.bytes.saturating_sub(self.bytes)
    }

    fn add(&mut self, body: &[u8]) -> Result<(), Error> {
        self.bytes += body.len();
        let page: Page<'_> = serde_json::from_slice(body)
            .map_err(|_| self.protocol("its list of tags is not what the API prescribes"))?;
        for raw in page.tags.unwrap_or_default() {
            match serde_json::from_str::<String>(raw.get()) {
                Ok(tag) if is_tag(&tag) => self.push(&tag)?,
                Ok(_) | Err(_) => self.skipped += 1,
            }
        }
        Ok(())
    }

    fn push(&mut self, tag: &str) -> Result<(), Error> {
        self.text.push_str(tag);
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        if self.ends.len() >= self.limits.tags || end == u32::MAX {
            return Err(self.too_large(self.limits.tags as u64, "tags"));
        }
        self.ends.push(end);
        Ok(())
    }

    /// Sorts the tags, so that registries that list them in changing order do not look changed.
    fn finish(self) -> Tags {
        let read = Tags {
            text: self.text.into(),
            ends: self.ends.into(),
            pages: self.pages,
            skipped: self.skipped,
        };
        let mut tags: Vec<&str> = read.iter().collect();
        if tags.is_sorted_by(|a, b| a < b) {
            return read;
        }
        tags.sort_unstable();
        tags.dedup();
        let mut end = 0;
        let ends = tags.iter().map(|tag| {
            // The sorted text is no longer than the one whose ends fit in.
            end += u32::try_from(tag.len()).unwrap_or_default();
            end
        });
        Tags {
            ends: ends.collect(),
            text: tags.concat().into(),
            ..read
        }
    }

    fn too_large(&self, limit: u64, unit: &'static str) -> Error {
        let host = self.host.clone();
        Error::TooLarge { host, limit, unit }
    }

    fn protocol(&self, message: &str) -> Error {
        let (host, message) = (self.host.clone(), message.to_owned());
        Error::Protocol { host, message }
    }
}

#[cfg(test)]
mod tests;
