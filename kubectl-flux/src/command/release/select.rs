//! Which images a release is about.

use flux_core::image::Image;
use flux_crds::ImagePolicy;
use futures::{StreamExt as _, stream};

use super::super::images::{Chosen, latest};
use crate::{
    args::ReleaseArgs,
    change::{Outcome, Status, Wanted},
    error::{self, Error},
    registry::Registries,
    workload::{Container, TagFilter, Workload},
};

const AT_ONCE: usize = 8;

/// The image that is released, or the latest of every container.
pub(super) struct Selection<'a> {
    image: Option<Image>,
    force: bool,
    policies: &'a [ImagePolicy],
    registries: &'a Registries<'a>,
}

impl<'a> Selection<'a> {
    pub(super) fn read(
        args: &ReleaseArgs,
        policies: &'a [ImagePolicy],
        registries: &'a Registries<'a>,
    ) -> Result<Self, Error> {
        let hint = "name an image with its tag, as in ghcr.io/org/web:1.4.2";
        let image = args
            .update_image
            .as_deref()
            .map(str::parse::<Image>)
            .transpose();
        let image = image.map_err(|error| Error::usage(error.to_string(), hint))?;
        if let Some(image) = image.as_ref().filter(|image| image.tag.is_none()) {
            return Err(Error::usage(format!("{image} has no tag"), hint));
        }
        Ok(Self {
            image,
            force: args.force,
            policies,
            registries,
        })
    }

    /// Returns what the containers of a workload are to run.
    pub(super) async fn wanted(&self, workload: &Workload) -> Result<Vec<Wanted>, Outcome> {
        let asked = workload
            .containers
            .iter()
            .map(|container| self.of_container(workload, container));
        let answers: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut wanted = Vec::new();
        let mut is_locked = false;
        for answer in answers {
            match answer {
                Answer::Image(image) => wanted.push(image),
                Answer::Locked => is_locked = true,
                Answer::None => {}
                Answer::Failed(reason) => {
                    return Err(Outcome::new(&workload.id, Status::Failed, reason));
                }
            }
        }
        match (wanted.is_empty(), is_locked, &self.image) {
            (false, _, _) => Ok(wanted),
            (true, true, _) => Err(Outcome::new(&workload.id, Status::Skipped, "locked")),
            (true, false, Some(_)) => Err(Outcome::new(
                &workload.id,
                Status::Ignored,
                "does not use image(s)",
            )),
            (true, false, None) => Err(Outcome::new(
                &workload.id,
                Status::Skipped,
                "image(s) up to date",
            )),
        }
    }

    async fn of_container(&self, workload: &Workload, container: &Container) -> Answer {
        let Ok(running) = container.image.parse::<Image>() else {
            return Answer::None;
        };
        if self
            .image
            .as_ref()
            .is_some_and(|image| !image.name.is_same_as(&running.name))
        {
            return Answer::None;
        }
        let filter = TagFilter::of(workload, &container.name, &running.name, self.policies);
        if let TagFilter::Policy(policy) = filter
            && policy.spec.lock.is_some()
            && !self.force
        {
            return Answer::Locked;
        }
        let chosen = Chosen {
            workload,
            container,
            policies: self.policies,
        };
        let image = match &self.image {
            Some(image) => Ok(Some(image.clone())),
            None => latest(&chosen, self.registries).await,
        };
        let image = match image {
            Ok(Some(image)) => self.pinned(image, &running, workload, filter).await,
            Ok(None) => return Answer::None,
            Err(error) => Err(error),
        };
        match image {
            Ok(image) => Answer::Image(Wanted {
                container: container.name.clone(),
                image,
            }),
            Err(error) => Answer::Failed(format!("{}: {}", container.name, error.chain())),
        }
    }

    /// Makes sure that the image is there, and finds its digest for a container that has one.
    async fn pinned(
        &self,
        image: Image,
        running: &Image,
        workload: &Workload,
        filter: TagFilter<'_>,
    ) -> Result<Image, Error> {
        let is_known = self.image.is_none() || self.force;
        if is_known && running.digest.is_none() {
            return Ok(image);
        }
        let access = self
            .registries
            .access(workload, &image.name, filter)
            .await?;
        let tag = image.tag.as_deref().unwrap_or("latest");
        let digest = self
            .registries
            .client
            .digest(&image.name, tag, &access)
            .await;
        match digest {
            Ok(digest) => Ok(Image {
                digest: image.digest.clone().or(Some(digest)),
                ..image
            }),
            Err(_) if self.force && running.digest.is_none() => Ok(image),
            Err(error) => Err(Error::Failed(format!(
                "cannot find {image}: {}",
                error::chain(&error)
            ))),
        }
    }
}

enum Answer {
    Image(Wanted),
    Locked,
    None,
    Failed(String),
}
