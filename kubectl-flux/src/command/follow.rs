//! Watching an object until what was asked of it has ended, and telling what happens meanwhile.

use std::time::Duration;

use flux_crds::ConditionType;
use futures::StreamExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};

use super::Target;
use crate::{
    cluster::{Cluster, Scope},
    error::Error,
    resource::Resource,
    streams::Streams,
};

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The request with this token was handled, and what it started has ended.
    Handled(String),
    /// The object does what its current spec says.
    Ready,
}

/// How far an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It will change by itself.
    Working,
    /// It is what was waited for.
    Reached,
    /// It will not become that by itself.
    Failed,
}

impl Goal {
    /// Returns how far an object is from this goal.
    pub(crate) fn progress(&self, resource: &Resource) -> Progress {
        if !resource.is_observed() {
            return Progress::Working;
        }
        match self {
            Self::Handled(token) if resource.last_handled_reconcile() != Some(token) => {
                Progress::Working
            }
            Self::Handled(_) => settled(resource),
            Self::Ready if resource.is_ready() => Progress::Reached,
            Self::Ready if resource.is(ConditionType::Stalled) => Progress::Failed,
            Self::Ready => Progress::Working,
        }
    }
}

impl Goal {
    /// Returns what the object is at. Before a request is handled, a known Ready tells of an earlier one.
    fn news(&self, resource: &Resource) -> Option<String> {
        let working = resource
            .condition(ConditionType::Reconciling)
            .filter(|condition| condition.status == "True");
        let ready = resource.condition(ConditionType::Ready);
        let ready = ready.filter(|ready| *self == Self::Ready || ready.status == "Unknown");
        let condition = working.or(ready)?;
        let first_line = condition.message.lines().next().unwrap_or_default();
        Some(if first_line.is_empty() {
            condition.reason.clone()
        } else {
            first_line.to_owned()
        })
    }
}

/// A handled request may have started a wait for health, which shows as Ready being unknown.
fn settled(resource: &Resource) -> Progress {
    let is_working = resource
        .condition(ConditionType::Reconciling)
        .is_some_and(|condition| {
            condition.status == "True"
                && condition.reason == flux_crds::Reason::Progressing.as_str()
        });
    match resource
        .condition(ConditionType::Ready)
        .map(|ready| ready.status.as_str())
    {
        Some("True") => Progress::Reached,
        Some("False") if !is_working => Progress::Failed,
        Some(_) | None => Progress::Working,
    }
}

/// Follows one object until the goal is reached or cannot be, and returns it as it then is.
pub(crate) async fn follow(
    cluster: &Cluster,
    target: &Target,
    goal: &Goal,
    limit: Duration,
    streams: &mut Streams,
) -> Result<(Resource, Progress), Error> {
    let mut latest = None;
    let following = until(cluster, target, goal, &mut latest, streams);
    match tokio::time::timeout(limit, following).await {
        Ok(ended) => ended,
        Err(_) => Err(out_of_time(target, latest.as_ref(), limit)),
    }
}

async fn until(
    cluster: &Cluster,
    target: &Target,
    goal: &Goal,
    latest: &mut Option<String>,
    streams: &mut Streams,
) -> Result<(Resource, Progress), Error> {
    let api = cluster
        .in_namespace(&target.namespace)
        .api(target.kind, Scope::Namespace);
    let mut seen = watcher::watch_object(api, &target.name)
        .default_backoff()
        .boxed();
    while let Some(object) = seen.next().await {
        let object = object.map_err(|source| Error::Watch {
            what: target.to_string(),
            source,
        })?;
        let Some(object) = object else {
            return Err(target.not_found());
        };
        let resource = Resource::read(target.kind, &object)?;
        match goal.progress(&resource) {
            Progress::Working => tell(target, goal.news(&resource), latest, streams),
            progress => return Ok((resource, progress)),
        }
    }
    Err(Error::Failed(format!("the watch of {target} ended")))
}

/// Tells what the object is at, once for each news.
fn tell(target: &Target, news: Option<String>, latest: &mut Option<String>, streams: &mut Streams) {
    if let Some(news) = news.filter(|news| Some(news) != latest.as_ref()) {
        streams.say(format_args!("{target}: {news}"));
        *latest = Some(news);
    }
}

fn out_of_time(target: &Target, latest: Option<&String>, limit: Duration) -> Error {
    let what = match latest {
        Some(latest) => format!("{target} ({latest})"),
        None => target.to_string(),
    };
    Error::TimedOut {
        what,
        limit: crate::age::limit(limit),
    }
}

#[cfg(test)]
mod tests {
    use flux_crds::{Condition, Reason, Sync, SyncStatus, Time};

    use super::*;

    fn sync(conditions: &[(ConditionType, &str, Reason)], token: &str) -> Resource {
        let condition = |(kind, status, reason): &(ConditionType, &str, Reason)| Condition {
            type_: kind.to_string(),
            status: (*status).into(),
            reason: reason.to_string(),
            message: String::new(),
            last_transition_time: Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH),
            observed_generation: None,
        };
        let mut sync = Sync::test();
        sync.metadata.generation = Some(1);
        sync.status = Some(SyncStatus {
            observed_generation: Some(1),
            last_handled_reconcile: Some(token.into()),
            conditions: conditions.iter().map(condition).collect(),
            ..SyncStatus::default()
        });
        Resource::Sync(Box::new(sync))
    }

    fn handled() -> Goal {
        Goal::Handled("t2".into())
    }

    #[test]
    fn an_older_token_is_not_the_end() {
        let resource = sync(&[(ConditionType::Ready, "True", Reason::Applied)], "t1");
        assert_eq!(handled().progress(&resource), Progress::Working);
    }

    #[test]
    fn what_an_earlier_request_left_is_no_news() {
        let ready = |status| sync(&[(ConditionType::Ready, status, Reason::Applied)], "t1");
        assert_eq!(handled().news(&ready("False")), None);
        assert_eq!(
            handled().news(&ready("Unknown")).as_deref(),
            Some("Applied")
        );
        assert_eq!(
            Goal::Ready.news(&ready("False")).as_deref(),
            Some("Applied")
        );
    }

    #[test]
    fn a_handled_request_ends_when_ready_is_known() {
        for (status, progress) in [
            ("True", Progress::Reached),
            ("False", Progress::Failed),
            ("Unknown", Progress::Working),
        ] {
            let resource = sync(&[(ConditionType::Ready, status, Reason::Applied)], "t2");
            assert_eq!(handled().progress(&resource), progress, "{status}");
        }
    }

    #[test]
    fn a_failure_that_is_retried_is_an_end_of_this_request() {
        let conditions = [
            (ConditionType::Ready, "False", Reason::BuildFailed),
            (
                ConditionType::Reconciling,
                "True",
                Reason::ProgressingWithRetry,
            ),
        ];
        assert_eq!(
            handled().progress(&sync(&conditions, "t2")),
            Progress::Failed
        );
    }

    #[test]
    fn waiting_for_ready_gives_up_only_when_stalled() {
        let failed = (ConditionType::Ready, "False", Reason::InvalidSpec);
        assert_eq!(
            Goal::Ready.progress(&sync(&[failed], "")),
            Progress::Working
        );
        let stalled = [
            failed,
            (ConditionType::Stalled, "True", Reason::InvalidSpec),
        ];
        assert_eq!(Goal::Ready.progress(&sync(&stalled, "")), Progress::Failed);
    }
}
