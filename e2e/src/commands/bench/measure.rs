//! What a case costs: wall time, CPU, requests, memory.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use flux_e2e::{
    control_plane::{AuditLog, Request},
    install::CONTROLLER_USER,
};
use serde::Serialize;

use super::stage::Stage;

/// What follows the end of a case, such as events, still counts as its CPU and its requests.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What ours must be; nothing where there is no bar.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Bar {
    /// Wall time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<f64>,
    /// CPU of the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds: Option<f64>,
    /// Resident memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) megabytes: Option<f64>,
}

/// A case of the table.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Case {
    /// What is done.
    #[serde(rename = "case")]
    pub(super) what: &'static str,
    /// What Flux v2 takes, in words.
    pub(super) flux: &'static str,
    /// What ours must be.
    pub(super) bar: Bar,
}

/// What a case cost.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    /// Which.
    #[serde(flatten)]
    pub(super) case: Case,
    /// From the first request until what was asked for had come to be.
    pub(super) wall_seconds: f64,
    /// CPU of the controller.
    pub(super) controller_cpu_seconds: f64,
    /// CPU of API server and etcd; the requests of the benchmark itself are in it.
    pub(super) server_cpu_seconds: f64,
    /// Memory of the controller that is resident in the end.
    pub(super) controller_megabytes: f64,
    /// The controller's requests by verb and kind.
    pub(super) requests: BTreeMap<String, usize>,
}

impl Figures {
    /// Tells whether everything that has a bar meets it.
    pub(super) fn meets_bars(&self) -> bool {
        let Bar {
            seconds,
            cpu_seconds,
            megabytes,
        } = self.case.bar;
        meets(self.wall_seconds, seconds)
            && meets(self.controller_cpu_seconds, cpu_seconds)
            && meets(self.controller_megabytes, megabytes)
    }
}

/// Tells whether a figure meets its bar, if it has one.
pub(super) fn meets(figure: f64, bar: Option<f64>) -> bool {
    bar.is_none_or(|bar| figure <= bar)
}

/// A case under way.
pub(super) struct Measurement<'a> {
    stage: &'a Stage,
    case: Case,
    audit: AuditLog,
    cpu: (Duration, Duration),
    started: Instant,
}

impl<'a> Measurement<'a> {
    /// Starts the clock.
    pub(super) fn start(stage: &'a Stage, case: Case) -> Result<Self> {
        Ok(Self {
            stage,
            case,
            audit: stage.control_plane.audit_log().from_now(),
            cpu: cpu(stage)?,
            started: Instant::now(),
        })
    }

    /// Stops the clock, lets the aftermath come to rest, and returns what all of it cost.
    pub(super) async fn stop(self) -> Result<Figures> {
        let wall = self.started.elapsed();
        tokio::time::sleep(AFTERMATH).await;
        let (controller, server) = cpu(self.stage)?;
        Ok(Figures {
            case: self.case,
            wall_seconds: wall.as_secs_f64(),
            controller_cpu_seconds: controller.saturating_sub(self.cpu.0).as_secs_f64(),
            server_cpu_seconds: server.saturating_sub(self.cpu.1).as_secs_f64(),
            controller_megabytes: megabytes(self.stage.controller.usage()?.resident),
            requests: count(&self.requests()?),
        })
    }

    /// Returns the controller's requests since the start.
    pub(super) fn requests(&self) -> Result<Vec<Request>> {
        let mut requests = self.audit.requests()?;
        requests.retain(|request| request.user.username == CONTROLLER_USER);
        Ok(requests)
    }
}

/// Returns the CPU time of the controller, and that of API server and etcd together.
fn cpu(stage: &Stage) -> Result<(Duration, Duration)> {
    let server = stage.control_plane.api_server_usage()?.cpu;
    let store = stage.control_plane.etcd_usage()?.cpu;
    Ok((stage.controller.usage()?.cpu, server + store))
}

#[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn count(requests: &[Request]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in requests {
        let object = request.object_ref.clone().unwrap_or_default();
        let mut what = format!("{} {}", request.verb, object.resource);
        if !object.subresource.is_empty() {
            what.push('/');
            what.push_str(&object.subresource);
        }
        if request.is_dry_run() {
            what.push_str(" (dry run)");
        }
        *counts.entry(what).or_default() += 1;
    }
    counts
}

/// Returns the part of sorted times that `percent` of them do not exceed, in milliseconds.
pub(super) fn percentile(times: &[Duration], percent: usize) -> u128 {
    let last = times.len().saturating_sub(1);
    let place = (times.len() * percent)
        .div_ceil(100)
        .saturating_sub(1)
        .min(last);
    times.get(place).map_or(0, Duration::as_millis)
}
