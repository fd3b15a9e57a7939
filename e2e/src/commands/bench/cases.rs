//! The cases, in the order in which they build on each other.

use anyhow::{Context, Result, bail, ensure};
use flux_crds::Sync;
use flux_e2e::{reconcile, wait};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::{DeleteParams, ListParams, PostParams};

use super::{
    measure::{Bar, Case, Figures, Measurement},
    report,
    stage::{self, NAME, OBJECTS, ONE, SYNCS, Stage},
    watching,
};

/// Requests of ours under way at once.
const AT_ONCE: usize = 16;

const fn bar(seconds: f64, cpu_seconds: Option<f64>) -> Bar {
    Bar {
        seconds: Some(seconds),
        cpu_seconds,
        megabytes: None,
    }
}

/// Runs all of them and returns what each cost.
pub(super) async fn all(stage: &Stage) -> Result<Vec<Figures>> {
    let mut all = Vec::new();
    all.push(report::row(first_apply(stage).await?)?);
    all.push(report::row(one_object_changes(stage).await?)?);
    all.push(report::row(nothing_changed(stage).await?)?);
    all.push(report::row(many_from_zero(stage).await?)?);
    all.push(report::row(one_of_many_changes(stage).await?)?);
    all.push(report::row(nothing_changed_in_many(stage).await?)?);
    all.push(report::row(deletion(stage).await?)?);
    Ok(all)
}

async fn first_apply(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "first apply of 1,000 ConfigMaps in one Sync",
        flux: "10-13 s, 4-7 CPU-s",
        bar: bar(5.0, Some(1.0)),
    };
    let measurement = Measurement::start(stage, case)?;
    let syncs = stage.syncs();
    syncs
        .create(&PostParams::default(), &stage::sync(ONE, ONE))
        .await
        .context("create the Sync")?;
    wait::until(&syncs, ONE, "is Ready", wait::is_ready).await?;
    let figures = measurement.stop().await?;
    let live = live_objects(stage).await?;
    ensure!(live == OBJECTS, "{live} of {OBJECTS} objects are there");
    Ok(figures)
}

async fn one_object_changes(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "one of the 1,000 changes: poke after push -> applied",
        flux: "6.5 s",
        bar: bar(0.3, None),
    };
    let name = stage::object(OBJECTS / 2);
    let commit = stage.change(ONE, &name, "second")?;
    let measurement = Measurement::start(stage, case)?;
    poke_and_follow(stage, (ONE, &name, "second"), &commit).await?;
    measurement.stop().await
}

/// Asks for a fetch, and waits until the object has the value and its Sync the commit.
async fn poke_and_follow(
    stage: &Stage,
    (sync, name, value): (&str, &str, &str),
    commit: &str,
) -> Result<()> {
    let (repositories, objects, syncs) = (stage.repositories(), stage.config_maps(), stage.syncs());
    let poked = reconcile::poke(&repositories, NAME);
    let changed = wait::until(&objects, name, "has the new value", |object| {
        let found = object.data.as_ref().and_then(|data| data.get("value"));
        found.is_some_and(|found| found == value)
    });
    let applied = reconcile::applied(&syncs, sync, commit);
    tokio::try_join!(poked, changed, applied).map(drop)
}

async fn nothing_changed(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "forced reconcile, nothing changed, 1,000 objects",
        flux: "4.7 s, 3.0 CPU-s",
        bar: bar(0.1, Some(0.05)),
    };
    let measurement = Measurement::start(stage, case)?;
    reconcile::now(&stage.syncs(), ONE).await?;
    refuse_writes(measurement).await
}

/// Stops the clock; an object that was written without need is an error.
async fn refuse_writes(measurement: Measurement<'_>) -> Result<Figures> {
    let written = measurement
        .requests()?
        .into_iter()
        .find(|request| request.is_write() && on_config_maps(request));
    if let Some(request) = written {
        bail!(
            "nothing had changed, and yet: {} {}",
            request.verb,
            request.uri
        );
    }
    measurement.stop().await
}

fn on_config_maps(request: &flux_e2e::control_plane::Request) -> bool {
    let object = request.object_ref.as_ref();
    object.is_some_and(|object| object.resource == "configmaps")
}

async fn many_from_zero(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "200 Syncs x 10 objects: all Ready from zero",
        flux: "152 s, 222 CPU-s",
        bar: bar(12.0, Some(6.0)),
    };
    let measurement = Measurement::start(stage, case)?;
    let syncs = stage.syncs();
    let create = stream::iter(0..SYNCS)
        .map(|number| {
            let sync = stage::sync(&stage::small(number), &stage::small_path(number));
            let syncs = &syncs;
            async move { syncs.create(&PostParams::default(), &sync).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(async |_| Ok(()));
    let create = async { create.await.context("create the Syncs") };
    let ready = watching::all(&syncs, SYNCS + 1, wait::is_ready);
    tokio::try_join!(create, ready)?;
    measurement.stop().await
}

async fn one_of_many_changes(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "the same, one commit touches one: poke -> applied",
        flux: "109 s",
        bar: bar(0.3, None),
    };
    let number = SYNCS / 2;
    let (sync, name) = (stage::small(number), stage::small_object(number, 5));
    let commit = stage.change(&stage::small_path(number), &name, "second")?;
    let syncs = stage.syncs();
    let measurement = Measurement::start(stage, case)?;
    poke_and_follow(stage, (&sync, &name, "second"), &commit).await?;
    let figures = measurement.stop().await?;
    // The others only note the commit; they must have before the next case.
    watching::all(&syncs, SYNCS + 1, |sync| is_at(sync, &commit)).await?;
    Ok(figures)
}

fn is_at(sync: &Sync, commit: &str) -> bool {
    let revision = sync
        .status
        .as_ref()
        .and_then(|status| status.last_applied_revision.as_deref());
    revision.is_some_and(|revision| revision.contains(commit))
}

async fn nothing_changed_in_many(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "the same, forced reconcile of all 200, nothing changed",
        flux: "164 s, 246 CPU-s",
        bar: Bar {
            megabytes: Some(40.0),
            ..bar(3.0, Some(1.0))
        },
    };
    let syncs = stage.syncs();
    let measurement = Measurement::start(stage, case)?;
    let token = format!("bench-{}", std::process::id());
    let poke = stream::iter(0..SYNCS)
        .map(|number| {
            let (syncs, token) = (&syncs, &token);
            async move { reconcile::poke_with(syncs, &stage::small(number), token).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(async |()| Ok(()));
    let handled = watching::all(&syncs, SYNCS, |sync| {
        let status = sync.status.as_ref();
        let handled = status.and_then(|status| status.last_handled_reconcile.as_ref());
        handled == Some(&token)
    });
    tokio::try_join!(poke, handled)?;
    refuse_writes(measurement).await
}

async fn deletion(stage: &Stage) -> Result<Figures> {
    let case = Case {
        what: "delete a Sync with 1,000 objects",
        flux: "4.3 s",
        bar: bar(4.0, None),
    };
    let measurement = Measurement::start(stage, case)?;
    let syncs = stage.syncs();
    syncs
        .delete(ONE, &DeleteParams::default())
        .await
        .context("delete the Sync")?;
    wait::until_gone(&syncs, ONE).await?;
    let figures = measurement.stop().await?;
    let left = live_objects(stage).await?;
    ensure!(left == 0, "{left} objects are still there");
    Ok(figures)
}

/// Returns how many objects of the large Sync are there.
async fn live_objects(stage: &Stage) -> Result<usize> {
    let live = stage
        .config_maps()
        .list_metadata(&ListParams::default())
        .await
        .context("list the objects")?;
    let names = live
        .items
        .iter()
        .filter_map(|object| object.metadata.name.as_deref());
    Ok(names.filter(|name| name.starts_with(ONE)).count())
}
