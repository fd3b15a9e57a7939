//! From a new tag in the registry to pods that run it, by way of a commit.

use std::time::Instant;

use anyhow::{Context, Result};
use flux_crds::ImagePolicy;
use flux_crds::names::CONTROLLER_NAMESPACE;
use flux_e2e::registry::Image;
use flux_e2e::{reconcile, wait};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;

use super::super::stage::{NAME, Stage};
use super::{NAMESPACE, edit, publish};
use crate::talk::seconds;

const REPOSITORY: &str = "shop/web";

pub(super) async fn release(stage: &Stage) -> Result<String> {
    let image = stage.registry.name(REPOSITORY);
    push(stage, "1.0.0").await?;
    mark(stage, &image)?;
    let commit = publish(stage, "the image is updated by policy").await?;
    reconcile::applied(&stage.syncs(), NAME, &commit).await?;
    stage.watch_image(&image).await?;
    settled(stage, "1.0.0").await?;

    let started = Instant::now();
    push(stage, "1.1.0").await?;
    reconcile::poke(&stage.policies(), NAME).await?;
    let policy = settled(stage, "1.1.0").await?;
    let committed = started.elapsed();
    let update = policy.status.and_then(|status| status.last_update);
    let update = update.context("find the commit in the policy's status")?;
    reconcile::applied(&stage.syncs(), NAME, &update.commit).await?;
    runs(stage, &format!("{image}:1.1.0")).await?;
    let ran = started.elapsed();

    stage
        .repo
        .git(&["pull", "--quiet", "--ff-only", "origin", "main"])?;
    let commit = stage
        .repo
        .git(&["show", "--format=%an%n%B", "--unified=0", "HEAD"])?;
    Ok(format!(
        "committed after {}, running after {}\n{}",
        seconds(committed).trim(),
        seconds(ran).trim(),
        commit.trim()
    ))
}

async fn push(stage: &Stage, tag: &str) -> Result<()> {
    let image = Image::new().labelled(tag);
    stage.registry.push(REPOSITORY, tag, &image).await?;
    Ok(())
}

/// Puts the image of the registry into the kustomization, with the marker of the policy behind its tag.
fn mark(stage: &Stage, image: &str) -> Result<()> {
    let path = "production/kustomization.yaml";
    edit(
        stage,
        path,
        "newName: ghcr.io/example/web",
        &format!("newName: {image}"),
    )?;
    let marked =
        format!("newTag: 1.0.0 # {{\"$imagepolicy\": \"{CONTROLLER_NAMESPACE}:{NAME}:tag\"}}");
    edit(stage, path, "newTag: 1.0.0", &marked)
}

/// Waits until git holds the tag.
async fn settled(stage: &Stage, tag: &str) -> Result<ImagePolicy> {
    let what = format!("has {tag} in git");
    wait::until(&stage.policies(), NAME, &what, |policy| {
        let status = policy.status.as_ref();
        let latest = status.and_then(|status| status.latest.as_ref());
        let pending = status.and_then(|status| status.pending.as_ref());
        latest.is_some_and(|latest| latest.tag == tag)
            && pending.is_none()
            && wait::is_ready(policy)
    })
    .await
}

async fn runs(stage: &Stage, image: &str) -> Result<()> {
    let deployments = Api::<Deployment>::namespaced(stage.client.clone(), NAMESPACE);
    wait::until(&deployments, "web", "runs the new image", |web| {
        let pod = web.spec.template.spec.as_ref();
        pod.is_some_and(|pod| {
            pod.containers
                .iter()
                .any(|container| container.image.as_deref() == Some(image))
        })
    })
    .await?;
    Ok(())
}
