//! Asks registries what there is for a container.

use std::cmp::{Ordering, Reverse};

use flux_core::{
    choose::{Created, Rules},
    git::range,
    image::{Image, Name},
};
use flux_crds::ImagePolicy;
use flux_engine::registry::{self, Access, Client};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::{
    error::{self, Error},
    registry::Registries,
    workload::{Container, TagFilter, Workload},
};

/// So many tags are asked for their time to sort by it; beyond that, the names must do.
const MAX_TIMES: usize = 500;
const AT_ONCE: usize = 8;

/// A container, and the policies that may be about it.
pub(crate) struct Chosen<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) container: &'a Container,
    pub(crate) policies: &'a [ImagePolicy],
}

/// A tag, and when its image was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) created: Option<Timestamp>,
}

/// What there is for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Available {
    /// The image, without tag.
    pub(super) image: String,
    /// The tag that runs.
    pub(super) running: Option<String>,
    /// The first tags, newest first.
    pub(super) tags: Vec<Tag>,
    /// Where the running tag is in the whole list.
    pub(super) place: Option<usize>,
    /// How many tags there are.
    pub(super) count: usize,
    /// Why there is nothing to see.
    pub(super) error: Option<String>,
}

impl Available {
    /// Asks the registry. A failure is a part of the answer, so that it never hides other containers.
    pub(super) async fn ask(
        chosen: &Chosen<'_>,
        registries: &Registries<'_>,
        limit: usize,
    ) -> Self {
        let mut available = Self {
            image: chosen.container.image.clone(),
            running: None,
            tags: Vec::new(),
            place: None,
            count: 0,
            error: None,
        };
        if let Err(error) = available.fill(chosen, registries, limit).await {
            available.error = Some(error.chain());
        }
        available
    }

    async fn fill(
        &mut self,
        chosen: &Chosen<'_>,
        registries: &Registries<'_>,
        limit: usize,
    ) -> Result<(), Error> {
        let question = Question::of(chosen, registries).await?;
        self.image = question.image.name.to_string();
        self.running.clone_from(&question.image.tag);
        let client = &registries.client;
        let (sorted, mut created) = question.sorted(client, Demand::Look).await?;
        self.count = sorted.len();
        let running = self.running.as_ref();
        self.place = sorted.iter().position(|tag| Some(tag) == running);
        let shown: Vec<_> = sorted.into_iter().take(limit).collect();
        let unknown = shown
            .iter()
            .chain(running)
            .filter(|tag| !created.contains_key(*tag));
        let unknown: Vec<_> = unknown.cloned().collect();
        created.extend(question.times(client, unknown, Demand::Look).await?);
        let tag = |name: String| Tag {
            created: created.get(&name).copied(),
            name,
        };
        self.tags = shown.into_iter().map(tag).collect();
        Ok(())
    }
}

/// What is asked of a registry.
struct Question {
    image: Image,
    access: Access,
    rules: Rules,
}

impl Question {
    async fn of(chosen: &Chosen<'_>, registries: &Registries<'_>) -> Result<Self, Error> {
        let Chosen {
            workload,
            container,
            policies,
        } = chosen;
        let failed = |error: String| Error::Failed(error);
        let image: Image = container
            .image
            .parse()
            .map_err(|error| failed(error::chain(&error)))?;
        let filter = TagFilter::of(workload, &container.name, &image.name, policies);
        let rules = filter
            .rules()
            .map_err(|error| failed(error::chain(&error)))?;
        let access = registries.access(workload, &image.name, filter).await?;
        Ok(Self {
            image,
            access,
            rules,
        })
    }

    fn name(&self) -> &Name {
        &self.image.name
    }

    /// Returns the tags that count, the best first, and the times that had to be known for that.
    async fn sorted(
        &self,
        client: &Client,
        demand: Demand,
    ) -> Result<(Vec<String>, Created), Error> {
        let tags = client.tags(self.name(), &self.access).await;
        let tags = tags
            .map_err(|error| Error::Failed(error::chain(&error)))?
            .to_vec();
        let matching = self.rules.matching(&tags);
        let names = matching
            .candidates
            .iter()
            .map(|candidate| candidate.tag.clone());
        if !self.rules.needs_created() {
            let sorted = self.rules.sort(&matching, &Created::new());
            return Ok((owned(sorted), Created::new()));
        }
        match (demand, matching.candidates.len()) {
            (Demand::Look, MAX_TIMES..) => Ok((by_version(names.collect()), Created::new())),
            (Demand::Decide, count @ MAX_TIMES..) => Err(Error::Failed(format!(
                "{count} tags match, too many to ask when each was made: say which count, with an annotation fluxcd.io/tag.CONTAINER or an ImagePolicy"
            ))),
            (_, _) => {
                let created = self.times(client, names.collect(), demand).await?;
                Ok((owned(self.rules.sort(&matching, &created)), created))
            }
        }
    }

    /// For a look, a tag whose image cannot be read has no time; for a decision it could be the newest.
    async fn times(
        &self,
        client: &Client,
        tags: Vec<String>,
        demand: Demand,
    ) -> Result<Created, Error> {
        let asked = tags.into_iter().map(|tag| async move {
            let metadata = client.inspect(self.name(), &tag, &self.access, None).await;
            (tag, metadata)
        });
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut created = Created::new();
        while let Some((tag, metadata)) = answers.next().await {
            match metadata {
                Ok(metadata) => created.extend(metadata.created.map(|time| (tag, time))),
                // It was taken away since the list was read.
                Err(registry::Error::NotFound { .. }) => {}
                Err(_) if demand == Demand::Look => {}
                Err(error) => {
                    let name = self.name();
                    return Err(Error::Failed(format!(
                        "cannot read {name}:{tag}: {}",
                        error::chain(&error)
                    )));
                }
            }
        }
        Ok(created)
    }
}

/// What the answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// A person looks at it.
    Look,
    /// It decides what runs.
    Decide,
}

fn owned(tags: Vec<&str>) -> Vec<String> {
    tags.into_iter().map(str::to_owned).collect()
}

/// The best guess at an order by time, where there are too many tags to ask: versions first, the highest of them first.
fn by_version(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_by_cached_key(|tag| Reverse((range::short_version(tag), tag.clone())));
    tags
}

/// Returns the image that a container should run, if there is a better one.
pub(crate) async fn latest(
    chosen: &Chosen<'_>,
    registries: &Registries<'_>,
) -> Result<Option<Image>, Error> {
    let question = Question::of(chosen, registries).await?;
    let (sorted, created) = question.sorted(&registries.client, Demand::Decide).await?;
    let Question { image, rules, .. } = question;
    let best = sorted
        .into_iter()
        .next()
        .filter(|tag| !rules.needs_created() || created.contains_key(tag));
    // What runs may be newer than all that the filter lets through: nothing goes back by itself.
    let is_below = |tag: &String| {
        let running = image.tag.as_deref();
        running.and_then(|running| rules.rank(tag, running, &created)) == Some(Ordering::Less)
    };
    Ok(best.filter(|tag| !is_below(tag)).map(|tag| Image {
        tag: Some(tag),
        digest: None,
        ..image.clone()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_first_where_times_are_unknown() {
        let tags = ["1.9", "main", "1.10.0", "v2", "dev"].map(str::to_owned);

        assert_eq!(
            by_version(tags.into()),
            ["v2", "1.10.0", "1.9", "main", "dev"]
        );
    }
}
