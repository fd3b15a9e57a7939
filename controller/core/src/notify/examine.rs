//! What is wrong with `spec.notify`, before anything happens that could be told.

use flux_crds::Notification;
use flux_crds::notification::NotificationKind;

use super::{Error, check};

/// A receiver that cannot be told as the spec has it.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// Its template cannot be used.
    #[error("spec.notify[{index}].template")]
    Template {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        source: Error,
    },
    /// It shows how commits do, and the object applies none.
    #[error(
        "spec.notify[{index}].kind: a {kind} applies no commits, so that it has no commit status; put this receiver into a Sync"
    )]
    CommitStatus {
        /// Its place in the list, from 0.
        index: usize,
        /// The kind of the object.
        kind: &'static str,
    },
}

/// Finds receivers that an object of this kind can never tell anything.
///
/// # Errors
/// The first of them.
pub fn examine(kind: &'static str, receivers: &[Notification]) -> Result<(), Invalid> {
    for (index, receiver) in receivers.iter().enumerate() {
        if kind != "Sync" && is_commit_status(receiver.kind) {
            return Err(Invalid::CommitStatus { index, kind });
        }
        if let Some(template) = &receiver.template {
            check(template).map_err(|source| Invalid::Template { index, source })?;
        }
    }
    Ok(())
}

fn is_commit_status(kind: NotificationKind) -> bool {
    match kind {
        NotificationKind::GitHubStatus
        | NotificationKind::GitLabStatus
        | NotificationKind::GiteaStatus => true,
        NotificationKind::Slack
        | NotificationKind::MsTeams
        | NotificationKind::Discord
        | NotificationKind::Matrix
        | NotificationKind::Webhook
        | NotificationKind::Alertmanager
        | NotificationKind::FluxV1 => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(kind: NotificationKind, template: Option<&str>) -> Notification {
        Notification {
            kind,
            url: Some("http://example.com".to_owned()),
            secret_ref: None,
            on: Vec::new(),
            template: template.map(str::to_owned),
        }
    }

    #[test]
    fn a_template_that_names_what_is_not_there_is_refused_with_its_place() {
        let good = receiver(
            NotificationKind::Slack,
            Some("{{ name }}: {{ changes[0] }}"),
        );
        let bad = receiver(NotificationKind::Slack, Some("{{ nmae }}"));
        let error = examine("Sync", &[good.clone(), bad]).unwrap_err();
        assert_eq!(error.to_string(), "spec.notify[1].template");
        assert!(examine("Sync", &[good]).is_ok());
    }

    #[test]
    fn a_commit_status_is_for_what_applies_commits() {
        let status = [receiver(NotificationKind::GiteaStatus, None)];
        assert!(examine("Sync", &status).is_ok());
        for kind in ["GitRepository", "ImagePolicy"] {
            let error = examine(kind, &status).unwrap_err().to_string();
            assert!(error.contains(kind), "{error}");
        }
    }
}
