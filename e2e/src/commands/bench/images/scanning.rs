//! Reading the lists of tags of many repositories.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flux_e2e::{registry::Image, wait};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::super::watching;
use super::figures::{Case, count};
use super::stage::Stage;

const REPOSITORIES: usize = 200;
const TAGS: usize = 1000;
/// What three policies on one repository want.
const RANGES: [&str; 3] = [">=1.0.0", "1.50.x", "<1.20.0"];
/// Requests of ours under way at once.
const AT_ONCE: usize = 16;
/// What follows the end of a case still counts as its CPU.
const AFTERMATH: Duration = Duration::from_secs(1);
/// The interval of policies that share a scan, and how many of them pass.
const INTERVAL: (Duration, usize) = (Duration::from_secs(10), 3);

/// All policies of many repositories, from their creation until they are Ready.
pub(super) async fn many(stage: &Stage) -> Result<Case> {
    let tags = (0..TAGS).map(|number| format!("1.{}.{}", number / 10, number % 10));
    let registry = &stage.registry;
    registry
        .push_tags(&repository(0), tags, &Image::new())
        .await?;
    registry.mirror(&repository(0), (1..REPOSITORIES).map(repository))?;
    registry.forget_requests();
    let case = Case::new("200 repositories x 1,000 tags, 3 policies each: all Ready from zero");
    let (idle, cpu, started) = (stage.megabytes()?, stage.cpu()?, Instant::now());
    let create = stream::iter(0..REPOSITORIES * RANGES.len())
        .map(|number| {
            let (repository, range) = (
                repository(number / RANGES.len()),
                RANGES.get(number % RANGES.len()).copied(),
            );
            let range = range.unwrap_or_default();
            let policy = stage.policy(&format!("many-{number:03}"), &repository, range);
            async move { stage.create(&policy).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(async |()| Ok(()));
    let policies = stage.policies();
    let ready = watching::all(&policies, REPOSITORIES * RANGES.len(), wait::is_ready);
    tokio::try_join!(create, ready)?;
    let wall = started.elapsed().as_secs_f64();
    tokio::time::sleep(AFTERMATH).await;
    let used = stage.cpu()?.saturating_sub(cpu).as_secs_f64();
    let asked = registry.requests();
    let (lists, others): (Vec<_>, Vec<_>) = asked
        .iter()
        .partition(|seen| seen.path.contains("/tags/list"));
    let refused = lists.iter().filter(|seen| seen.status == Some(401));
    let later = lists.iter().filter(|seen| seen.path.contains("last="));
    // A list that fills a page to the last tag has an empty one behind it. A page that is read twice counts once.
    let pages: BTreeSet<&str> = lists.iter().map(|seen| seen.path.as_str()).collect();
    let bar = count(pages.len() + REPOSITORIES);
    Ok(case
        .bar(
            "requests to the registry: all pages, and a token each",
            (count(asked.len()), ""),
            bar,
        )
        .note("of them for tags", (count(lists.len()), ""))
        .note(
            "of these refused for want of a token",
            (count(refused.count()), ""),
        )
        .note(
            "of these pages behind the first",
            (count(later.count()), ""),
        )
        .note("of them for tokens and all else", (count(others.len()), ""))
        .bar(
            "resident memory of the controller",
            (stage.megabytes()?, "MB"),
            60.0,
        )
        .note("the same before", (idle, "MB"))
        .note("wall", (wall, "s"))
        .note("CPU of the controller", (used, "s")))
}

fn repository(number: usize) -> String {
    format!("public/r{number:03}")
}

/// Three policies on one repository, created one after the other: they share each scan.
pub(super) async fn shared(stage: &Stage) -> Result<Case> {
    let image = "public/shared";
    stage.registry.push(image, "1.0.0", &Image::new()).await?;
    let (interval, times) = INTERVAL;
    for number in 0..RANGES.len() {
        let name = format!("shared-{number}");
        let mut policy = stage.policy(&name, image, ">=1.0.0");
        policy.spec.interval = Some(format!("{}s", interval.as_secs()).as_str().into());
        stage.create(&policy).await?;
        wait::until(&stage.policies(), &name, "is Ready", wait::is_ready).await?;
        tokio::time::sleep(interval / 4).await;
    }
    stage.registry.forget_requests();
    let case = Case::new("3 policies on one repository, interval 10 s, over 30 s");
    let times_u32 = u32::try_from(times).context("count the intervals")?;
    tokio::time::sleep(interval * times_u32).await;
    let asked = stage.registry.requests();
    let lists = asked
        .iter()
        .filter(|seen| seen.path.contains("/shared/tags/list"));
    let case = case.bar(
        "lists of tags read",
        (count(lists.count()), ""),
        count(times + 1),
    );
    for number in 0..RANGES.len() {
        let name = format!("shared-{number}");
        stage
            .policies()
            .delete(&name, &kube::api::DeleteParams::default())
            .await
            .context("delete a policy")?;
    }
    Ok(case)
}
