//! The story: what a cluster does that follows a repository.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flux_crds::Sync;
use flux_e2e::{reconcile, wait};
use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Service,
};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};

mod release;

use super::stage::{NAME, Stage};
use crate::talk::{say, seconds};

const NAMESPACE: &str = "shop";

/// How the story went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Every step worked.
    Whole,
    /// A step failed, and the ones after it were not tried.
    Broken,
}

/// Tells the story up to the first step that fails, and returns how it went.
pub(super) async fn tell(stage: &Stage) -> Result<Outcome> {
    say("\nThe story\n")?;
    let mut outcome = Outcome::Whole;
    let steps: [(&str, Step); 8] = [
        ("a repository is followed: all is applied and Ready", |s| {
            Box::pin(opening(s))
        }),
        ("a commit changes replicas: the cluster follows", |s| {
            Box::pin(growth(s))
        }),
        ("a person edits the cluster by hand: it is put back", |s| {
            Box::pin(meddling(s))
        }),
        (
            "a broken commit: nothing changes, every error is told",
            |s| Box::pin(mistake(s)),
        ),
        (
            "objects that the API server rejects: nothing changes",
            |s| Box::pin(rejection(s)),
        ),
        (
            "a commit that fails midway: it is taken back as a whole",
            |s| Box::pin(failure(s)),
        ),
        ("a file is removed: its object is pruned", |s| {
            Box::pin(removal(s))
        }),
        (
            "a new image is pushed: git says so, the cluster runs it",
            |s| Box::pin(release::release(s)),
        ),
    ];
    for (title, step) in steps {
        let started = Instant::now();
        let (mark, told) = match step(stage).await {
            Ok(told) => ("✓", told),
            Err(error) => {
                outcome = Outcome::Broken;
                ("✗", format!("{error:#}"))
            }
        };
        say(&format!(
            "{mark} {title:<62} {}\n",
            seconds(started.elapsed())
        ))?;
        for line in told.lines() {
            say(&format!("      {line}\n"))?;
        }
        if outcome == Outcome::Broken {
            // Every step stands on the ones before it.
            break;
        }
    }
    Ok(outcome)
}

/// One step; it returns what else there is to tell.
type Step = for<'stage> fn(&'stage Stage) -> futures::future::BoxFuture<'stage, Result<String>>;

async fn opening(stage: &Stage) -> Result<String> {
    let commit = stage.repo.head()?;
    stage.follow().await?;
    let sync = reconcile::applied(&stage.syncs(), NAME, &commit).await?;
    let kind = ApiResource::from_gvk_with_plural(
        &kube::api::GroupVersionKind::gvk("example.org", "v1", "OpeningHours"),
        "openinghours",
    );
    let hours: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), NAMESPACE, &kind);
    hours
        .get("weekdays")
        .await
        .context("find the object of the kind that came in the same commit")?;
    let ready = replicas(stage, 2).await?;
    Ok(format!("{} objects, {ready} pods Ready", count(&sync)))
}

async fn growth(stage: &Stage) -> Result<String> {
    edit(stage, "base/deployment.yaml", "replicas: 2", "replicas: 3")?;
    let commit = publish(stage, "the shop grows").await?;
    reconcile::applied(&stage.syncs(), NAME, &commit).await?;
    let ready = replicas(stage, 3).await?;
    Ok(format!("{ready} pods Ready"))
}

async fn meddling(stage: &Stage) -> Result<String> {
    let services = services(stage);
    let patch = serde_json::json!({"spec": {"selector": {"app": "wep"}}});
    let by_hand = PatchParams {
        field_manager: Some("kubectl-edit".into()),
        ..PatchParams::default()
    };
    services
        .patch("web", &by_hand, &Patch::Merge(patch))
        .await
        .context("edit the Service")?;
    let since = Instant::now();
    wait::until(&services, "web", "selects app=web again", |service| {
        let selector = service
            .spec
            .as_ref()
            .and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|selector| selector.get("app").is_some_and(|app| app == "web"))
    })
    .await?;
    let took = since.elapsed().as_millis();
    let syncs = stage.syncs();
    let repaired = |sync: &Sync| {
        wait::condition(sync, "Drifted").filter(|drifted| drifted.reason == "Repaired")
    };
    let sync = wait::until(&syncs, NAME, "tells of the repair", |sync| {
        repaired(sync).is_some()
    })
    .await?;
    let told = repaired(&sync).map(|drifted| drifted.message);
    Ok(format!("after {took} ms: {}", told.unwrap_or_default()))
}

async fn mistake(stage: &Stage) -> Result<String> {
    edit(
        stage,
        "base/service.yaml",
        "  selector:\n    app: web\n",
        "  selector: [app: web\n",
    )?;
    edit(
        stage,
        "base/autoscaler.yaml",
        "kind: HorizontalPodAutoscaler\n",
        "",
    )?;
    edit(stage, "base/deployment.yaml", "replicas: 3", "replicas: 7")?;
    refused(stage, "a slip").await
}

async fn rejection(stage: &Stage) -> Result<String> {
    edit(stage, "base/service.yaml", "port: 80\n", "port: 80000\n")?;
    edit(
        stage,
        "base/autoscaler.yaml",
        "maxReplicas: 10",
        "maxReplicas: 0",
    )?;
    edit(stage, "base/deployment.yaml", "replicas: 3", "replicas: 7")?;
    refused(stage, "another slip").await
}

/// The kind comes with its object, so that no dry-run can tell that the object is wrong.
async fn failure(stage: &Stage) -> Result<String> {
    let file = "production/sizes.yaml";
    stage
        .repo
        .write(file, include_str!("../../../demo/failure/sizes.yaml"))?;
    edit(
        stage,
        "production/kustomization.yaml",
        "resources:\n",
        "resources:\n  - sizes.yaml\n",
    )?;
    edit(stage, "base/service.yaml", "port: 80\n", "port: 8080\n")?;
    let commit = publish(stage, "sizes, and another port").await?;
    let sync = reconcile::failed(&stage.syncs(), NAME, &commit).await?;
    ensure!(
        wait::has_failed(&sync, "RolledBack"),
        "the commit is not taken back: {sync:?}"
    );
    let service = services(stage)
        .get("web")
        .await
        .context("read the Service")?;
    let port = service
        .spec
        .and_then(|spec| spec.ports?.first().map(|port| port.port));
    ensure!(port == Some(80), "the Service is still at port {port:?}");
    stage.repo.git(&["revert", "--no-edit", "HEAD"])?;
    stage.repo.push()?;
    reconcile::now(&stage.repositories(), NAME).await?;
    reconcile::applied(&stage.syncs(), NAME, &stage.repo.head()?).await?;
    let ready = wait::condition(&sync, "Ready");
    Ok(ready.map(|ready| ready.message).unwrap_or_default())
}

async fn removal(stage: &Stage) -> Result<String> {
    stage.repo.remove("base/autoscaler.yaml")?;
    edit(
        stage,
        "base/kustomization.yaml",
        "  - autoscaler.yaml\n",
        "",
    )?;
    let commit = publish(stage, "the shop needs no autoscaler").await?;
    let sync = reconcile::applied(&stage.syncs(), NAME, &commit).await?;
    let autoscalers = Api::<HorizontalPodAutoscaler>::namespaced(stage.client.clone(), NAMESPACE);
    let found = autoscalers
        .get_opt("web")
        .await
        .context("look for the autoscaler")?;
    ensure!(found.is_none(), "the autoscaler is still there");
    Ok(format!("{} objects are left", count(&sync)))
}

/// Publishes what must be refused, sees that nothing changed, takes the commit back, and returns every error.
async fn refused(stage: &Stage, message: &str) -> Result<String> {
    let generation = deployment(stage).await?.metadata.generation;
    let services_before = services(stage).get("web").await?.metadata.resource_version;
    let commit = publish(stage, message).await?;
    let sync = reconcile::failed(&stage.syncs(), NAME, &commit).await?;
    let failures = sync
        .status
        .map(|status| status.failures)
        .unwrap_or_default();
    let told: Vec<String> = failures
        .iter()
        .map(|failure| match &failure.source {
            Some(source) => format!("{source}: {}", failure.message),
            None => failure.message.clone(),
        })
        .collect();
    ensure!(
        told.len() >= 2,
        "both errors must be told, not only: {told:?}"
    );
    let generation_after = deployment(stage).await?.metadata.generation;
    ensure!(
        generation == generation_after,
        "the Deployment must not be written"
    );
    let services_after = services(stage).get("web").await?.metadata.resource_version;
    ensure!(
        services_before == services_after,
        "the Service must not be written"
    );
    stage.repo.git(&["revert", "--no-edit", "HEAD"])?;
    stage.repo.push()?;
    reconcile::now(&stage.repositories(), NAME).await?;
    reconcile::applied(&stage.syncs(), NAME, &stage.repo.head()?)
        .await
        .context("take the commit back")?;
    Ok(told.join("\n"))
}

/// Commits and pushes, and tells the controller as a webhook would.
async fn publish(stage: &Stage, message: &str) -> Result<String> {
    let commit = stage.repo.commit_and_push(message)?;
    reconcile::poke(&stage.repositories(), NAME).await?;
    Ok(commit)
}

fn edit(stage: &Stage, path: &str, before: &str, after: &str) -> Result<()> {
    let text = std::fs::read_to_string(stage.repo.work().join(path))
        .with_context(|| format!("read {path}"))?;
    ensure!(text.contains(before), "{path} has no {before:?}");
    stage.repo.write(path, text.replacen(before, after, 1))
}

fn services(stage: &Stage) -> Api<Service> {
    Api::namespaced(stage.client.clone(), NAMESPACE)
}

async fn deployment(stage: &Stage) -> Result<Deployment> {
    let deployments = Api::<Deployment>::namespaced(stage.client.clone(), NAMESPACE);
    deployments.get("web").await.context("read the Deployment")
}

/// Waits until so many pods are Ready.
async fn replicas(stage: &Stage, wanted: i32) -> Result<i32> {
    let deployments = Api::<Deployment>::namespaced(stage.client.clone(), NAMESPACE);
    let ready = |found: &Deployment| {
        found
            .status
            .as_ref()
            .and_then(|status| status.ready_replicas)
    };
    wait::until(&deployments, "web", "has its pods Ready", |found| {
        ready(found) == Some(wanted)
    })
    .await?;
    Ok(wanted)
}

fn count(sync: &Sync) -> usize {
    let inventory = sync
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref());
    inventory.map_or(0, |inventory| inventory.entries.len())
}
