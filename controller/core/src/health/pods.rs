//! Pods, and why their containers do not run.

use serde_json::Value;

use super::{Health, condition};

pub(super) fn pod(object: &Value) -> Health {
    let status = &object["status"];
    let failing = failing_containers(object);
    match status["phase"].as_str().unwrap_or_default() {
        "Succeeded" => Health::current("completed"),
        "Failed" => Health::failed(failed(object, failing)),
        "Running" => match condition(object, "Ready") {
            Some(ready) if ready.is("True") => Health::current("ready"),
            ready => waiting(failing, || match ready {
                Some(ready) => format!("running but not ready: {}", ready.text()),
                None => "running but not ready".to_owned(),
            }),
        },
        "Pending" => waiting(failing, || pending(object)),
        "" => Health::in_progress("not seen by a node yet"),
        phase => Health::in_progress(format!("phase {phase}")),
    }
}

/// A crash loop has failed; an image that cannot be pulled may be there at the next try.
fn waiting(failing: Option<String>, otherwise: impl FnOnce() -> String) -> Health {
    match failing {
        Some(failing) if failing.contains("CrashLoopBackOff") => Health::failed(failing),
        Some(failing) => Health::in_progress(failing),
        None => Health::in_progress(otherwise()),
    }
}

/// An unschedulable pod may yet get a node from an autoscaler, so that it has not failed.
fn pending(object: &Value) -> String {
    match condition(object, "PodScheduled") {
        Some(scheduled) if scheduled.is("False") => {
            format!("not scheduled: {}", scheduled.text())
        }
        _ => "pending".to_owned(),
    }
}

fn failed(object: &Value, failing: Option<String>) -> String {
    let text = |field: &str| {
        object["status"][field]
            .as_str()
            .filter(|text| !text.is_empty())
    };
    let own = match (text("reason"), text("message")) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (reason, message) => reason.or(message).map(str::to_owned),
    };
    own.or(failing)
        .unwrap_or_else(|| "completed without success".to_owned())
}

/// Returns why containers of a pod do not run, if any fails: `app: ImagePullBackOff: …; …`.
pub fn failing_containers(pod: &Value) -> Option<String> {
    let reasons: Vec<String> = ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .filter_map(|field| pod["status"][field].as_array())
        .flatten()
        .filter_map(failure)
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What a container waits for in normal life; any other reason is that of an error.
const NORMAL: [&str; 3] = ["", "ContainerCreating", "PodInitializing"];

fn failure(container: &Value) -> Option<String> {
    let name = container["name"].as_str().unwrap_or_default();
    let waiting = &container["state"]["waiting"];
    let reason = waiting["reason"].as_str().unwrap_or_default();
    if !NORMAL.contains(&reason) {
        let message = waiting["message"].as_str();
        let message = message.map_or_else(String::new, |message| format!(": {message}"));
        let exit = exit(&container["lastState"]["terminated"]);
        let exit = exit.map_or_else(String::new, |exit| format!(" (last {exit})"));
        return Some(format!("{name}: {reason}{message}{exit}"));
    }
    exit(&container["state"]["terminated"]).map(|exit| format!("{name}: {exit}"))
}

fn exit(terminated: &Value) -> Option<String> {
    let code = terminated["exitCode"].as_i64().filter(|code| *code != 0)?;
    Some(match terminated["reason"].as_str() {
        None | Some("" | "Error") => format!("exit code {code}"),
        Some(reason) => format!("exit code {code}, {reason}"),
    })
}
